package coordinator

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// design is everything that follows from the spec of a sweep. It never changes and is safe for
// concurrent use.
type design struct {
	id          string
	name        string
	set         string // folder of its result set
	canonical   []byte
	solver      sweep.SolverIdentity
	planVersion int
	spec        *sweep.Spec
	plan        *sweep.Plan
	schema      *results.Schema
	identity    results.Identity
	filtered    bool // where excludes some indices

	created          time.Time
	priority, weight int
}

// newDesign derives a design from a parsed spec and its plan. The name is given separately because
// a canonical spec has none.
func newDesign(
	spec *sweep.Spec, plan *sweep.Plan, name string, solver sweep.SolverIdentity, planVersion int,
) (d *design, err error) {
	if err := solver.Check(); err != nil {
		return nil, err
	}
	d = &design{
		id: spec.ID(solver), name: name, canonical: spec.Canonical(), solver: solver, planVersion: planVersion,
		spec: spec, plan: plan,
	}
	d.set = name + "-" + d.id[:8]
	d.identity = results.IdentityOf(spec, solver)
	points, exact := spec.Count()
	d.filtered = !exact || points != spec.Size()
	d.schema, err = results.SweepSchema(spec, solver)
	return d, err
}

// planner parses sweep files and cuts them into shards.
type planner struct {
	limit         *semaphore.Weighted // files at once: each takes seconds, and memory for up to a million shards
	maxPointBytes int64
	solver        sweep.SolverIdentity
}

func newPlanner(maxPointBytes int64, solver sweep.SolverIdentity) *planner {
	return &planner{semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))), maxPointBytes, solver}
}

// parse parses a sweep file and cuts it. Concurrent calls are limited, so that they do not take the
// memory of the leader.
func (p *planner) parse(ctx context.Context, filename string, file []byte) (*design, error) {
	if err := p.limit.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer p.limit.Release(1)
	spec, err := sweep.Parse(filename, file, sweep.Limits{PointBytes: p.maxPointBytes})
	if err != nil {
		return nil, err
	}
	plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plan sweep: %w", err)
	}
	if err != nil {
		return nil, badField("file", "%w", err)
	}
	d, err := newDesign(spec, plan, spec.Name(), p.solver, sweep.PlanVersion)
	if err != nil {
		return nil, badField("file", "%w", err)
	}
	return d, nil
}

// state is the value of the key of the sweep.
func (d *design) state() ledger.SweepState {
	cuts, parts := d.plan.CutRuns()
	return ledger.SweepState{
		Canonical: d.canonical, Name: d.name, Solver: d.solver, PlanVersion: d.planVersion,
		Created: d.created, Priority: d.priority, Weight: d.weight, Cuts: cuts, Parts: parts,
	}
}

// bounds returns the first index of each shard of a range, and the end of the last.
func (d *design) bounds(r board.ShardRange) []int64 {
	bounds := make([]int64, 0, r.Count+1)
	for s := r.First; s < r.First+r.Count; s++ {
		first, end := d.plan.Shard(int64(s))
		if s == r.First {
			bounds = append(bounds, first)
		}
		bounds = append(bounds, end)
	}
	return bounds
}

// partIndices returns the index range [first, end) of a part.
func (d *design) partIndices(part int64) (first, end int64) {
	firstShard, endShard := d.plan.Part(part)
	first, _ = d.plan.Shard(firstShard)
	_, end = d.plan.Shard(endShard - 1)
	return first, end
}

// expectation is what a delivery of a shard is checked against.
func (d *design) expectation(shard int) results.Expectation {
	first, end := d.plan.Shard(int64(shard))
	e := results.Expectation{First: first, End: end, Points: -1, Identity: d.identity}
	if d.filtered {
		e.Present = func(index int64) bool {
			_, ok := d.spec.Point(index)
			return ok
		}
	}
	return e
}

// planCuts are the cuts of a plan for the board.
type planCuts struct{ plan *sweep.Plan }

var _ board.Cuts = planCuts{}

func (c planCuts) Shards() int            { return int(c.plan.Shards()) }
func (c planCuts) Parts() int             { return int(c.plan.Parts()) }
func (c planCuts) PartOf(shard int) int   { return int(c.plan.PartOf(int64(shard))) }
func (c planCuts) Cost(shard int) float64 { return float64(max(1, c.plan.Cost(int64(shard)))) }
func (c planCuts) Memory(shard int) int64 { return c.plan.Bytes(int64(shard)) }
func (c planCuts) Part(i int) (first, end int) {
	a, b := c.plan.Part(int64(i))
	return int(a), int(b)
}
