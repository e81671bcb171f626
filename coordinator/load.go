package coordinator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/sweep"
)

// readFor is how long a leader tries to read the state before it lets another one try.
const readFor = 10 * time.Second

// load puts every sweep of the ledger on the board.
func (t *term) load(ctx context.Context) ([]*sweepState, error) {
	states, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	t.perform(t.board.Step(board.Tick{Now: time.Now()}))
	for _, s := range states {
		if err := t.loadSweep(ctx, s); err != nil {
			return nil, err
		}
	}
	t.queueFiles("", t.spool.removeOrphans)
	return states, nil
}

// read reads the ledger. Where that fails there is an alarm, and another try, until somebody has
// mended what is wrong; but not for ever: another coordinator may be of a release that can read it.
func (t *term) read(ctx context.Context) (states []*sweepState, err error) {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	var last error
	err = t.retry(ctx, "etcd", func() error {
		if states, t.orphans, last = loadSweeps(ctx, t.ledger); last != nil {
			last = fmt.Errorf("nothing goes on, as the cluster's state cannot be read: %w", last)
		}
		return last
	})
	if err != nil {
		return nil, cmp.Or(last, err)
	}
	for id, keys := range t.orphans {
		t.log.Error(
			"keys of a sweep that is not there are ignored; they are deleted when it is submitted",
			"sweep_id",
			id,
			"keys",
			keys,
		)
	}
	return states, nil
}

// tidyUp tidies the result sets of sweeps up, after processes that died, before anything else is
// done to their files: a file that gets its name back may be one that is to go. A set where that
// fails is tidied up later, and holds up no other.
func (t *term) tidyUp(ctx context.Context, states []*sweepState) {
	cleaner, ok := t.cfg.Store.(store.Cleaner)
	if !ok {
		return
	}
	for _, s := range states {
		tidySet := func(ctx context.Context) error {
			e := t.lookup(s.id)
			if e == nil {
				return nil
			}
			if err := cleaner.RemoveLeftovers(ctx, e.set); err != nil {
				return fmt.Errorf("tidy up %s: %w", e.set, err)
			}
			return nil
		}
		if tidySet(ctx) != nil {
			t.queueFiles(s.id, tidySet)
		}
	}
}

// loadSweep puts a sweep on the board. It fails where the term ends before the sweep is cut:
// nothing is wrong with that.
func (t *term) loadSweep(ctx context.Context, s *sweepState) error {
	e, cuts := t.entryOf(ctx, s)
	if err := ctx.Err(); err != nil {
		return err
	}
	s.record.Cuts, s.record.Parts = nil, nil // they may be large, and are in the plan now
	t.mu.Lock()
	t.sweeps[s.id] = e
	t.mu.Unlock()
	event := board.AddSweep{
		ID: s.id, Cuts: cuts, Priority: s.record.Priority, Weight: s.record.Weight, Solver: s.record.Solver, Class: s.class,
		Phase: s.phase, Removing: s.removing, Parts: map[int][]int{}, Losses: s.losses,
	}
	if e.failure != "" {
		t.log.Error("sweep cannot go on with this release", "sweep_id", s.id, "error", e.failure)
		event.Losses = nil // noCuts have no shards to put them on
		if !event.Phase.Ended() {
			event.Phase = board.Failed
		}
	}
	for i, p := range s.parts {
		event.Parts[i] = p.Missing
		event.Counts.Add(p.Rows)
	}
	for _, d := range s.done {
		t.shelf.put(partRef{s.id, d.part}, d.n, d.items, true)
		part, stored := s.parts[d.part]
		for _, it := range d.items {
			if e.failure == "" {
				event.Done = append(event.Done, it.shard)
			}
			if _, lacks := slices.BinarySearch(part.Missing, it.shard); lacks || !stored {
				event.Counts.Add(it.rows)
			}
		}
	}
	t.perform(t.board.Step(event))
	return nil
}

// entryOf makes a sweep of the ledger usable; one that this release cannot plan is shown as failed,
// and left alone.
func (t *term) entryOf(ctx context.Context, s *sweepState) (*entry, board.Cuts) {
	r := s.record
	e := &entry{parts: s.parts}
	var plan *sweep.Plan
	spec, err := sweep.Decode(r.Canonical)
	if err == nil {
		plan, err = r.plan(ctx, spec)
	}
	if err == nil {
		e.design, err = newDesign(spec, plan, r.Name, r.Solver, r.PlanVersion)
	}
	if err == nil && e.id != s.id {
		err = fmt.Errorf("its id is %s by this release", e.id)
	}
	if err != nil {
		e.failure = err.Error()
		e.design = &design{
			id:        s.id,
			name:      r.Name,
			set:       r.Name + "-" + s.id[:min(8, len(s.id))],
			canonical: r.Canonical,
			solver:    r.Solver,
			version:   r.PlanVersion,
		}
		e.created, e.priority, e.weight = r.Created, r.Priority, r.Weight
		return e, noCuts{}
	}
	e.created, e.priority, e.weight = r.Created, r.Priority, r.Weight
	return e, planCuts{e.plan}
}

// noCuts are the cuts of a sweep that cannot be planned.
type noCuts struct{}

func (noCuts) Shards() int         { return 0 }
func (noCuts) Parts() int          { return 0 }
func (noCuts) Part(int) (int, int) { return 0, 0 }
func (noCuts) PartOf(int) int      { return 0 }
func (noCuts) Cost(int) float64    { return 0 }
func (noCuts) Memory(int) int64    { return 0 }
