package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// windowPoints is how many points are resolved, solved and written at once: enough to fill batches,
// few enough that a shard's points never stand in memory together.
const windowPoints = 1024

// Memo knows results of points from earlier sweeps. It is asked by every slot at once.
type Memo interface {
	// Result finds a point by its id; false where it is not known. Its samples may have more
	// coefficients than there are groups: SignalGroup, SpikeGroup and BulkGroup may point at those.
	Result(id [16]byte) (solver.Result, bool, error)
}

// Solver solves batches of problems of one shape, as solver.Solver does. One slot uses it.
type Solver interface {
	Solve(ctx context.Context, problems []solver.Problem, results []solver.Result) error
}

var _ Solver = (*solver.Solver)(nil)

// shardSolver solves one shard after the other; its memory is reused.
type shardSolver struct {
	memory *memoryBudget
	memo   Memo
	fresh  func() Solver
	solver Solver

	points   []sweep.Point
	outcomes []outcome // of points
	pending  []pending
	problems []solver.Problem
	results  []solver.Result
	shapes   map[solver.Shape]int
	records  map[int64][]int
	row      results.PointRow
}

// outcome is where a point's result is found.
type outcome struct {
	invalid string        // why the point cannot be solved, or empty
	known   solver.Result // from the memo, where place is negative
	place   int           // in results
}

// pending is a point to be solved.
type pending struct {
	point   int // in the window
	shape   int // number of its shape, by first appearance
	problem solver.Problem
}

func newShardSolver(memory *memoryBudget, memo Memo, fresh func() Solver) *shardSolver {
	return &shardSolver{memory: memory, memo: memo, fresh: fresh, solver: fresh()}
}

// solve computes the rows of the points with indices first..end-1. Its only errors are ctx's, the
// memo's and the writer's: a point that cannot be solved is a row.
func (s *shardSolver) solve(ctx context.Context, prepared *preparedSweep, first, end int64) (results.Delivery, error) {
	b := prepared.schema.NewBuilder()
	defer b.Release()
	for p := range prepared.spec.Points(first, end) {
		if s.points = append(s.points, p); len(s.points) == windowPoints {
			if err := s.window(ctx, prepared, b); err != nil {
				return results.Delivery{}, err
			}
		}
	}
	if err := s.window(ctx, prepared, b); err != nil {
		return results.Delivery{}, err
	}
	return b.Encode()
}

// window solves the points collected so far and appends their rows in the order of the points.
func (s *shardSolver) window(ctx context.Context, prepared *preparedSweep, b *results.Builder) error {
	defer func() { s.points = s.points[:0] }()
	if err := s.prepare(prepared); err != nil {
		return err
	}
	if err := s.solveAll(ctx, prepared.record); err != nil {
		return err
	}
	for i := range s.points {
		if err := s.write(prepared, b, i); err != nil {
			return fmt.Errorf("point %d: %w", s.points[i].Index, err)
		}
	}
	return nil
}

// prepare sorts the window's points into invalid ones, known ones and problems.
func (s *shardSolver) prepare(prepared *preparedSweep) error {
	s.outcomes, s.pending = s.outcomes[:0], s.pending[:0]
	s.shapes, s.records = map[solver.Shape]int{}, map[int64][]int{}
	for i := range s.points {
		p := &s.points[i]
		o := outcome{invalid: p.Invalid, place: -1}
		if o.invalid == "" && s.memo != nil {
			known, ok, err := s.memo.Result(sweep.PointID(&p.Params, solver.Version))
			if err != nil {
				return fmt.Errorf("reuse of earlier results: %w", err)
			}
			if ok {
				o.known = known
				s.outcomes = append(s.outcomes, o)
				continue
			}
		}
		if o.invalid == "" {
			steps := p.Params[sweep.Steps].Int()
			solvable, err := problem(&p.Params, s.record(prepared, steps), prepared.record.Coefficients)
			if err != nil {
				o.invalid = err.Error()
			} else {
				o.place = 0 // set when the order is known
				shape := solvable.Shape()
				number, ok := s.shapes[shape]
				if !ok {
					number = len(s.shapes)
					s.shapes[shape] = number
				}
				s.pending = append(s.pending, pending{i, number, solvable})
			}
		}
		s.outcomes = append(s.outcomes, o)
	}
	return nil
}

// record lists the recorded steps of a run; runs of one length share the list.
func (s *shardSolver) record(prepared *preparedSweep, steps int64) []int {
	list, ok := s.records[steps]
	if !ok {
		for _, step := range prepared.record.At(steps) {
			list = append(list, int(step))
		}
		s.records[steps] = list
	}
	return list
}

// solveAll solves the problems in batches of one shape, runs of similar length side by side.
func (s *shardSolver) solveAll(ctx context.Context, record sweep.Record) error {
	slices.SortStableFunc(s.pending, func(a, b pending) int {
		return cmp.Or(cmp.Compare(a.shape, b.shape), cmp.Compare(a.problem.Steps, b.problem.Steps))
	})
	s.problems = s.problems[:0]
	for place, p := range s.pending {
		s.problems = append(s.problems, p.problem)
		s.outcomes[p.point].place = place
	}
	s.results = slices.Grow(s.results[:0], len(s.problems))[:len(s.problems)]
	for first := 0; first < len(s.pending); {
		end := first + 1
		for end < len(s.pending) && s.pending[end].shape == s.pending[first].shape {
			end++
		}
		most := int64(0)
		for _, p := range s.pending[first:end] {
			most = max(most, sweep.PointBytes(&s.points[p.point].Params, record))
		}
		err := s.within(ctx, most, func() error { return s.batch(ctx, s.problems[first:end], s.results[first:end]) })
		if err != nil {
			return err
		}
		first = end
	}
	return nil
}

// within solves when there is memory for a point of so many bytes. A solver keeps its memory for
// the next point: one that took more than its slot's share gives it up.
func (s *shardSolver) within(ctx context.Context, bytes int64, solve func() error) error {
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

// batch solves problems of one shape. Where the solver panics they are solved one by one, and those
// that panic alone are failed rows.
func (s *shardSolver) batch(ctx context.Context, problems []solver.Problem, out []solver.Result) error {
	err := s.try(ctx, problems, out)
	var panicked panicError
	switch {
	case !errors.As(err, &panicked):
		return err
	case len(problems) == 1:
		out[0] = unsolved(panicked.Error())
		return nil
	}
	for i := range problems {
		if err := s.batch(ctx, problems[i:i+1], out[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// panicError is a panic of the solver, in one line.
type panicError struct{ text string }

func (e panicError) Error() string { return "the solver panicked: " + e.text }

// maxPanicText bounds what a panic may write into a row.
const maxPanicText = 200

func (s *shardSolver) try(ctx context.Context, problems []solver.Problem, out []solver.Result) (err error) {
	defer func() {
		if r := recover(); r != nil {
			text := strings.Join(strings.Fields(fmt.Sprint(r)), " ")
			err = panicError{strings.ToValidUTF8(text[:min(len(text), maxPanicText)], "")}
			s.solver = s.fresh() // the old one's memory may be half written
		}
	}()
	return s.solver.Solve(ctx, problems, out)
}

// write appends the rows of one point.
func (s *shardSolver) write(prepared *preparedSweep, b *results.Builder, i int) error {
	p, o := &s.points[i], &s.outcomes[i]
	identify(&s.row, p, prepared.parameters)
	r := &o.known
	switch {
	case o.invalid != "":
		invalid := unsolved(o.invalid)
		conclude(&s.row, &invalid)
		s.row.Status = results.StatusInvalid
		return b.AddPoint(s.row)
	case o.place >= 0:
		r = &s.results[o.place]
	}
	conclude(&s.row, r)
	if err := b.AddPoint(s.row); err != nil {
		return err
	}
	for k := range r.Trajectory {
		sample := &r.Trajectory[k]
		if err := b.AddTrajectory(trajectoryRow(p.Index, r, sample)); err != nil {
			return err
		}
		if !prepared.record.Coefficients {
			continue
		}
		for group := range min(len(r.Groups), len(sample.Coefficients)) {
			if err := b.AddCoefficient(coefficientRow(p.Index, r, sample, group)); err != nil {
				return err
			}
		}
	}
	return nil
}
