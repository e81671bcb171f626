package coordinator

import (
	"context"
	"fmt"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// create stores a sweep and puts it on the board. If it exists, created is false, and the sweep is
// reopened if it has ended and something of it is left to do; finished shards are kept.
func (t *term) create(ctx context.Context, d *design) (e *entry, created bool, err error) {
	if err := t.submit.Acquire(ctx, 1); err != nil {
		return nil, false, err
	}
	defer t.submit.Release(1)
	if e := t.lookup(d.id); e != nil {
		if e.failure != "" {
			return nil, false, fmt.Errorf(
				"submit sweep %s: this release cannot continue it: %s", e.design.set, e.failure,
			)
		}
		if err := t.reopen(ctx, e); err != nil {
			return e, false, err
		}
		return e, false, t.redraw(ctx, e, d.spec.Figures())
	}
	figures := d.spec.Figures()
	if _, err := t.openSet(ctx, d, figures); err != nil {
		return nil, false, err
	}
	t.failpoint("before-submit")
	value, err := ledger.EncodeSweep(d.state())
	if err != nil {
		return nil, false, err
	}
	if t.orphans[d.id] != nil {
		orphaned := []ledger.Write{{Key: ledger.SweepPrefix(d.id), Delete: true, Prefix: true}}
		if err := t.commit(ctx, orphaned); err != nil {
			return nil, false, fmt.Errorf("delete orphaned keys of the sweep: %w", err)
		}
		delete(t.orphans, d.id)
	}
	writes := []ledger.Write{
		{Key: ledger.SweepKey(d.id), Value: value},
		{Key: ledger.PhaseKey(d.id), Value: []byte(board.Running.String())},
	}
	if len(figures) > 0 {
		writes = append(writes, ledger.Write{Key: ledger.FiguresKey(d.id), Value: figure.Encode(figures)})
	}
	if err := t.commit(ctx, writes); err != nil {
		return nil, false, fmt.Errorf("store sweep: %w", err)
	}
	t.failpoint("after-submit")
	e = &entry{design: d, figures: figures, parts: map[int]ledger.PartState{}}
	t.mu.Lock()
	t.sweeps[d.id] = e
	t.mu.Unlock()
	_, err = ask(ctx, t, func() struct{} {
		t.step(board.SweepAdded{
			ID: d.id, Cuts: planCuts{d.plan}, Priority: d.priority, Weight: d.weight, Solver: d.solver.String(),
			Phase: board.Running,
		})
		return struct{}{}
	})
	t.log.Info("sweep submitted", "sweep_id", d.id, "name", d.name, "shards", d.plan.Shards())
	return e, true, err
}

// reopen continues an ended sweep if something of it is missing or it was stopped.
func (t *term) reopen(ctx context.Context, e *entry) error {
	p, err := t.progress(ctx, e)
	if err != nil {
		return err
	}
	if p.Removing {
		return fmt.Errorf("submit sweep %s: %w", e.design.set, errRemoving)
	}
	if !p.Phase.Ended() {
		return nil
	}
	missing, err := t.findMissing(ctx, e)
	if err != nil {
		return fmt.Errorf("check result set %s: %w", e.design.set, err)
	}
	if err := t.removeDamaged(ctx, e, missing.damaged); err != nil {
		return fmt.Errorf("delete damaged files: %w; submit the sweep again", err)
	}
	if p.Phase == board.Done && len(missing.parts) == 0 && !missing.manifest {
		if missing.manifest, err = t.repairSmallFiles(ctx, e, p); err != nil {
			return fmt.Errorf("repair result set %s: %w", e.design.set, err)
		}
	}
	var a board.Answer
	switch {
	case len(missing.parts) > 0 || p.Phase == board.Done && (missing.manifest || p.PartsDone < p.Parts):
		t.log.Warn("incomplete result set found",
			"sweep_id", e.design.id, "parts", len(missing.parts), "manifest", !missing.manifest)
		a, err = t.request(ctx, func(token uint64) board.Event {
			return board.ReopenRequested{Token: token, Sweep: e.design.id, Parts: missing.parts}
		})
	case p.Phase != board.Done:
		a, err = t.request(ctx, func(token uint64) board.Event {
			return board.PhaseRequested{Token: token, Sweep: e.design.id, Phase: board.Running}
		})
	}
	if err == nil && a.Outcome == board.OutcomeRemoving {
		err = errRemoving
	}
	return err
}

// progress returns the state of a sweep.
func (t *term) progress(ctx context.Context, e *entry) (board.Progress, error) {
	found := false
	p, err := ask(ctx, t, func() (p board.Progress) {
		p, found = t.board.Progress(e.design.id)
		return p
	})
	if err == nil && !found {
		err = errUnknownSweep
	}
	if e.failure != "" && p.Phase == board.Failed {
		p.Waiting = "this release cannot continue it: " + e.failure
	}
	return p, err
}

// outcomeError returns the outcome of a request as an error.
func outcomeError(o board.Outcome) error {
	switch o {
	case board.OutcomeOK:
		return nil
	case board.OutcomeUnknown:
		return errUnknownSweep
	case board.OutcomeNotEnded:
		return errNotEnded
	case board.OutcomeEnded:
		return errEnded
	case board.OutcomeRemoving:
		return errRemoving
	}
	return fmt.Errorf("unexpected outcome %d", o)
}

// remove removes an ended sweep and its result set and waits until they are gone. The removal
// continues if ctx ends.
func (t *term) remove(ctx context.Context, e *entry) error {
	a, err := t.request(ctx, func(token uint64) board.Event {
		return board.RemovalRequested{Token: token, Sweep: e.design.id}
	})
	if err == nil {
		err = outcomeError(a.Outcome)
	}
	if err != nil {
		return fmt.Errorf("remove sweep %s: %w", e.design.set, err)
	}
	return nil
}

// removeSweep deletes the files of a sweep, then its keys.
func (t *term) removeSweep(ctx context.Context, id string) error {
	e := t.lookup(id)
	if e == nil {
		return nil
	}
	if err := t.removeFiles(ctx, e); err != nil {
		return fmt.Errorf("delete files of sweep %s: %w", e.design.set, err)
	}
	t.failpoint("before-drop")
	writes := []ledger.Write{
		{Key: ledger.SweepKey(id), Delete: true},
		{Key: ledger.SweepPrefix(id), Delete: true, Prefix: true},
	}
	if err := t.persist(ctx, writes); err != nil {
		return err
	}
	t.failpoint("after-drop")
	t.post(board.SweepRemoved{Sweep: id})
	return nil
}
