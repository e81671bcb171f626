package board

import "slices"

// sweepAdded puts a sweep on the board and resumes what its state leaves to do: merging complete
// parts, writing the manifest, removing it.
func (b *Board) sweepAdded(e SweepAdded) {
	if b.jobs[e.ID] != nil {
		return
	}
	b.seq++
	j := newJob(e, b.seq)
	b.jobs[e.ID] = j
	b.order = append(b.order, j)
	slices.SortStableFunc(b.order, func(x, y *job) int { return y.priority - x.priority })
	if e.Removing {
		b.beginRemoval(j)
		return
	}
	b.catchUp(j)
	b.resumeWork(j)
}

// resumeWork starts what a sweep has to do besides leasing.
func (b *Board) resumeWork(j *job) {
	for i := range j.parts {
		b.mergeIfComplete(j, i)
	}
	b.settle(j)
	b.enqueueIdle()
}

// catchUp sets the pass of a job that could not be leased to that of its competitors: it gets no
// credit for the time it waited, and does not wait until a newer job has caught up with it.
func (b *Board) catchUp(j *job) {
	reached, known := b.reached[j.kind()]
	if j.class == "" || !known { // nodes of any class may compute it
		for k, pass := range b.reached {
			if k.priority == j.priority && k.solver == j.solver {
				reached = max(reached, pass)
			}
		}
	}
	j.pass = reached
}

func (b *Board) savePhase(j *job, p Phase) {
	j.phase = p
	b.emit(SavePhase{Sweep: j.id, Phase: p})
}

// phaseRequested pauses, resumes, cancels or reopens a sweep.
func (b *Board) phaseRequested(e PhaseRequested) {
	j := b.jobs[e.Sweep]
	answer := func(o Outcome) { b.emit(Answer{Token: e.Token, Outcome: o}) }
	switch {
	case j == nil:
		answer(OutcomeUnknown)
		return
	case j.removal != removalNone:
		answer(OutcomeRemoving)
		return
	case j.phase == e.Phase:
		answer(OutcomeOK)
		return
	case j.phase == Done || j.savingDone, j.phase.Ended() && e.Phase != Running:
		answer(OutcomeEnded)
		return
	}
	b.savePhase(j, e.Phase)
	switch e.Phase {
	case Running:
		b.catchUp(j)
		b.resumeWork(j)
	case Cancelled:
		b.revokeAll(j)
	}
	answer(OutcomeOK)
}

// revokeAll ends every lease of a sweep.
func (b *Board) revokeAll(j *job) {
	var nodes []*node
	ranges := map[*node][]ShardRange{}
	for _, shard := range sortedKeys(j.leases) {
		l := j.leases[shard]
		if ranges[l.node] == nil {
			nodes = append(nodes, l.node)
		}
		ranges[l.node] = appendShard(ranges[l.node], j.id, shard, l.epoch)
		b.unlease(j, shard)
		j.release(shard)
	}
	for _, n := range nodes {
		b.revoke(n, ranges[n]...)
	}
}

// retryRequested releases a sweep's shards from quarantine and has the parts that lack them merged
// again. A paused sweep stays paused; a cancelled one is reopened by submitting it.
func (b *Board) retryRequested(e RetryRequested) {
	j := b.jobs[e.Sweep]
	if j == nil {
		b.emit(Answer{Token: e.Token, Outcome: OutcomeUnknown})
		return
	}
	if j.removal != removalNone {
		b.emit(Answer{Token: e.Token, Outcome: OutcomeRemoving})
		return
	}
	if j.phase == Cancelled {
		b.emit(Answer{Token: e.Token, Outcome: OutcomeEnded})
		return
	}
	for i := range j.parts {
		if j.parts[i].stage == partMerging && len(j.parts[i].missing) > 0 || j.writingManifest {
			b.emit(Answer{Token: e.Token, Outcome: OutcomeNotEnded})
			return
		}
	}
	shards := sortedKeys(j.quarantine)
	if len(shards) > 0 {
		if j.phase != Paused {
			j.phase = Running
		}
		b.emit(DeleteFailures{Sweep: j.id, Shards: shards, Phase: j.phase})
	}
	for _, s := range shards {
		delete(j.quarantine, s)
		delete(j.failures, s)
		j.release(s)
		if p := &j.parts[j.cuts.PartOf(s)]; p.stage == partStored {
			p.stage = partOpen
			j.stored--
		}
	}
	b.catchUp(j)
	b.emit(Answer{Token: e.Token, Outcome: OutcomeOK, Shards: len(shards)})
	b.resumeWork(j)
}

// reopenRequested has parts computed again whose files are gone from the store.
func (b *Board) reopenRequested(e ReopenRequested) {
	j := b.jobs[e.Sweep]
	if j == nil || !j.phase.Ended() {
		b.emit(Answer{Token: e.Token, Outcome: OutcomeNotEnded})
		return
	}
	if j.removal != removalNone {
		b.emit(Answer{Token: e.Token, Outcome: OutcomeRemoving})
		return
	}
	gone := j.takeBack(e.Parts)
	j.phase = Running
	b.emit(DeleteParts{Sweep: j.id, Parts: gone, Phase: Running})
	b.emit(Answer{Token: e.Token, Outcome: OutcomeOK})
	b.catchUp(j)
	b.resumeWork(j)
}

// partsLost has parts computed again whose files are found gone before the manifest is written. If
// a request has ended the sweep meanwhile, the next submit finds them.
func (b *Board) partsLost(e PartsLost) {
	j := b.jobs[e.Sweep]
	if j == nil || !j.writingManifest || j.savingDone {
		return
	}
	j.writingManifest = false
	if j.phase.Ended() {
		b.removeIfIdle(j)
		return
	}
	b.emit(DeleteParts{Sweep: j.id, Parts: j.takeBack(e.Parts), Phase: j.phase})
	b.catchUp(j)
	b.resumeWork(j)
}

// takeBack reopens stored parts, with their rows, and returns those that were stored still.
func (j *job) takeBack(parts map[int]Counts) (gone []int) {
	for _, i := range sortedKeys(parts) {
		p := &j.parts[i]
		if p.stage != partStored { // it is about to be merged again
			continue
		}
		gone = append(gone, i)
		j.counts.Sub(parts[i])
		p.stage, p.missing = partOpen, nil
		j.stored--
		first, end := j.cuts.Part(i)
		for s := first; s < end; s++ {
			j.reopenShard(s)
		}
	}
	return gone
}
