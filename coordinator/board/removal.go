package board

import "slices"

// A sweep is removed in three steps: a key says so, its files are deleted, its keys are deleted in
// one transaction. The key is written when the removal is asked for, and from then on it is carried
// out whatever happens, by this leader or the next; the files have to wait for what is on its way
// to the store. Until the last step the sweep is listed, as being removed, and can be neither
// submitted nor changed. A release that does not know the key shows the sweep as it was before;
// this one goes on with the removal when it leads again.

// removeSweep has an ended sweep removed.
func (b *Board) removalRequested(e RemovalRequested) {
	j := b.jobs[e.Sweep]
	switch {
	case j == nil:
		b.emit(Answer{Token: e.Token, Outcome: OutcomeUnknown})
		return
	case !j.phase.Ended():
		b.emit(Answer{Token: e.Token, Outcome: OutcomeNotEnded})
		return
	}
	j.removers = append(j.removers, e.Token)
	if j.removal != removalNone {
		b.removeIfIdle(j)
		return
	}
	j.removal = removalAsked
	if b.removeIfIdle(j); j.removal == removalAsked {
		b.emit(SaveRemoval{Sweep: j.id})
	}
}

// removeIfIdle begins a removal that was asked for, once nothing of the sweep is on its way to the
// store.
func (b *Board) removeIfIdle(j *job) {
	if j.removal != removalAsked || len(j.committing) > 0 || j.writingManifest {
		return
	}
	if !slices.ContainsFunc(j.parts, func(p part) bool { return p.stage == partMerging }) {
		b.beginRemoval(j)
	}
}

func (b *Board) beginRemoval(j *job) {
	j.removal = removalBegun
	b.emit(DeleteSweep{Sweep: j.id})
}

// removed: files and keys of a sweep are gone.
func (b *Board) sweepRemoved(e SweepRemoved) {
	j := b.jobs[e.Sweep]
	if j == nil || j.removal != removalBegun {
		return
	}
	delete(b.jobs, j.id)
	b.order = slices.DeleteFunc(b.order, func(o *job) bool { return o == j })
	b.emit(ForgetSweep{Sweep: j.id})
	for _, token := range j.removers {
		b.emit(Answer{Token: token, Outcome: OutcomeOK})
	}
}
