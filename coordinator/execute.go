package coordinator

import (
	"context"
	"slices"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// step passes an event to the board and executes the actions that follow.
func (t *term) step(event board.Event) { t.execute(t.board.Step(event)) }

// execute executes actions in order. Those that must be durable are saved first, and the others
// wait for them. While an earlier save is under way, actions that lead to commits outside the saver
// wait too: its transaction may delete keys of the same shards.
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

// leadsToCommit reports whether an action leads to rows or parts that become durable.
func leadsToCommit(a board.Action) bool {
	switch a.(type) {
	case board.Grant, board.CommitShard, board.MergePart, board.WriteManifest:
		return true
	}
	return false
}

// withoutOvertaken removes leases from grants that were overtaken while they waited for the ledger,
// so that no node computes a shard that was acknowledged meanwhile.
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

// dispatch executes actions whose writes, if any, are durable.
func (t *term) dispatch(actions []board.Action) {
	for _, a := range actions {
		t.logLifecycle(a)
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
			t.queueFiles(a.Sweep, func(ctx context.Context) error { return t.writeManifest(ctx, a.Sweep) })
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

// logLifecycle logs what an action says about the life of a sweep or a node.
func (t *term) logLifecycle(a board.Action) {
	switch a := a.(type) {
	case board.SavePhase:
		t.log.Info("sweep phase changed", "sweep_id", a.Sweep, "phase", a.Phase.String())
	case board.SaveDone:
		t.log.Info("sweep done", "sweep_id", a.Sweep)
	case board.DeleteParts:
		t.log.Info("sweep reopened", "sweep_id", a.Sweep, "parts", len(a.Parts))
	case board.DeleteFailures:
		t.log.Info("shards released from quarantine", "sweep_id", a.Sweep, "shards", len(a.Shards))
	case board.ForgetSweep:
		t.log.Info("sweep removed", "sweep_id", a.Sweep)
	case board.SaveFailures:
		if a.Failures.Quarantined {
			t.log.Warn("shard quarantined",
				"sweep_id", a.Sweep, "shard_id", a.Failures.Shard, "attempts", a.Failures.Attempts)
		}
	case board.Dismiss:
		t.log.Warn("node dismissed", "node", a.Node, "reason", a.Reason)
	case board.DeleteNode:
		t.log.Info("node detached", "node", a.Node)
	}
}

// confirmLeadership withholds grants until a transaction has confirmed that this process still
// leads. After a stall it may have been replaced, and what it would grant may be acknowledged by
// another leader.
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

// reclaim releases frames of the spool in the background.
func (t *term) reclaim(items []ledger.DoneShard) {
	if len(items) > 0 {
		t.queueFiles("", func(ctx context.Context) error { t.index.reclaim(ctx, items); return nil })
	}
}
