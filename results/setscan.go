package results

import (
	"context"
	"iter"
	"math"
	"path/filepath"

	"github.com/apache/arrow/go/v15/parquet/metadata"
)

// rows counts the rows of a table by the footers of its parts.
func (s *Set) rows(t Table) (rows int64, err error) {
	parts, err := s.Parts(t)
	if err != nil {
		return 0, err
	}
	for _, part := range parts {
		f, err := openFile(filepath.Join(s.dir, filepath.FromSlash(PartName(t, part))))
		if err != nil {
			return 0, err
		}
		rows += f.Rows()
		f.Close()
	}
	return rows, nil
}

// scanPoints is Scan of the row groups that may hold points from first to last; they hold other
// points too.
func (s *Set) scanPoints(
	ctx context.Context, t Table, first, last int64, columns ...string,
) iter.Seq2[[]Cell, error] {
	return scanSet(s, t, func(r *Reader) iter.Seq2[[]Cell, error] {
		return func(yield func([]Cell, error) bool) {
			indices, err := r.indices(columns)
			if err != nil {
				yield(nil, err)
				return
			}
			for g := range r.file.NumRowGroups() {
				if low, high := r.pointRange(g); high < first || low > last {
					continue
				}
				more, err := r.scanGroup(ctx, g, indices, yield)
				if err != nil {
					yield(nil, err)
				}
				if err != nil || !more {
					return
				}
			}
		}
	})
}

// pointRange returns the lowest and the highest point of a row group by its statistics; without
// them, the range of all.
func (r *Reader) pointRange(group int) (low, high int64) {
	low, high = math.MinInt64, math.MaxInt64
	chunk, err := r.file.MetaData().RowGroup(group).ColumnChunk(0)
	if err != nil {
		return low, high
	}
	statistics, err := chunk.Statistics()
	if points, ok := statistics.(*metadata.Int64Statistics); err == nil && ok && points.HasMinMax() {
		return points.Min(), points.Max()
	}
	return low, high
}
