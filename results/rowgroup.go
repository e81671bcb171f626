package results

import (
	"fmt"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
)

const (
	rowGroupRows = 122_880 // DuckDB's own vector of row groups
	// rowGroupText ends a row group early, so that long lists do not break flat memory.
	rowGroupText = 64 << 20
)

// rowGroup collects the rows of one Parquet row group, column by column, from batches cut anywhere.
// What is written depends on the rows alone: each column chunk is one WriteBatch.
type rowGroup struct {
	columns []Column
	rows    int
	text    int // bytes of text
	vectors []vector
}

// vector is a column in Parquet's layout: values without the nulls, and definition levels that say
// where those are.
type vector struct {
	levels []int16 // nil for a required column
	ints   []int64
	floats []float64
	bools  []bool
	data   []byte
	ends   []int // of the texts in data
}

func newRowGroup(columns []Column) *rowGroup {
	return &rowGroup{columns: columns, vectors: make([]vector, len(columns))}
}

// full tells whether the row group is to be written before the next row.
func (g *rowGroup) full() bool { return g.rows == rowGroupRows || g.text >= rowGroupText }

// take appends rows of b from row on until the group is full, and returns the first row not taken.
func (g *rowGroup) take(b batch, from int) int {
	to := min(b.rows, from+rowGroupRows-g.rows)
	for i := from; i < to; i++ {
		if g.text >= rowGroupText {
			to = i
			break
		}
		for j := range b.columns {
			if ends := b.columns[j].ends; ends != nil {
				g.text += int(ends[i+1] - ends[i])
			}
		}
	}
	for j := range b.columns {
		g.vectors[j].take(&b.columns[j], g.columns[j], from, to)
	}
	g.rows += to - from
	return to
}

// take appends rows [from, to) of a column.
func (v *vector) take(c *column, d Column, from, to int) {
	if d.Nullable {
		for i := from; i < to; i++ {
			level := int16(1)
			if c.isNull(i) {
				level = 0
			}
			v.levels = append(v.levels, level)
		}
	}
	switch {
	case c.ints != nil:
		v.ints = compact(v.ints, c.ints, c, from, to)
	case c.floats != nil:
		v.floats = compact(v.floats, c.floats, c, from, to)
	case c.bits != nil:
		for i := from; i < to; i++ {
			if !c.isNull(i) {
				v.bools = append(v.bools, bit(c.bits, i))
			}
		}
	default:
		for i := from; i < to; i++ {
			if !c.isNull(i) {
				v.data = append(v.data, c.text(i)...)
				v.ends = append(v.ends, len(v.data))
			}
		}
	}
}

// compact appends the values of rows [from, to) that are not null.
func compact[T any](dst, src []T, c *column, from, to int) []T {
	if c.valid == nil {
		return append(dst, src[from:to]...)
	}
	for i := from; i < to; i++ {
		if bit(c.valid, i) {
			dst = append(dst, src[i])
		}
	}
	return dst
}

// write writes the rows as a row group and empties the group, keeping its memory.
func (g *rowGroup) write(f *parquetFile) error {
	err := f.writeRowGroup(g.rows, g.columns, g.vectors)
	for i := range g.vectors {
		g.vectors[i].clear()
	}
	g.rows, g.text = 0, 0
	return err
}

func (v *vector) write(w file.ColumnChunkWriter) (err error) {
	switch w := w.(type) {
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(v.ints, v.levels, nil)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(v.floats, v.levels, nil)
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(v.bools, v.levels, nil)
	case *file.ByteArrayColumnChunkWriter:
		texts, begin := make([]parquet.ByteArray, len(v.ends)), 0
		for i, end := range v.ends {
			texts[i], begin = v.data[begin:end], end
		}
		_, err = w.WriteBatch(texts, v.levels, nil)
	default:
		err = fmt.Errorf("no writer for %T", w)
	}
	return err
}

func (v *vector) clear() {
	v.levels, v.ints, v.floats = v.levels[:0], v.ints[:0], v.floats[:0]
	v.bools, v.data, v.ends = v.bools[:0], v.data[:0], v.ends[:0]
}
