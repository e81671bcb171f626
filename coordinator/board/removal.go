package board

import "slices"

// A sweep is removed in three steps: a key is written that says so, its files are deleted, its keys
// are deleted in one transaction. Once the key is durable, this leader or the next carries the
// removal out. Files are deleted after work on them has stopped. Until the last step the sweep is
// listed as being removed, and can be neither submitted nor changed. A release that does not know
// the key shows the sweep as if it were not being removed; a later leader of this release resumes
// the removal.

// removalRequested starts the removal of an ended sweep.
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

// removeIfIdle begins a requested removal once nothing of the sweep is being written to the store.
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

// sweepRemoved forgets the sweep and answers the requests.
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
