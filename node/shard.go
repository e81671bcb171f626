package node

import (
	"context"
	"fmt"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// windowPoints is the number of points resolved, solved and written at once: enough to fill
// batches, few enough to bound the memory of a large shard.
const windowPoints = 1024

// Memo has the rows of points that were solved before. All slots use it at once.
type Memo interface {
	// Rows returns the rows of a point by its id, and whether the memo has them.
	Rows(id [16]byte) (results.PointRows, bool, error)
}

// shardSolver solves one shard after the other and reuses its memory. One goroutine uses it.
type shardSolver struct {
	memo    Memo
	batches *batchSolver

	points   []sweep.Point // of the window
	outcomes []outcome     // of points
	row      results.PointRow
	counts   pointCounts // of the shard
}

// pointCounts counts the points of a shard.
type pointCounts struct {
	solved map[string]int // by status; invalid ones included
	reused int
}

// outcome says where a point's rows come from: one of its fields is set.
type outcome struct {
	invalid string             // why the point cannot be solved
	known   *results.PointRows // from the memo
	problem int                // number of its problem in the batch solver; otherwise -1
}

func newShardSolver(memory *memoryBudget, memo Memo, fresh func() Solver) *shardSolver {
	return &shardSolver{memo: memo, batches: newBatchSolver(memory, fresh)}
}

// solve computes the rows of the points with indices [first, end). It returns errors of ctx, the
// memo and the builder only: a point that cannot be solved is a row.
func (s *shardSolver) solve(ctx context.Context, prepared *preparedSweep, first, end int64) (results.Delivery, error) {
	s.counts = pointCounts{solved: map[string]int{}}
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
	s.outcomes = s.outcomes[:0]
	s.batches.reset(prepared.record)
	for i := range s.points {
		o, err := s.outcome(&s.points[i])
		if err != nil {
			return err
		}
		s.outcomes = append(s.outcomes, o)
	}
	if err := s.batches.solve(ctx); err != nil {
		return err
	}
	for i := range s.points {
		if err := s.write(prepared, b, &s.points[i], s.outcomes[i]); err != nil {
			return fmt.Errorf("point %d: %w", s.points[i].Index, err)
		}
	}
	return nil
}

// outcome looks a point up in the memo, or adds it to the problems to be solved.
func (s *shardSolver) outcome(p *sweep.Point) (outcome, error) {
	if p.Invalid != "" {
		return outcome{invalid: p.Invalid, problem: -1}, nil
	}
	if s.memo != nil {
		known, ok, err := s.memo.Rows(sweep.PointID(p.Params, ownSolver()))
		if err != nil {
			return outcome{}, fmt.Errorf("look up earlier results: %w", err)
		}
		if ok {
			return outcome{known: &known, problem: -1}, nil
		}
	}
	number, err := s.batches.add(p)
	if err != nil {
		return outcome{invalid: err.Error(), problem: -1}, nil
	}
	return outcome{problem: number}, nil
}

// write appends the rows of one point.
func (s *shardSolver) write(prepared *preparedSweep, b *results.Builder, p *sweep.Point, o outcome) error {
	identify(&s.row, p, prepared.parameters)
	if o.known != nil {
		s.counts.reused++
		return s.writeKnown(b, o.known)
	}
	defer func() { s.counts.solved[s.row.Status]++ }()
	if o.problem < 0 {
		return s.writeUnsolved(b, results.StatusInvalid, o.invalid)
	}
	r, panicked := s.batches.result(o.problem)
	if panicked != nil {
		return s.writeUnsolved(b, results.StatusFailed, panicked.Error())
	}
	return s.writeSolved(b, r, prepared.record.Coefficients)
}

// writeUnsolved appends the row of a point without a run.
func (s *shardSolver) writeUnsolved(b *results.Builder, status, detail string) error {
	s.row.Status, s.row.Detail, s.row.RunSummary = status, detail, results.NoRun()
	return b.AddPoint(s.row)
}

// writeKnown appends rows of an earlier sweep, in which the point had another index.
func (s *shardSolver) writeKnown(b *results.Builder, known *results.PointRows) error {
	s.row.Status, s.row.RunSummary = known.Point.Status, known.Point.RunSummary
	if err := b.AddPoint(s.row); err != nil {
		return err
	}
	for _, t := range known.Trajectory {
		t.Point = s.row.Point
		if err := b.AddTrajectory(t); err != nil {
			return err
		}
	}
	for _, c := range known.Coefficients {
		c.Point = s.row.Point
		if err := b.AddCoefficient(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *shardSolver) writeSolved(b *results.Builder, r *solver.Result, coefficients bool) error {
	s.row.Status, s.row.Detail, s.row.RunSummary = statuses[r.Status], r.Detail, summaryOf(r)
	if err := b.AddPoint(s.row); err != nil {
		return err
	}
	for k := range r.Trajectory {
		sample := &r.Trajectory[k]
		if err := b.AddTrajectory(trajectoryRow(s.row.Point, r, sample)); err != nil {
			return err
		}
		if !coefficients {
			continue
		}
		for group := range min(len(r.Groups), len(sample.Coefficients)) {
			if err := b.AddCoefficient(coefficientRow(s.row.Point, r, sample, group)); err != nil {
				return err
			}
		}
	}
	return nil
}
