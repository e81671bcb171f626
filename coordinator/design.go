package coordinator

import (
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// design is everything that follows from a sweep's spec. It never changes; any number of goroutines
// may use it.
type design struct {
	id        string
	name      string
	set       string // folder of the result set
	canonical []byte
	solver    int
	version   int // of the plan
	spec      *sweep.Spec
	plan      *sweep.Plan
	schema    *results.Schema
	filtered  bool // some indices are no points

	created          time.Time
	priority, weight int
}

// newDesign derives a design from a parsed spec and how it was cut. The name is not part of a
// canonical spec, so it comes beside it.
func newDesign(spec *sweep.Spec, plan *sweep.Plan, name string, solver, version int) (d *design, err error) {
	d = &design{
		id: spec.ID(
			solver,
		), name: name, canonical: spec.Canonical(), solver: solver, version: version, spec: spec, plan: plan,
	}
	d.set = name + "-" + d.id[:8]
	points, exact := spec.Count()
	d.filtered = !exact || points != spec.Size()
	d.schema, err = results.SweepSchema(spec, solver)
	return d, err
}

// record is what the ledger keeps of the sweep.
func (d *design) record() ledger.SweepState {
	runs, parts := d.plan.CutRuns()
	return ledger.SweepState{
		Canonical: d.canonical, Name: d.name, Solver: d.solver, PlanVersion: d.version,
		Created: d.created, Priority: d.priority, Weight: d.weight, Cuts: runs, Parts: parts,
	}
}

// bounds are the first index of each shard of a run, and the end of the last.
func (d *design) bounds(run board.Run) []int64 {
	bounds := make([]int64, 0, run.Count+1)
	for s := run.First; s < run.First+run.Count; s++ {
		first, end := d.plan.Shard(int64(s))
		if s == run.First {
			bounds = append(bounds, first)
		}
		bounds = append(bounds, end)
	}
	return bounds
}

// expectation is what a delivery of a shard must be.
func (d *design) expectation(shard int) results.Expectation {
	first, end := d.plan.Shard(int64(shard))
	e := results.Expectation{First: first, End: end, Points: -1}
	if d.filtered {
		e.Present = func(index int64) bool {
			_, ok := d.spec.Point(index)
			return ok
		}
	}
	return e
}

// planCuts are a plan's cuts as the board sees them.
type planCuts struct{ *sweep.Plan }

var _ board.Cuts = planCuts{}

func (c planCuts) Shards() int            { return int(c.Plan.Shards()) }
func (c planCuts) Parts() int             { return int(c.Plan.Parts()) }
func (c planCuts) PartOf(shard int) int   { return int(c.Plan.PartOf(int64(shard))) }
func (c planCuts) Cost(shard int) float64 { return float64(max(1, c.Plan.Cost(int64(shard)))) }
func (c planCuts) Memory(shard int) int64 { return c.Bytes(int64(shard)) }
func (c planCuts) Part(i int) (first, end int) {
	a, b := c.Plan.Part(int64(i))
	return int(a), int(b)
}
