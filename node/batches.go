package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// Solver solves batches of problems of one shape, as solver.Solver does. One slot uses it.
type Solver interface {
	Solve(ctx context.Context, problems []solver.Problem, results []solver.Result) error
}

var _ Solver = (*solver.Solver)(nil)

// batchSolver collects the problems of a window and solves them in batches of one shape. Its memory
// is reused.
type batchSolver struct {
	memory *memoryBudget
	fresh  func() Solver
	solver Solver

	record   sweep.Record
	recorded map[int64][]int      // recorded steps by number of steps
	shapes   map[solver.Shape]int // by order of first appearance
	pending  []pending
	position []int // in problems, of each problem added

	// In the order in which they are solved:
	problems []solver.Problem
	results  []solver.Result
	panics   []error // nil for problems that did not panic
}

// pending is a problem to be solved.
type pending struct {
	number  int // as returned by add
	shape   int
	bytes   int64 // memory that solving it takes
	problem solver.Problem
}

func newBatchSolver(memory *memoryBudget, fresh func() Solver) *batchSolver {
	return &batchSolver{memory: memory, fresh: fresh, solver: fresh()}
}

// reset removes all problems and sets what is recorded of those to come.
func (s *batchSolver) reset(record sweep.Record) {
	s.record = record
	s.recorded, s.shapes = map[int64][]int{}, map[solver.Shape]int{}
	s.pending, s.position = s.pending[:0], s.position[:0]
}

// add adds the problem of a point and returns its number.
func (s *batchSolver) add(p *sweep.Point) (number int, err error) {
	q, err := NewProblem(p.Params, s.recordedSteps(p.Params[sweep.Steps].Int()), s.record.Coefficients)
	if err != nil {
		return 0, err
	}
	shape, ok := s.shapes[q.Shape()]
	if !ok {
		shape = len(s.shapes)
		s.shapes[q.Shape()] = shape
	}
	number = len(s.pending)
	s.pending = append(s.pending, pending{number, shape, sweep.PointBytes(p.Params, s.record), q})
	s.position = append(s.position, 0)
	return number, nil
}

// recordedSteps lists the recorded steps of a run; runs of one length share the list.
func (s *batchSolver) recordedSteps(steps int64) []int {
	list, ok := s.recorded[steps]
	if !ok {
		for _, step := range s.record.At(steps) {
			list = append(list, int(step))
		}
		s.recorded[steps] = list
	}
	return list
}

// solve solves all problems: those of one shape in one batch, runs of similar length next to each
// other.
func (s *batchSolver) solve(ctx context.Context) error {
	slices.SortStableFunc(s.pending, func(a, b pending) int {
		return cmp.Or(cmp.Compare(a.shape, b.shape), cmp.Compare(a.problem.Steps, b.problem.Steps))
	})
	s.problems = s.problems[:0]
	for i, p := range s.pending {
		s.problems = append(s.problems, p.problem)
		s.position[p.number] = i
	}
	s.results = slices.Grow(s.results[:0], len(s.problems))[:len(s.problems)]
	s.panics = slices.Grow(s.panics[:0], len(s.problems))[:len(s.problems)]
	clear(s.panics)
	for first := 0; first < len(s.pending); {
		end, bytes := first, int64(0)
		for ; end < len(s.pending) && s.pending[end].shape == s.pending[first].shape; end++ {
			bytes = max(bytes, s.pending[end].bytes)
		}
		if err := s.within(ctx, bytes, func() error { return s.batch(ctx, first, end) }); err != nil {
			return err
		}
		first = end
	}
	return nil
}

// result is what a problem came to, or the panic of the solver on it.
func (s *batchSolver) result(number int) (r *solver.Result, panicked error) {
	i := s.position[number]
	return &s.results[i], s.panics[i]
}

// within calls solve when there is memory for a point of so many bytes. A solver keeps its memory
// for the next batch; one that took more than its slot's share is replaced.
func (s *batchSolver) within(ctx context.Context, bytes int64, solve func() error) error {
	taken, err := s.memory.take(ctx, bytes)
	if err != nil {
		return err
	}
	defer s.memory.release(taken)
	err = solve()
	if taken > s.memory.share {
		s.solver = s.fresh()
	}
	return err
}

// batch solves the problems [first, end) of one shape. If the solver panics they are solved one by
// one, so that only those that panic alone have no result.
func (s *batchSolver) batch(ctx context.Context, first, end int) error {
	err := s.try(ctx, s.problems[first:end], s.results[first:end])
	var panicked panicError
	switch {
	case !errors.As(err, &panicked):
		return err
	case end-first == 1:
		s.panics[first] = panicked
		return nil
	}
	for i := first; i < end; i++ {
		if err := s.batch(ctx, i, i+1); err != nil {
			return err
		}
	}
	return nil
}

// panicError is a panic of the solver, in one line.
type panicError struct{ text string }

func (e panicError) Error() string { return "the solver panicked: " + e.text }

// maxPanicBytes bounds the text of a panic in a row's detail.
const maxPanicBytes = 200

// try calls the solver and turns a panic into a panicError.
func (s *batchSolver) try(ctx context.Context, problems []solver.Problem, out []solver.Result) (err error) {
	defer func() {
		if r := recover(); r != nil {
			text := strings.Join(strings.Fields(fmt.Sprint(r)), " ")
			err = panicError{strings.ToValidUTF8(text[:min(len(text), maxPanicBytes)], "")}
			s.solver = s.fresh() // the memory of the old one may be inconsistent
		}
	}()
	return s.solver.Solve(ctx, problems, out)
}
