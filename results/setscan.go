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
		return r.scanGroups(ctx, columns, func(group int) bool {
			low, high := r.pointRange(group)
			return high >= first && low <= last
		})
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
