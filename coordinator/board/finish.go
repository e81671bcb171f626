package board

// How a sweep ends: its parts are merged, then its manifest is written, then the phase Done is made
// durable. Before each attempt to work on its files the caller asks Ended, and cancels the work if
// a request has ended the sweep meanwhile. After ManifestStored nothing cancels it.

// mergeIfComplete starts the merge of a part whose shards are all done, unless the sweep has ended.
func (b *Board) mergeIfComplete(j *job, i int) {
	if p := &j.parts[i]; p.left == 0 && p.stage == partOpen && !j.phase.Ended() {
		p.stage, p.missing = partMerging, nil
		b.emit(MergePart{Sweep: j.id, Part: i})
	}
}

// settle finishes a sweep all of whose shards are done or in quarantine: the remaining parts are
// merged without their quarantined shards, then the manifest is written.
func (b *Board) settle(j *job) {
	if j.phase != Running && j.phase != Paused || !j.settled() || j.writingManifest {
		return
	}
	for i := range j.parts {
		p := &j.parts[i]
		if p.stage != partOpen {
			continue
		}
		p.stage, p.missing = partMerging, nil
		first, end := j.cuts.Part(i)
		for s := first; s < end; s++ {
			if j.quarantine[s] {
				p.missing = append(p.missing, s)
			}
		}
		b.emit(MergePart{Sweep: j.id, Part: i, Missing: p.missing})
	}
	if j.stored == len(j.parts) {
		j.writingManifest = true
		b.emit(WriteManifest{Sweep: j.id})
	}
}

// partStored marks a part as stored.
func (b *Board) partStored(e PartStored) {
	j := b.jobs[e.Sweep]
	if j == nil || j.parts[e.Part].stage != partMerging {
		return
	}
	j.parts[e.Part].stage = partStored
	j.stored++
	b.settle(j)
	b.removeIfIdle(j)
}

// Ended reports whether a sweep has ended or does not exist, so that work on its files has to stop.
func (b *Board) Ended(sweep string) bool {
	j := b.jobs[sweep]
	return j == nil || j.phase.Ended()
}

// Stored reports whether a part of a sweep is stored.
func (b *Board) Stored(sweep string, part int) bool {
	j := b.jobs[sweep]
	return j != nil && j.parts[part].stage == partStored
}

// mergeCancelled reopens the part: it is merged when the sweep continues.
func (b *Board) mergeCancelled(e MergeCancelled) {
	if j := b.jobs[e.Sweep]; j != nil && j.parts[e.Part].stage == partMerging {
		j.parts[e.Part].stage, j.parts[e.Part].missing = partOpen, nil
		b.removeIfIdle(j)
	}
}

// shardsLost reopens a part whose merge found shards unreadable, and has those computed again.
func (b *Board) shardsLost(e ShardsLost) {
	j := b.jobs[e.Sweep]
	if j == nil || j.parts[e.Part].stage != partMerging {
		return
	}
	p := &j.parts[e.Part]
	p.stage, p.missing = partOpen, nil
	j.counts.Sub(e.Counts)
	j.lost += len(e.Shards)
	for _, s := range e.Shards {
		j.reopenShard(s)
	}
	b.enqueueIdle()
	b.removeIfIdle(j)
}

// manifestCancelled allows the manifest to be written again when the sweep continues.
func (b *Board) manifestCancelled(e ManifestCancelled) {
	if j := b.jobs[e.Sweep]; j != nil {
		j.writingManifest = false
		b.removeIfIdle(j)
	}
}

// manifestStored starts to make the phase Done durable. From here on no request changes the phase.
func (b *Board) manifestStored(e ManifestStored) {
	if j := b.jobs[e.Sweep]; j != nil && j.writingManifest && !j.savingDone {
		j.savingDone = true
		b.emit(SaveDone{Sweep: j.id})
	}
}

// doneStored ends the sweep.
func (b *Board) doneStored(e DoneStored) {
	if j := b.jobs[e.Sweep]; j != nil && j.writingManifest {
		j.writingManifest, j.savingDone, j.phase = false, false, Done
	}
}
