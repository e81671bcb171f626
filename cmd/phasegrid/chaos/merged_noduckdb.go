//go:build !duckdb

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/phasegrid/phasegrid/results"
)

// mergedBy is what counts the rows of merged files.
const mergedBy = "the Parquet reader"

// countMerged counts the rows of a table's merged files by reading them.
func countMerged(ctx context.Context, set string, t results.Table) (rows int64, err error) {
	names, err := filepath.Glob(filepath.Join(set, t.String(), "part-*.parquet"))
	if err != nil || len(names) == 0 {
		return 0, err
	}
	s, err := results.OpenSet(set)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errWrongRows, err)
	}
	last := [2]int64{-1, -1}
	count := func(point, step int64) error {
		if point < last[0] || point == last[0] && step <= last[1] {
			return fmt.Errorf(
				"%w: point %d step %d after point %d step %d", errWrongRows, point, step, last[0], last[1],
			)
		}
		last = [2]int64{point, step}
		rows++
		return nil
	}
	if t == results.Points {
		for row, err := range s.Points(ctx) {
			if err != nil {
				return 0, unread(ctx, err)
			}
			if err := count(row.Point, 0); err != nil {
				return 0, err
			}
		}
		return rows, nil
	}
	for row, err := range s.Trajectories(ctx) {
		if err != nil {
			return 0, unread(ctx, err)
		}
		if err := count(row.Point, row.Step); err != nil {
			return 0, err
		}
	}
	return rows, nil
}

// unread returns the error of ctx if it has ended, else one of rows that cannot be read.
func unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", errWrongRows, err)
}
