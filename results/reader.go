package results

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/metadata"

	"github.com/phasegrid/phasegrid/sweep"
)

const readRows = 4096 // rows that a Reader decodes at a time

// Reader reads one Parquet file of a result set. Files of unknown origin should be read only after
// their checksum was verified: the Parquet library cannot handle every malformed file.
type Reader struct {
	file    *file.Reader
	table   Table
	columns []Column
	solver  sweep.SolverIdentity
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
	encoded := meta.FindValue(arrowSchemaKey)
	if encoded == nil {
		return nil, fmt.Errorf("results: read footer: %s is missing; not a file of a result set", arrowSchemaKey)
	}
	if reader.solver, err = storedSolver(meta); err != nil {
		return nil, fmt.Errorf("results: read footer: %w", err)
	}
	if reader.columns, err = storedColumns(*encoded); err != nil {
		return nil, fmt.Errorf("results: read footer: %s: %w", arrowSchemaKey, err)
	}
	for i, c := range reader.columns {
		if f.MetaData().Schema.NumColumns() != len(reader.columns) || f.MetaData().Schema.Column(i).Name() != c.Name {
			return nil, fmt.Errorf("results: read footer: Parquet and Arrow schemas differ at column %s", c.Name)
		}
	}
	return reader, nil
}

// storedSolver returns the solver of a footer.
func storedSolver(meta metadata.KeyValueMetadata) (sweep.SolverIdentity, error) {
	if text := meta.FindValue(solverKey); text != nil {
		return sweep.ParseSolver(*text)
	}
	version := meta.FindValue(solverVersionKey)
	if version == nil {
		return sweep.SolverIdentity{}, fmt.Errorf("%s is missing; not a file of a result set", solverKey)
	}
	n, err := strconv.Atoi(*version)
	if err != nil {
		return sweep.SolverIdentity{}, fmt.Errorf("%s: %w", solverVersionKey, err)
	}
	return sweep.BuiltinSolver(n), nil
}

// storedColumns decodes what fileSchema encoded.
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
		_, c.Derived = f.Metadata.GetValue(derivedKey)
		_, c.Axis = f.Metadata.GetValue(axisKey)
		c.ReadBy, _ = f.Metadata.GetValue(readByKey)
		columns = append(columns, c)
	}
	return columns, nil
}

// kindOf is the inverse of arrowType.
func kindOf(t arrow.DataType) (Kind, error) {
	for k := Int64; k <= Time; k++ {
		if arrow.TypeEqual(t, arrowType(k)) {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown type %s", t)
}

// Table returns the table that the file belongs to.
func (r *Reader) Table() Table { return r.table }

// Columns returns the file's columns, which must not be changed.
func (r *Reader) Columns() []Column { return r.columns }

// Solver returns the solver that computed the rows.
func (r *Reader) Solver() sweep.SolverIdentity { return r.solver }

// Rows returns the number of rows according to the footer.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Scan yields the file's rows in order, as cells of the named columns, or of all columns without
// names. The slice is reused for the next row.
func (r *Reader) Scan(ctx context.Context, columns ...string) iter.Seq2[[]Cell, error] {
	return r.scanGroups(ctx, columns, func(int) bool { return true })
}

// scanGroups is Scan of the row groups that are wanted.
func (r *Reader) scanGroups(
	ctx context.Context, columns []string, wanted func(group int) bool,
) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		indices, err := r.indices(columns)
		if err != nil {
			yield(nil, err)
			return
		}
		for g := range r.file.NumRowGroups() {
			if !wanted(g) {
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
}

// indices returns the positions of the named columns, of all columns without names.
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
			return nil, fmt.Errorf("results: read %s: no column %s", r.table, name)
		}
		indices = append(indices, i)
	}
	return indices, nil
}

// scanGroup yields one row group's rows; more is false if the consumer stopped.
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

// openGroup opens the column chunks of a row group.
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

// recoverRead turns a panic of the Parquet library on a malformed file into an error.
func recoverRead(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("results: read Parquet file: malformed: %v", r)
	}
}
