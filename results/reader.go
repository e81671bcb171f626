package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
)

const readRows = 4096 // rows that a Reader holds at a time

// Reader reads one Parquet file of a result set. Only files whose checksum is known to be right
// should be read: the Parquet library does not survive every hostile file.
type Reader struct {
	file          *file.Reader
	table         Table
	columns       []Column
	solverVersion int
}

// NewReader opens a Parquet file of size bytes.
func NewReader(r io.ReaderAt, size int64) (reader *Reader, err error) {
	defer recoverRead(&err)
	f, err := file.NewParquetReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("results: open Parquet file: %w", err)
	}
	reader = &Reader{file: f}
	if reader.table, err = tableNamed(f.MetaData().Schema.Root().Name()); err != nil {
		return nil, err
	}
	meta := f.MetaData().KeyValueMetadata()
	version, encoded := meta.FindValue(solverVersionKey), meta.FindValue(arrowSchemaKey)
	if version == nil || encoded == nil {
		return nil, fmt.Errorf(
			"results: Parquet footer without %s and %s: not a file of a result set",
			solverVersionKey,
			arrowSchemaKey,
		)
	}
	if reader.solverVersion, err = strconv.Atoi(*version); err != nil {
		return nil, fmt.Errorf("results: footer: %s: %w", solverVersionKey, err)
	}
	if reader.columns, err = storedColumns(*encoded); err != nil {
		return nil, fmt.Errorf("results: footer: %s: %w", arrowSchemaKey, err)
	}
	for i, c := range reader.columns {
		if f.MetaData().Schema.NumColumns() != len(reader.columns) || f.MetaData().Schema.Column(i).Name() != c.Name {
			return nil, fmt.Errorf("results: footer: Parquet and Arrow schemas differ at column %s", c.Name)
		}
	}
	return reader, nil
}

// storedColumns decodes what fileSchema made.
func storedColumns(encoded string) ([]Column, error) {
	stream, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	r, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var columns []Column
	for _, f := range r.Schema().Fields() {
		c := Column{Name: f.Name, Nullable: f.Nullable}
		if c.Kind, err = kindOf(f.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		c.Unit, _ = f.Metadata.GetValue("unit")
		c.Doc, _ = f.Metadata.GetValue("formula")
		columns = append(columns, c)
	}
	return columns, nil
}

func kindOf(t arrow.DataType) (Kind, error) {
	for k := Int64; k <= Time; k++ {
		if arrow.TypeEqual(t, arrowType(k)) {
			return k, nil
		}
	}
	return 0, fmt.Errorf("type %s is not one of a result set", t)
}

// Table is the table that the file belongs to.
func (r *Reader) Table() Table { return r.table }

// Columns are the file's. Read only.
func (r *Reader) Columns() []Column { return r.columns }

// SolverVersion is the version of the solver that computed the rows.
func (r *Reader) SolverVersion() int { return r.solverVersion }

// Rows is the number of rows that the footer states.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Scan yields the file's rows in order, as cells of the named columns; without names, of all of
// them. The slice is reused for the next row.
func (r *Reader) Scan(ctx context.Context, columns ...string) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		indices, err := r.indices(columns)
		if err != nil {
			yield(nil, err)
			return
		}
		for g := range r.file.NumRowGroups() {
			more, err := r.scanGroup(ctx, g, indices, yield)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

func (r *Reader) indices(names []string) ([]int, error) {
	var indices []int
	if len(names) == 0 {
		for i := range r.columns {
			indices = append(indices, i)
		}
	}
	for _, name := range names {
		i := slices.IndexFunc(r.columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("results: the %s table has no column %s", r.table, name)
		}
		indices = append(indices, i)
	}
	return indices, nil
}

// scanGroup yields one row group's rows; more is false where the consumer has had enough.
func (r *Reader) scanGroup(
	ctx context.Context,
	group int,
	indices []int,
	yield func([]Cell, error) bool,
) (more bool, err error) {
	chunks, left, err := r.openGroup(group, indices)
	if err != nil {
		return false, err
	}
	vectors := make([]vector, len(indices))
	rows := make([]Cell, readRows*len(indices))
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n := int(min(left, readRows))
		for j, chunk := range chunks {
			if err := vectors[j].read(chunk, r.columns[indices[j]], n); err != nil {
				return false, fmt.Errorf("results: read %s.%s: %w", r.table, r.columns[indices[j]].Name, err)
			}
			vectors[j].cells(r.columns[indices[j]].Kind, n, rows[j:], len(indices))
		}
		for i := range n {
			if !yield(rows[i*len(indices):(i+1)*len(indices)], nil) {
				return false, nil
			}
		}
		left -= int64(n)
	}
	return true, nil
}

func (r *Reader) openGroup(group int, indices []int) (chunks []file.ColumnChunkReader, rows int64, err error) {
	defer recoverRead(&err)
	g := r.file.RowGroup(group)
	for _, i := range indices {
		chunk, err := g.Column(i)
		if err != nil {
			return nil, 0, fmt.Errorf("results: read %s.%s: %w", r.table, r.columns[i].Name, err)
		}
		chunks = append(chunks, chunk)
	}
	return chunks, g.NumRows(), nil
}

// read replaces the vector's contents by the next n rows of a column chunk.
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

// cells stores the vector's n rows into every stride-th cell.
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

// Points yields the rows of a points file. Null floats are NaN, null steps -1.
func (r *Reader) Points(ctx context.Context) iter.Seq2[PointRow, error] {
	return scanRows(ctx, r, Points, readPoint)
}

// Trajectories yields the rows of a trajectories file. Null floats are NaN.
func (r *Reader) Trajectories(ctx context.Context) iter.Seq2[TrajectoryRow, error] {
	return scanRows(ctx, r, Trajectories, rowReader(trajectoryFields))
}

// Coefficients yields the rows of a coefficients file. Null floats are NaN.
func (r *Reader) Coefficients(ctx context.Context) iter.Seq2[CoefficientRow, error] {
	return scanRows(ctx, r, Coefficients, rowReader(coefficientFields))
}

// Shards yields the rows of a shards file.
func (r *Reader) Shards(ctx context.Context) iter.Seq2[ShardRow, error] {
	return scanRows(ctx, r, Shards, rowReader(shardFields))
}

// rowReader returns a function that reads all cells of a row.
func rowReader[R any](fields []field[R]) func([]Cell) R {
	return func(cells []Cell) (row R) {
		readFields(cells, fields, &row)
		return row
	}
}

func scanRows[T any](ctx context.Context, r *Reader, t Table, read func([]Cell) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if r.table != t {
			yield(none, fmt.Errorf("results: a file of %s holds no %s", r.table, t))
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

// Check reads a written file back and compares it with what Merge reported: size, SHA-256 and the
// footer's table and row count. A file counts only once it has passed: this Parquet writer can
// leave a well-formed file with fewer rows.
func Check(r io.ReaderAt, size int64, want File) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, size)); err != nil {
		return fmt.Errorf("results: read back %s: %w", want.Table, err)
	}
	if size != want.Bytes || [32]byte(hash.Sum(nil)) != want.SHA256 {
		return fmt.Errorf(
			"results: read back %s: %d bytes of SHA-256 %x; wrote %d of %x",
			want.Table,
			size,
			hash.Sum(nil),
			want.Bytes,
			want.SHA256,
		)
	}
	f, err := NewReader(r, size)
	if err != nil {
		return err
	}
	if f.table != want.Table || f.Rows() != want.Rows {
		return fmt.Errorf(
			"results: read back a file of %d %s rows; wrote %d %s rows",
			f.Rows(),
			f.table,
			want.Rows,
			want.Table,
		)
	}
	return nil
}

// recoverRead turns a panic of the Parquet library on a malformed file into an error.
func recoverRead(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("results: malformed Parquet file: %v", r)
	}
}
