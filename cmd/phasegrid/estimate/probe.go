package estimate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
	"golang.org/x/sys/unix"
)

const (
	// probedShapes bounds the shapes that are timed: the costly ones. Others are as fast as the
	// costliest of their kind.
	probedShapes = 12
	// probeFlops and probeBytes bound what a probe's point may take for its setup and one step or
	// one iterate's metrics. Of a larger point, a smaller one of its kind is timed.
	probeFlops = 1e8
	probeBytes = 1 << 30
	// probeTime is how long steps are timed at least, unless the run ends.
	probeTime = time.Millisecond
	// Metrics are timed for so many iterates at most, and fewer where they take longer.
	mostRecorded = 16
	recordTime   = 10 * time.Millisecond
	// probeRounds is how often a time is taken; the least one counts, since others use the machine.
	probeRounds = 3
	// sideBySide is the number of points of a batch beyond which one does not get faster.
	sideBySide = 32
)

// prober times steps of a sweep's points.
type prober struct {
	spec    *sweep.Spec
	summary sweep.Summary
	solver  *solver.Solver
}

func newProber(spec *sweep.Spec, summary sweep.Summary) *prober {
	return &prober{spec, summary, solver.New()}
}

// enumerated is how many points are resolved to learn how long one takes, unless they take longer
// than enumeration.
const (
	enumerated  = 2000
	enumeration = 5 * time.Millisecond
)

// resolution is the time that a point's parameters take, which may be expressions, in seconds.
func (p *prober) resolution() (float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, err := threadTime()
	if err != nil {
		return 0, err
	}
	n, begin := 0, time.Now()
	for range p.spec.Points(0, min(p.spec.Size(), enumerated)) {
		if n++; time.Since(begin) > enumeration {
			break
		}
	}
	end, err := threadTime()
	return (end - start).Seconds() / float64(max(1, n)), err
}

// kind is what shapes have in common that are about as fast, operation by operation.
type kind struct{ model, representation, optimizer string }

func kindOf(s sweep.Shape) kind { return kind{s.Model, s.Representation, s.Optimizer} }

// speeds returns the speed of each shape. One without a probe is as fast as the costliest of its
// kind, or of all.
func (p *prober) speeds(ctx context.Context) ([]speed, error) {
	shapes := p.summary.Shapes
	order := make([]int, len(shapes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(shapes[j].Flops, shapes[i].Flops) })
	speeds, probed := make([]speed, len(shapes)), make([]bool, len(shapes))
	ofKind, ofAny := map[kind]speed{}, usualSpeed
	for _, i := range order[:min(len(order), probedShapes)] {
		var err error
		if speeds[i], probed[i], err = p.speed(ctx, shapes[i]); err != nil {
			return nil, err
		}
		if _, known := ofKind[kindOf(shapes[i])]; known || !probed[i] {
			continue
		}
		if len(ofKind) == 0 {
			ofAny = speeds[i]
		}
		ofKind[kindOf(shapes[i])] = speeds[i]
	}
	for i, shape := range shapes {
		if probed[i] {
			continue
		}
		speeds[i] = ofAny
		if v, known := ofKind[kindOf(shape)]; known {
			speeds[i] = v
		}
	}
	return speeds, nil
}

// usualSpeed is that of shapes of which no valid point was found: 10 GFLOP/s.
var usualSpeed = speed{1e-10, 1e-10, 1e-10}

// speed times the first point of a shape, or a smaller one of its kind. It returns false if no
// valid point is found.
func (p *prober) speed(ctx context.Context, shape sweep.Shape) (v speed, ok bool, err error) {
	point, ok := firstPoint(p.spec, shape)
	if !ok {
		return speed{}, false, nil
	}
	perShard := shape.Points / max(1, p.summary.Shards)
	if small(shape, point) {
		v, err = p.timed(ctx, shape, point, perShard)
		return v, true, err
	}
	like, less, ok, err := p.smallerPoint(ctx, shape, point)
	if err != nil || !ok {
		return speed{}, false, ctx.Err() // a guess will do
	}
	v, err = p.timed(ctx, less, like, perShard)
	return v, true, err
}

// smallerPoint returns a point that computes as the given one does and can be probed, and its
// shape, or false if there is none.
func (p *prober) smallerPoint(
	ctx context.Context, shape sweep.Shape, point sweep.Point,
) (like sweep.Point, less sweep.Shape, ok bool, err error) {
	for scale := math.Cbrt(probeFlops / once(shape)); scale > leastScale; scale /= 2 {
		spec, err := smaller(shape, point, min(scale, 0.5))
		if err != nil {
			return like, less, false, err
		}
		plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
		if err != nil {
			return like, less, false, fmt.Errorf("plan a smaller point of %s: %w", shape.Optimizer, err)
		}
		less = plan.Summary().Shapes[0]
		if like, ok = firstPoint(spec, less); ok && small(less, like) {
			return like, less, true, nil
		}
	}
	return like, less, false, nil
}

// leastScale is how much smaller a smaller point can be.
const leastScale = 1e-5

// searched bounds the indices that are looked through for a point that `where` keeps.
const searched = 10_000

// firstPoint is the first valid point of a shape.
func firstPoint(spec *sweep.Spec, shape sweep.Shape) (sweep.Point, bool) {
	for point := range spec.Points(shape.First, min(spec.Size(), shape.First+searched)) {
		if a := point.Params; point.Invalid == "" && a[sweep.Optimizer].Text() == shape.Optimizer &&
			a[sweep.Representation].Text() == shape.Representation &&
			a[sweep.Dimension].Int() == shape.Dimension && a[sweep.Width].Int() == shape.Width {
			return point, true
		}
	}
	return sweep.Point{}, false
}

// small reports whether a point can be probed as it is.
func small(shape sweep.Shape, point sweep.Point) bool {
	return once(shape) <= probeFlops && sweep.PointBytes(point.Params, sweep.Record{}) <= probeBytes
}

// once is what the least probe takes: the setup, one step or one iterate's metrics.
func once(shape sweep.Shape) float64 {
	c := shape.Costs
	return max(1, c.Setup/float64(shape.Points), c.Steps/max(1, shape.Steps), c.Metrics/shape.Recorded)
}

// timed returns the speed of a batch of equal points, each of which begins as the given one does.
func (p *prober) timed(ctx context.Context, shape sweep.Shape, point sweep.Point, perShard int64) (speed, error) {
	steps := int(point.Params[sweep.Steps].Int())
	problem, err := node.NewProblem(point.Params, nil, false)
	if err != nil {
		return speed{}, nil // it will be a row without a run
	}
	batch := 1
	if problem.Representation == solver.Reduced {
		batch = int(min(max(1, perShard), sideBySide))
	}
	problems := make([]solver.Problem, batch)
	start, _, err := p.time(ctx, problems, problem, 0, false)
	if err != nil {
		return speed{}, err
	}
	taken, took := 0.0, time.Duration(0)
	for n := 1; ; n *= 4 {
		n = min(n, steps)
		if took, taken, err = p.time(ctx, problems, problem, n, false); err != nil {
			return speed{}, err
		}
		if took-start >= max(probeTime, start/4) || n == steps {
			break
		}
	}
	step := max(0, (took-start).Seconds()) / max(1, taken)
	recorded := min(steps, mostRecorded, 1+int(recordTime.Seconds()/max(1e-9, start.Seconds()+float64(batch)*step)))
	with, _, err := p.time(ctx, problems, problem, recorded, true)
	if err != nil {
		return speed{}, err
	}
	points, c := float64(batch), shape.Costs
	metrics := max(
		0,
		with.Seconds()-start.Seconds()-points*float64(recorded)*step,
	) / points / math.Max(
		1,
		float64(recorded),
	)
	setup := max(0, start.Seconds()/points-metrics)
	return speed{
		setup:   setup * float64(shape.Points) / math.Max(1, c.Setup),
		step:    step * shape.Steps / math.Max(1, c.Steps),
		metrics: metrics * shape.Recorded / math.Max(1, c.Metrics),
	}, nil
}

// time solves a batch of so many steps and returns the least time, and the steps that all points
// took. With metrics, every iterate is recorded.
func (p *prober) time(
	ctx context.Context, problems []solver.Problem, problem solver.Problem, steps int, metrics bool,
) (least time.Duration, taken float64, err error) {
	problem.Steps = steps
	if metrics {
		for k := range steps {
			problem.Record = append(problem.Record, k)
		}
	}
	for i := range problems {
		problems[i] = problem
	}
	results := make([]solver.Result, len(problems))
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	for round := range probeRounds {
		start, err := threadTime()
		if err != nil {
			return 0, 0, err
		}
		if err := p.solver.Solve(ctx, problems, results); err != nil {
			return 0, 0, err
		}
		end, err := threadTime()
		if err != nil {
			return 0, 0, err
		}
		if took := end - start; round == 0 || took < least {
			least = took
		}
		if least > 8*probeTime {
			break
		}
	}
	for i := range results {
		taken += float64(results[i].StepsRun)
	}
	return least, taken, nil
}

// threadTime is the processor time of this thread, in which neither other programs nor the
// collection of garbage count.
func threadTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("read the processor clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// likeness are the parameters that a smaller point takes over: they choose the arithmetic.
var likeness = []sweep.ParameterID{
	sweep.Model, sweep.Inputs, sweep.Optimizer, sweep.Orthogonalizer, sweep.NSSteps, sweep.Nesterov, sweep.Power,
	sweep.NormalizePower, sweep.Rotate,
}

// A smaller point takes at least leastSteps, so that they can be timed beside its setup, goes as
// far, and has a learning rate up to leastRate, with which none diverges.
const (
	leastSteps = 100_000
	leastRate  = 1e-3
)

// smaller is a sweep of one point that computes as the given one does, each of whose sides is
// scaled.
func smaller(shape sweep.Shape, point sweep.Point, scale float64) (*sweep.Spec, error) {
	a := point.Params
	size := func(x int64, least float64) int64 { return int64(max(least, math.Floor(float64(x)*scale))) }
	var text strings.Builder
	text.WriteString("name: probe\nrecord: none\nfixed:\n  init_scale: 0.001\n")
	set := func(id sweep.ParameterID, x any) { fmt.Fprintf(&text, "  %s: %v\n", id, x) }
	for _, id := range likeness {
		if !a[id].IsNull() {
			set(id, a[id])
		}
	}
	set(sweep.Representation, shape.Representation)
	steps := max(a[sweep.Steps].Int(), leastSteps)
	set(sweep.Steps, steps)
	set(sweep.LearningRate, min(a[sweep.LearningRate].Float()*a[sweep.Steps].Float()/float64(steps), leastRate))
	d := size(shape.Dimension, 8)
	switch {
	case shape.Representation == "reduced":
		d = size(shape.Groups, 8)
		text.WriteString("  covariance: power_law\n  exponent: 1\n")
	case a[sweep.Covariance].Text() == "ar1":
		text.WriteString("  covariance: ar1\n  rho: 0.5\n")
	default:
		text.WriteString("  covariance: spiked\n  anisotropy: 3\n")
	}
	set(sweep.Dimension, d)
	if shape.Representation != "reduced" {
		set(sweep.Init, "gaussian")
		set(sweep.Width, size(shape.Width, 1))
	}
	for _, id := range []sweep.ParameterID{sweep.Samples, sweep.BatchSize} {
		if !a[id].IsNull() {
			set(id, size(a[id].Int(), 1))
		}
	}
	spec, err := sweep.Parse("probe", []byte(text.String()), sweep.Limits{PointBytes: math.MaxInt64})
	if err != nil {
		return nil, fmt.Errorf("make a smaller point of %s: %w", shape.Optimizer, err)
	}
	return spec, nil
}
