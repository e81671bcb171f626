package reuse

import (
	"context"
	"iter"

	"github.com/phasegrid/phasegrid/results"
)

// addSet adds the points of a set with their trajectories.
func addSet(ctx context.Context, w *memoWriter, set *results.Set) error {
	trajectories, stop := iter.Pull2(rowsIfAny(set, results.Trajectories, set.Trajectories(ctx)))
	defer stop()
	coefficients, stop := iter.Pull2(rowsIfAny(set, results.Coefficients, set.Coefficients(ctx)))
	defer stop()
	steps := &lookahead[results.TrajectoryRow]{next: trajectories}
	groups := &lookahead[results.CoefficientRow]{next: coefficients}
	for p, err := range set.Points(ctx) {
		if err != nil {
			return err
		}
		rows := results.PointRows{Point: p}
		rows.Trajectory, err = steps.takeAll(func(t *results.TrajectoryRow) bool { return t.Point == p.Point })
		if err != nil {
			return err
		}
		rows.Coefficients, err = groups.takeAll(func(c *results.CoefficientRow) bool { return c.Point == p.Point })
		if err != nil {
			return err
		}
		if canReuse(&p) {
			if err := w.add(p.PointID, &rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowsIfAny returns the rows of a table, none if the set does not have it.
func rowsIfAny[T any](set *results.Set, t results.Table, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	if set.Schema().Has(t) {
		return rows
	}
	return func(func(T, error) bool) {}
}

// lookahead is an iterator whose next value can be inspected before it is taken.
type lookahead[T any] struct {
	next  func() (T, error, bool)
	value T
	have  bool
}

// takeAll returns the next values up to the first that does not match.
func (l *lookahead[T]) takeAll(match func(*T) bool) (values []T, err error) {
	for {
		if !l.have {
			if l.value, err, l.have = l.next(); err != nil {
				return nil, err
			}
		}
		if !l.have || !match(&l.value) {
			return values, nil
		}
		values = append(values, l.value)
		l.have = false
	}
}
