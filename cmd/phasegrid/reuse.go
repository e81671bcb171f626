package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// An edited sweep file is another sweep, but most of its points are often those of the sweep
// before. Their rows are functions of their ids, so they may be taken from any verified set that
// records the same steps.

// memoFolder is where run keeps its memo below the state.
const memoFolder = "memo"

// memoOf is the memo of the earlier sets of this sweep's name; nil where there are none.
func memoOf(ctx context.Context, o runOptions, spec *sweep.Spec, id, folder string) (*memo, error) {
	found, err := buildMemo(ctx, o, spec, id, folder)
	if err != nil || !found {
		return nil, err
	}
	return openMemo(folder)
}

// buildMemo collects the points of the earlier sets of this sweep's name below out, in a folder;
// false where there are none.
func buildMemo(ctx context.Context, o runOptions, spec *sweep.Spec, id, folder string) (bool, error) {
	entries, err := os.ReadDir(o.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("look for earlier result sets: %w", err)
	}
	var sets []*results.Set
	for _, entry := range entries {
		suffix, named := strings.CutPrefix(entry.Name(), spec.Name()+"-")
		if !named || len(suffix) != 8 || suffix == id[:8] {
			continue // what is no folder, nor a link to one, is no set either: that is said below
		}
		dir := filepath.Join(o.Out, entry.Name())
		switch set, why := reusable(ctx, dir, spec); {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case why != "":
			fmt.Fprintf(o.stderr, "no points of %s are reused: %s\n", dir, why)
		default:
			sets = append(sets, set)
		}
	}
	if len(sets) == 0 {
		return false, nil
	}
	w, err := newMemoWriter(folder)
	if err != nil {
		return false, fmt.Errorf("reuse of earlier results: %w; --no-reuse goes on without", err)
	}
	for _, set := range sets {
		if err := remember(ctx, w, set); err != nil {
			w.close()
			return false, fmt.Errorf("reuse of %s: %w; --no-reuse goes on without", set.Dir(), err)
		}
	}
	if err := w.finish(); err != nil {
		return false, fmt.Errorf("reuse of earlier results: %w; --no-reuse goes on without", err)
	}
	return true, nil
}

// reusable opens an earlier set, or says why its rows cannot be used.
func reusable(ctx context.Context, dir string, spec *sweep.Spec) (set *results.Set, why string) {
	set, err := results.OpenSet(dir)
	if err != nil {
		return nil, err.Error()
	}
	m := set.Manifest()
	switch {
	case m == nil:
		return nil, "it is not finished"
	case len(m.Missing) > 0:
		return nil, "points are missing"
	case m.SolverVersion != solver.Version:
		return nil, fmt.Sprintf("it is of solver %d", m.SolverVersion)
	case m.ArithmeticClass != solver.ArithmeticClass():
		return nil, "it was computed on " + m.ArithmeticClass
	}
	file, err := os.ReadFile(filepath.Join(dir, results.SweepName))
	if err != nil {
		return nil, err.Error()
	}
	earlier, err := sweep.Decode(file)
	if err != nil {
		return nil, err.Error()
	}
	if a, b := earlier.Record(), spec.Record(); a.Every != b.Every || a.Log != b.Log ||
		a.Coefficients != b.Coefficients ||
		!slices.Equal(a.Steps, b.Steps) {
		return nil, "it records other steps"
	}
	report, err := results.Verify(ctx, dir, func(index int64) bool {
		_, ok := earlier.Point(index)
		return ok
	})
	if err != nil {
		return nil, err.Error()
	}
	if !report.OK() {
		return nil, "it does not verify: " + report.Violations[0].String()
	}
	return set, ""
}

// remember adds the points of a set with their trajectories.
func remember(ctx context.Context, w *memoWriter, set *results.Set) error {
	trajectories, stop := iter.Pull2(nothingWithout(set, results.Trajectories, set.Trajectories(ctx)))
	defer stop()
	coefficients, stop := iter.Pull2(nothingWithout(set, results.Coefficients, set.Coefficients(ctx)))
	defer stop()
	steps := &lookahead[results.TrajectoryRow]{next: trajectories}
	groups := &lookahead[results.CoefficientRow]{next: coefficients}
	for p, err := range set.Points(ctx) {
		if err != nil {
			return err
		}
		r, usable := known(&p)
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

// nothingWithout is a table's rows, none where the set does not have it.
func nothingWithout[T any](set *results.Set, t results.Table, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	if set.Schema().Has(t) {
		return rows
	}
	return func(func(T, error) bool) {}
}

// trajectoryOf takes the rows of one point off its tables.
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
				"point %d has %d coefficients at step %d and %d at the first",
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

// lookahead is an iterator that can leave its next value where it is.
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

// reused counts the points of a finished set that a memo knows.
func reused(ctx context.Context, set *results.Set, m *memo) (count, points int64, err error) {
	for row, err := range set.Scan(ctx, results.Points, "point_id") {
		if err != nil {
			return 0, 0, err
		}
		points++
		var id [16]byte
		if n, err := hex.Decode(id[:], []byte(row[0].Text)); err == nil && n == len(id) {
			if _, ok := m.find(id); ok {
				count++
			}
		}
	}
	return count, points, nil
}

// sayReused tells how many points were not computed again; nothing without a memo.
func sayReused(ctx context.Context, o runOptions, folder string, m *memo) error {
	if m == nil {
		return nil
	}
	set, err := results.OpenSet(folder)
	if err != nil {
		return err
	}
	count, points, err := reused(ctx, set, m)
	if err != nil {
		return err
	}
	fmt.Fprintf(
		o.stderr,
		"reused %s of %s points from earlier sweeps of this name (--no-reuse computes all)\n",
		humanize.Comma(count),
		humanize.Comma(points),
	)
	return nil
}
