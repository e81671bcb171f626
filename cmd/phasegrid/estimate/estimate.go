// Package estimate predicts how long a sweep takes on this machine. A few steps of its points are
// timed with the solver itself, so that kernels, batches, many eigenvalues and metrics count as
// they are; the static costs of the plan extrapolate from there. Nothing here cuts shards.
package estimate

import (
	"context"
	"time"

	"github.com/phasegrid/phasegrid/sweep"
)

// Estimate is what a sweep takes in seconds.
type Estimate struct {
	// Wall is from the start of phasegrid run to its end.
	Wall float64
	// Processor times of all points, of one core.
	Setup, Steps, Metrics float64
	// Rows is the processor time to resolve points and to make rows of them, up to Parquet.
	Rows float64
}

// Solving is the processor time of all points but for their rows.
func (e Estimate) Solving() float64 { return e.Setup + e.Steps + e.Metrics }

// speed is how long points take for each operation that sweep.Costs counts, in seconds.
type speed struct{ setup, step, metrics float64 }

const (
	// startSeconds is how long run takes for a sweep of nothing: most of it is waiting, for the
	// leader's election and the first lease.
	startSeconds = 0.35
	// How much Arrow one core makes, delivers and merges, in bytes a second. A row of points has
	// words and ids, the other tables are numbers.
	pointBytes      = 55e6
	trajectoryBytes = 90e6
)

// Of predicts the sweep of a plan with so many slots.
func Of(ctx context.Context, spec *sweep.Spec, summary sweep.Summary, slots int) (Estimate, error) {
	p := newProber(spec, summary)
	speeds, err := p.speeds(ctx)
	if err != nil {
		return Estimate{}, err
	}
	resolution, err := p.resolution()
	if err != nil {
		return Estimate{}, err
	}
	return combine(summary, speeds, resolution, slots), nil
}

// combine adds up the shapes, each at its speed, and divides by the slots. A shard has one slot.
// Points are resolved where the sweep is cut and where it is solved.
func combine(s sweep.Summary, speeds []speed, resolution float64, slots int) Estimate {
	var e Estimate
	named := 0.0
	for i, shape := range s.Shapes {
		e.Setup += shape.Costs.Setup * speeds[i].setup
		e.Steps += shape.Costs.Steps * speeds[i].step
		e.Metrics += shape.Costs.Metrics * speeds[i].metrics
		named += shape.Flops
	}
	if named > 0 {
		kept := s.Flops / named // by where, and by the list of shapes
		e.Setup, e.Steps, e.Metrics = e.Setup*kept, e.Steps*kept, e.Metrics*kept
	}
	e.Rows = 2*resolution*float64(
		s.Points,
	) + float64(
		s.Arrow.Points,
	)/pointBytes + float64(
		s.Arrow.Trajectories+s.Arrow.Coefficients,
	)/trajectoryBytes
	parallel := float64(max(1, min(int64(slots), s.Shards)))
	e.Wall = startSeconds + (e.Solving()+e.Rows)/parallel
	return e
}

// MetricsDominate reports whether a sweep takes longer for the metrics that it records than for its
// steps, and long enough for it to matter.
func (e Estimate) MetricsDominate() bool {
	return e.Metrics > e.Steps && e.Metrics > worthSaying.Seconds()
}

// worthSaying is the time that a warning should be able to save.
const worthSaying = 2 * time.Second
