package coordinator

import (
	"context"
	"slices"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

func (t *term) step(event board.Event) { t.execute(t.board.Step(event)) }

// perform does what the board wants. What must be durable is saved first; the rest waits for it. So
// does what later steps would have written by others than the saver: a transaction that is on its
// way may delete the keys of the same shards.
func (t *term) execute(actions []board.Action) {
	var writes []ledger.Write
	for _, a := range actions {
		writes = append(writes, t.writesOf(a)...)
	}
	if len(writes) == 0 && t.unsaved == 0 {
		t.dispatch(actions)
		return
	}
	later := actions
	if len(writes) == 0 {
		now := slices.DeleteFunc(slices.Clone(actions), leadsToCommit)
		later = slices.DeleteFunc(actions, func(a board.Action) bool { return !leadsToCommit(a) })
		t.dispatch(now)
		if len(later) == 0 {
			return
		}
	}
	t.unsaved++
	t.saves.put(save{writes: writes, then: func() {
		t.inbox.put(func() {
			t.unsaved--
			t.dispatch(t.withoutOvertaken(later))
		})
	}})
}

// leadsToRows tells whether rows or parts become durable by what follows an action.
func leadsToCommit(a board.Action) bool {
	switch a.(type) {
	case board.Grant, board.CommitShard, board.MergePart, board.WriteManifest:
		return true
	}
	return false
}

// overtaken takes out of actions that waited for the ledger what does not stand any more: nobody
// computes what was acknowledged meanwhile.
func (t *term) withoutOvertaken(actions []board.Action) []board.Action {
	kept := actions[:0]
	for _, a := range actions {
		if g, ok := a.(board.Grant); ok {
			if g.Ranges = t.board.Standing(g); len(g.Ranges) == 0 {
				continue
			}
			a = g
		}
		kept = append(kept, a)
	}
	return kept
}

// tell does what does not have to be durable, or comes after it was.
func (t *term) dispatch(actions []board.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case board.CommitShard:
			in := t.incoming[a.Token]
			in.pinClass = a.PinClass
			t.commits.put(in)
		case board.Answer:
			if wait := t.waiters[a.Token]; wait != nil {
				delete(t.waiters, a.Token)
				delete(t.incoming, a.Token)
				wait(a)
			}
		case board.Grant:
			if t.confirming > 0 {
				t.withheld = append(t.withheld, a)
				continue
			}
			t.grant(a)
		case board.Revoke:
			t.revoke(a)
		case board.Dismiss:
			t.dismiss(a)
		case board.MergePart:
			t.queueFiles(a.Sweep, func(ctx context.Context) error { return t.mergePart(ctx, a) })
		case board.WriteManifest:
			t.queueFiles(a.Sweep, func(ctx context.Context) error { return t.finish(ctx, a.Sweep) })
		case board.SaveDone:
			t.failpoint("after-done")
			t.step(board.DoneStored(a))
		case board.DeleteSweep:
			t.queueFiles(a.Sweep, func(ctx context.Context) error { return t.removeSweep(ctx, a.Sweep) })
		case board.DeleteParts:
			t.mu.Lock()
			for _, i := range a.Parts {
				delete(t.sweeps[a.Sweep].parts, i)
			}
			t.mu.Unlock()
			for _, i := range a.Parts {
				t.reclaim(t.index.drop(partRef{a.Sweep, i}))
			}
		case board.ForgetSweep:
			t.mu.Lock()
			delete(t.sweeps, a.Sweep)
			t.mu.Unlock()
			t.reclaim(t.index.dropSweep(a.Sweep))
		}
	}
}

// doubt withholds grants until a transaction has shown that this leader still leads. Who stood
// still may have been replaced, and what it would grant may be acknowledged by now.
func (t *term) confirmLeadership() {
	t.confirming++
	t.saves.put(save{confirm: true, then: func() {
		t.inbox.put(func() {
			if t.confirming--; t.confirming > 0 {
				return
			}
			withheld := t.withheld
			t.withheld = nil
			t.dispatch(t.withoutOvertaken(withheld))
		})
	}})
}

// free gives frames of the spool up, in the background.
func (t *term) reclaim(items []ledger.DoneShard) {
	if len(items) > 0 {
		t.queueFiles("", func(ctx context.Context) error { t.index.reclaim(ctx, items); return nil })
	}
}
