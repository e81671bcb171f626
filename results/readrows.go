package results

import (
	"context"
	"fmt"
	"iter"
)

// Points yields the rows of a points file. Null floats are NaN, null steps -1.
func (r *Reader) Points(ctx context.Context) iter.Seq2[PointRow, error] {
	return scanRows(ctx, r, Points, pointReader(r.columns))
}

// Trajectories yields the rows of a trajectories file. Null floats are NaN.
func (r *Reader) Trajectories(ctx context.Context) iter.Seq2[TrajectoryRow, error] {
	return scanRows(ctx, r, Trajectories, rowReader(r.columns, trajectoryFields))
}

// Coefficients yields the rows of a coefficients file. Null floats are NaN.
func (r *Reader) Coefficients(ctx context.Context) iter.Seq2[CoefficientRow, error] {
	return scanRows(ctx, r, Coefficients, rowReader(r.columns, coefficientFields))
}

// Shards yields the rows of a shards file.
func (r *Reader) Shards(ctx context.Context) iter.Seq2[ShardRow, error] {
	return scanRows(ctx, r, Shards, rowReader(r.columns, shardFields))
}

func scanRows[T any](ctx context.Context, r *Reader, t Table, read func([]Cell) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if r.table != t {
			yield(none, fmt.Errorf("results: read %s: the file belongs to the %s table", t, r.table))
			return
		}
		for cells, err := range r.Scan(ctx) {
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(read(cells), nil) {
				return
			}
		}
	}
}
