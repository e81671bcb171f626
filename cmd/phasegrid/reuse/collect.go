package reuse

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Collect makes a memo, in a folder, of the points of earlier sets of a sweep's name below out; nil
// if there are none. It writes to notes which sets it does not use, and why.
func Collect(
	ctx context.Context,
	spec *sweep.Spec,
	id, out, folder string,
	notes io.Writer,
) (*Memo, error) {
	sets, err := earlierSets(ctx, spec, id, out, notes)
	if err != nil || len(sets) == 0 {
		return nil, err
	}
	w, err := newMemoWriter(folder)
	if err != nil {
		return nil, fmt.Errorf("collect earlier results: %w; --no-reuse solves all points", err)
	}
	for _, set := range sets {
		if err := addSet(ctx, w, set); err != nil {
			w.close()
			return nil, fmt.Errorf("collect the results of %s: %w; --no-reuse solves all points", set.Dir(), err)
		}
	}
	if err := w.finish(); err != nil {
		return nil, fmt.Errorf("collect earlier results: %w; --no-reuse solves all points", err)
	}
	return Open(folder)
}

// earlierSets opens the sets below out that have the sweep's name, another id, and rows that can be
// reused.
func earlierSets(
	ctx context.Context,
	spec *sweep.Spec,
	id, out string,
	notes io.Writer,
) ([]*results.Set, error) {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for earlier result sets: %w", err)
	}
	var sets []*results.Set
	for _, entry := range entries {
		suffix, named := strings.CutPrefix(entry.Name(), spec.Name()+"-")
		if !named || len(suffix) != 8 || suffix == id[:8] {
			continue
		}
		dir := filepath.Join(out, entry.Name())
		switch set, why := reusable(ctx, dir, spec); {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case why != "":
			fmt.Fprintf(notes, "not reusing points of %s: %s\n", dir, why)
		default:
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// reusable opens an earlier set, or returns why its rows cannot be used.
func reusable(ctx context.Context, dir string, spec *sweep.Spec) (set *results.Set, why string) {
	set, err := results.OpenSet(dir)
	if err != nil {
		return nil, err.Error()
	}
	m, computed := set.Manifest(), set.Schema().Options().Solver
	switch {
	case computed != sweep.BuiltinSolver(solver.Version):
		return nil, fmt.Sprintf("it was computed by solver %s", computed)
	case m == nil:
		return nil, "it is not finished"
	case len(m.Missing) > 0:
		return nil, "its quarantined shards have no rows"
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
	}, earlier)
	if err != nil {
		return nil, err.Error()
	}
	if !report.OK() {
		return nil, "it does not verify: " + report.Violations[0].String()
	}
	return set, ""
}

// Count returns how many points of a finished set the memo has, and how many there are.
func (m *Memo) Count(ctx context.Context, set *results.Set) (reused, points int64, err error) {
	for row, err := range set.Scan(ctx, results.Points, "point_id") {
		if err != nil {
			return 0, 0, err
		}
		points++
		var id [16]byte
		if n, err := hex.Decode(id[:], []byte(row[0].Text)); err == nil && n == len(id) {
			if _, ok := m.find(id); ok {
				reused++
			}
		}
	}
	return reused, points, nil
}
