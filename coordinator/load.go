package coordinator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/sweep"
)

// readFor is how long a leader retries to read the ledger before another coordinator may try.
const readFor = 10 * time.Second

// load puts every sweep of the ledger on the board.
func (t *term) load(ctx context.Context) ([]*ledger.Sweep, error) {
	states, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	t.execute(t.board.Step(board.Tick{Now: time.Now()}))
	for _, s := range states {
		if err := t.loadSweep(ctx, s); err != nil {
			return nil, err
		}
	}
	t.queueFiles("", t.spool.Explain)
	t.log.Info("state loaded", "sweeps", len(states))
	return states, nil
}

// read reads the ledger. While that fails an alarm is active and the attempt is repeated, but only
// for readFor: another coordinator may be of a release that can read it.
func (t *term) read(ctx context.Context) (states []*ledger.Sweep, err error) {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	var last error
	err = t.retry(ctx, "etcd", func() error {
		if states, t.orphans, last = ledger.LoadSweeps(ctx, t.ledger); last != nil {
			last = fmt.Errorf("read cluster state: %w", last)
		}
		return last
	})
	if err != nil {
		return nil, cmp.Or(last, err)
	}
	for id, keys := range t.orphans {
		t.log.Error("keys of an unknown sweep ignored; submitting it deletes them",
			"sweep_id", id, "keys", keys)
	}
	return states, nil
}

// cleanUp cleans up the result sets of sweeps after processes that died, before any other work on
// their files: a file that gets its name back may have to be deleted. If that fails for a set, it
// is repeated later, and delays no other set.
func (t *term) cleanUp(ctx context.Context, states []*ledger.Sweep) {
	cleaner, ok := t.cfg.Store.(store.Cleaner)
	if !ok {
		return
	}
	for _, s := range states {
		cleanSet := func(ctx context.Context) error {
			e := t.lookup(s.ID)
			if e == nil {
				return nil
			}
			if err := cleaner.RemoveLeftovers(ctx, e.design.set); err != nil {
				return fmt.Errorf("clean up %s: %w", e.design.set, err)
			}
			return nil
		}
		if cleanSet(ctx) != nil {
			t.queueFiles(s.ID, cleanSet)
		}
	}
}

// loadSweep puts a sweep on the board. It fails if the term ends before the sweep is planned, which
// says nothing about the sweep.
func (t *term) loadSweep(ctx context.Context, s *ledger.Sweep) error {
	e, cuts := t.entryOf(ctx, s)
	if err := ctx.Err(); err != nil {
		return err
	}
	s.State.Cuts, s.State.Parts = nil, nil // may be large; the plan has them
	t.mu.Lock()
	t.sweeps[s.ID] = e
	t.mu.Unlock()
	event := board.SweepAdded{
		ID: s.ID, Cuts: cuts, Priority: s.State.Priority, Weight: s.State.Weight,
		Solver: s.State.Solver.String(), Class: s.Class,
		Phase: s.Phase, Removing: s.Removing, Parts: map[int][]int{}, Failures: s.Failures,
	}
	if e.failure != "" {
		t.log.Error("sweep cannot continue with this release", "sweep_id", s.ID, "error", e.failure)
		event.Failures = nil // there are no shards in noCuts
		if !event.Phase.Ended() {
			event.Phase = board.Failed
		}
	}
	for i, p := range s.Parts {
		event.Parts[i] = p.Missing
		event.Counts.Add(p.Rows)
	}
	for _, d := range s.Done {
		t.index.put(partRef{s.ID, d.Part}, d.N, d.Items, true)
		part, stored := s.Parts[d.Part]
		for _, it := range d.Items {
			if e.failure == "" {
				event.Done = append(event.Done, it.Shard)
			}
			if _, absent := slices.BinarySearch(part.Missing, it.Shard); absent || !stored {
				event.Counts.Add(it.Rows)
			}
		}
	}
	t.execute(t.board.Step(event))
	return nil
}

// entryOf derives the entry of a sweep of the ledger. A sweep that this release cannot plan, as one
// that an earlier plan version began and did not finish, is shown as failed and otherwise left
// alone.
func (t *term) entryOf(ctx context.Context, s *ledger.Sweep) (e *entry, cuts board.Cuts) {
	r := s.State
	e = &entry{parts: s.Parts, figures: s.Figures}
	var plan *sweep.Plan
	spec, err := sweep.Decode(r.Canonical)
	if err == nil {
		plan, err = planOf(ctx, &r, spec, s.Phase.Ended())
	}
	if err == nil {
		e.design, err = newDesign(spec, plan, r.Name, r.Solver, r.PlanVersion)
	}
	if err == nil && e.design.id != s.ID {
		err = fmt.Errorf("this release computes id %s, its key has %s", e.design.id, s.ID)
	}
	if err != nil {
		e.failure = err.Error()
		e.design = &design{
			id:          s.ID,
			name:        r.Name,
			set:         r.Name + "-" + s.ID[:min(8, len(s.ID))],
			canonical:   r.Canonical,
			solver:      r.Solver,
			planVersion: r.PlanVersion,
		}
		cuts = noCuts{}
	} else {
		cuts = planCuts{e.design.plan}
	}
	e.design.created, e.design.priority, e.design.weight = r.Created, r.Priority, r.Weight
	return e, cuts
}

// planOf restores the plan of a sweep from its cuts, since a leader must not look at ten million
// points before it leads. Without cuts, or with damaged ones, the sweep is planned again. NewPlan
// rejects sweeps of an earlier plan version; the results of ended ones are served.
func planOf(ctx context.Context, r *ledger.SweepState, spec *sweep.Spec, ended bool) (*sweep.Plan, error) {
	if len(r.Cuts) == 0 || r.PlanVersion != sweep.PlanVersion && !ended {
		return sweep.NewPlan(ctx, spec, r.PlanVersion)
	}
	plan, err := sweep.RestorePlan(spec, r.PlanVersion, r.Cuts, r.Parts)
	if err != nil && r.PlanVersion == sweep.PlanVersion {
		return sweep.NewPlan(ctx, spec, r.PlanVersion)
	}
	return plan, err
}

// noCuts are the cuts of a sweep that cannot be planned.
type noCuts struct{}

func (noCuts) Shards() int         { return 0 }
func (noCuts) Parts() int          { return 0 }
func (noCuts) Part(int) (int, int) { return 0, 0 }
func (noCuts) PartOf(int) int      { return 0 }
func (noCuts) Cost(int) float64    { return 0 }
func (noCuts) Memory(int) int64    { return 0 }
