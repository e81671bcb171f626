package solver

import (
	"context"
	"fmt"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// Shape is what the problems of one batch share.
type Shape struct {
	Model          Model
	Representation Representation
	Optimizer      Optimizer
	Dimension      int
	Width          int
	Samples        int
	Batch          int
	Groups         int // of Reduced and Subspace: number of distinct eigenspaces
}

// Solver solves batches. It is not safe for concurrent use: each worker has its own, and its memory
// is reused.
type Solver struct {
	ws    *workspace
	lanes *simd.Lanes
}

// New returns a solver that computes with the fastest vector kernel of this CPU.
func New() *Solver { return newKernel(simd.Best()) }

// newKernel returns a solver that computes with the given vector kernel. The results are the same.
func newKernel(k simd.Kernel) *Solver { return &Solver{newWorkspace(k), simd.NewLanes(k)} }

// Solve integrates the problems of one batch, all of one Shape, and stores problem i's result in
// results[i], whose trajectory's memory is used again. It returns only ctx's error, within one step
// of a point after the cancellation; results are then undefined.
func (s *Solver) Solve(ctx context.Context, problems []Problem, results []Result) error {
	for i := range problems {
		if problems[i].Representation == Reduced {
			continue
		}
		if err := s.solve(ctx, &problems[i], &results[i]); err != nil {
			return err
		}
	}
	return s.solveReduced(ctx, problems, results)
}

// dynamics is the state of one problem in one representation.
type dynamics interface {
	// observe evaluates the iterate. It returns false if an entry is not finite or exceeds the
	// bound.
	observe() (observation, bool)
	// step moves the iterate that was last observed: W <- W(1 - rate·wd) - rate·U. The old one is
	// kept for back.
	step(k int, rate float64) error
	// back returns to the iterate before the last step.
	back()
	// metrics evaluates the rest at the iterate that was last observed.
	metrics() Metrics
	// teacherEnergy is θᵀQθ.
	teacherEnergy() float64
	// flops is the approximate cost of one step.
	flops() float64
}

// flopsBetweenChecks is the work between two checks of the context, about a millisecond.
const flopsBetweenChecks = 1e6

func (r *Result) reset() {
	*r = Result{
		Trajectory:    r.Trajectory[:0],
		EscapeStep:    -1,
		StepsTo90:     -1,
		StepsTo99:     -1,
		Held90Step:    -1,
		Held99Step:    -1,
		PeakSpikeStep: -1,
		DivergedStep:  -1,
		SignalGroup:   -1,
		SpikeGroup:    -1,
		BulkGroup:     -1,
		Final:         undefinedMetrics,
	}
}

func (s *Solver) solve(ctx context.Context, p *Problem, r *Result) error {
	r.reset()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.ws.reset()
	system, err := newDynamics(p, s.ws)
	if err != nil {
		r.Status, r.Detail = Failed, err.Error()
		return nil
	}
	return integrate(ctx, system, p, r)
}

// newDynamics dispatches on the representation. An error says why the problem cannot have it, or
// what failed in the set-up.
func newDynamics(p *Problem, ws *workspace) (dynamics, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	switch p.Representation {
	case Subspace:
		return newSubspace(p, ws)
	case Dense:
		return newDense(p, ws)
	}
	return nil, fmt.Errorf("representation: got %d, want reduced, subspace or dense", p.Representation)
}

// integrate runs the steps of one problem and records its progress.
func integrate(ctx context.Context, system dynamics, p *Problem, r *Result) error {
	interval := max(1, int(flopsBetweenChecks/(system.flops()+1)))
	watch := newProgress(p, system.teacherEnergy())
	untilCheck, record := interval, p.Record
	for k := 0; ; k++ {
		if untilCheck--; untilCheck < 0 {
			untilCheck = interval
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		seen, bounded := system.observe()
		if !bounded {
			r.Status, r.DivergedStep, r.StepsRun = Diverged, k, k
			if k > 0 {
				system.back()
				system.observe()
				r.Final = system.metrics()
			}
			break
		}
		watch.observe(k, seen)
		if len(record) > 0 && record[0] == k {
			record = record[1:]
			r.Trajectory = append(r.Trajectory, Sample{Step: k, Metrics: system.metrics()})
		}
		if r.StepsRun = k; k == p.Steps {
			r.Final = system.metrics()
			break
		}
		if err := system.step(k, p.LearningRate*p.schedule(k)); err != nil {
			r.Status, r.Detail = Failed, fmt.Sprintf("step %d: %v", k, err)
			system.observe() // again: the step has used up what metrics needs
			r.Final = system.metrics()
			break
		}
	}
	watch.store(r)
	return nil
}
