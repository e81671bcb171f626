package reuse

import (
	"context"
	"fmt"
	"iter"

	"github.com/phasegrid/phasegrid/node/solver"
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
		r, usable := resultOf(&p)
		if err := trajectoryOf(&r, p.Point, steps, groups); err != nil {
			return err
		}
		if usable {
			if err := w.add(p.PointID, &r); err != nil {
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

// trajectoryOf takes the rows of one point from the tables, which are in the order of points.
func trajectoryOf(
	r *solver.Result,
	point int64,
	steps *lookahead[results.TrajectoryRow],
	groups *lookahead[results.CoefficientRow],
) error {
	for {
		t, ok, err := steps.take(func(t *results.TrajectoryRow) bool { return t.Point == point })
		if err != nil || !ok {
			return err
		}
		s := solver.Sample{Step: int(t.Step), Metrics: solver.Metrics(t.Metrics)}
		first := len(r.Trajectory) == 0
		for {
			c, ok, err := groups.take(
				func(c *results.CoefficientRow) bool { return c.Point == point && c.Step == t.Step },
			)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if first {
				r.Groups = append(r.Groups, solver.Group{Eigenvalue: c.Eigenvalue, Multiplicity: int(c.Multiplicity)})
			}
			s.Coefficients = append(s.Coefficients, c.Coefficient)
		}
		if len(s.Coefficients) != len(r.Groups) {
			return fmt.Errorf(
				"point %d has %d coefficients at step %d and %d at the first step",
				point,
				len(s.Coefficients),
				t.Step,
				len(r.Groups),
			)
		}
		s.Coefficients = append(s.Coefficients, t.SignalCoefficient, t.SpikeCoefficient, t.BulkCoefficient)
		r.Trajectory = append(r.Trajectory, s)
	}
}

// lookahead is an iterator whose next value can be inspected before it is taken.
type lookahead[T any] struct {
	next  func() (T, error, bool)
	value T
	have  bool
}

// take returns the next value if it matches.
func (l *lookahead[T]) take(match func(*T) bool) (value T, ok bool, err error) {
	if !l.have {
		var err error
		if l.value, err, l.have = l.next(); err != nil {
			return value, false, err
		}
	}
	if !l.have || !match(&l.value) {
		return value, false, nil
	}
	l.have = false
	return l.value, true, nil
}
