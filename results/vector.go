package results

import (
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
)

// vector is a column in Parquet's layout: the values without nulls, and definition levels that say
// which rows are null.
type vector struct {
	levels []int16 // nil for a required column
	ints   []int64
	floats []float64
	bools  []bool
	data   []byte
	ends   []int // of the texts in data
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

// write writes the vector as a column chunk.
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

// clear empties the vector and keeps its memory.
func (v *vector) clear() {
	v.levels, v.ints, v.floats = v.levels[:0], v.ints[:0], v.floats[:0]
	v.bools, v.data, v.ends = v.bools[:0], v.data[:0], v.ends[:0]
}

// read replaces the contents of the vector with the next n rows of a column chunk.
func (v *vector) read(chunk file.ColumnChunkReader, c Column, n int) (err error) {
	defer recoverRead(&err)
	v.clear()
	for rows := 0; rows < n; {
		levels := make([]int16, n-rows)
		var got int64
		switch r := chunk.(type) {
		case *file.Int64ColumnChunkReader:
			v.ints, got, err = readValues(v.ints, levels, r.ReadBatch)
		case *file.Float64ColumnChunkReader:
			v.floats, got, err = readValues(v.floats, levels, r.ReadBatch)
		case *file.BooleanColumnChunkReader:
			v.bools, got, err = readValues(v.bools, levels, r.ReadBatch)
		case *file.ByteArrayColumnChunkReader:
			var texts []parquet.ByteArray
			texts, got, err = readValues(nil, levels, r.ReadBatch)
			for _, text := range texts {
				v.data = append(v.data, text...)
				v.ends = append(v.ends, len(v.data))
			}
		default:
			return fmt.Errorf("no reader for %T", r)
		}
		if err != nil {
			return err
		}
		if got == 0 {
			return io.ErrUnexpectedEOF
		}
		if c.Nullable {
			v.levels = append(v.levels, levels[:got]...)
		}
		rows += int(got)
	}
	return nil
}

// readValues appends at most len(levels) rows' values to dst.
func readValues[T any](
	dst []T,
	levels []int16,
	read func(int64, []T, []int16, []int16) (int64, int, error),
) ([]T, int64, error) {
	at := len(dst)
	dst = slices.Grow(dst, len(levels))
	rows, values, err := read(int64(len(levels)), dst[at:at+len(levels)], levels, nil)
	return dst[:at+values], rows, err
}

// cells stores the vector's n rows in every stride-th cell of out.
func (v *vector) cells(k Kind, n int, out []Cell, stride int) {
	at, begin := 0, 0
	for i := range n {
		c := &out[i*stride]
		*c = Cell{}
		if v.levels != nil && v.levels[i] == 0 {
			c.Null = true
			continue
		}
		switch k {
		case Int64, Time:
			c.Int = v.ints[at]
		case Float64:
			c.Float = v.floats[at]
		case Bool:
			c.Bool = v.bools[at]
		case String:
			c.Text = string(v.data[begin:v.ends[at]])
			begin = v.ends[at]
		}
		at++
	}
}
