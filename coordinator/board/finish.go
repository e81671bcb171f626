package board

// How a sweep comes to its end: its parts are merged, then it is finished. Work on its files that
// is under way asks, before each try, whether the sweep was cancelled meanwhile, and is given up
// then. Past Finishing that is too late.

// mergeIfComplete has a part merged that lacks no shard, unless the sweep has ended: then its
// merges are given up.
func (b *Board) mergeIfComplete(j *job, i int) {
	if p := &j.parts[i]; p.left == 0 && p.stage == partOpen && !j.phase.Ended() {
		p.stage, p.missing = partMerging, nil
		b.emit(MergePart{Sweep: j.id, Part: i})
	}
}

// settle ends a sweep once no shard is on its way: parts that lack shards in quarantine are written
// without them.
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

// partStored: a part's files and key are durable.
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

// ended tells whether work on a sweep's files is not wanted any more.
func (b *Board) Ended(sweep string) bool {
	j := b.jobs[sweep]
	return j == nil || j.phase.Ended()
}

// stored tells whether a part of an ended sweep is stored.
func (b *Board) Stored(sweep string, part int) bool {
	j := b.jobs[sweep]
	return j != nil && j.phase.Ended() && j.parts[part].stage == partStored
}

// mergeGivenUp: the merge of a part ends without files. The sweep has ended; one that goes on
// merges the part again.
func (b *Board) mergeCancelled(e MergeCancelled) {
	if j := b.jobs[e.Sweep]; j != nil && j.parts[e.Part].stage == partMerging {
		j.parts[e.Part].stage, j.parts[e.Part].missing = partOpen, nil
		b.removeIfIdle(j)
	}
}

// finishGivenUp: the manifest is not written. The sweep has ended; one that goes on is finished
// again.
func (b *Board) manifestCancelled(e ManifestCancelled) {
	if j := b.jobs[e.Sweep]; j != nil {
		j.writingManifest = false
		b.removeIfIdle(j)
	}
}

// finishing: the manifest is durable. From here on the sweep is done, and nobody changes that any
// more.
func (b *Board) manifestStored(e ManifestStored) {
	if j := b.jobs[e.Sweep]; j != nil && j.writingManifest && !j.savingDone {
		j.savingDone = true
		b.emit(SaveDone{Sweep: j.id})
	}
}

// finished: the phase is durable, and people may hear of it.
func (b *Board) doneStored(e DoneStored) {
	if j := b.jobs[e.Sweep]; j != nil && j.writingManifest {
		j.writingManifest, j.savingDone, j.phase = false, false, Done
	}
}
