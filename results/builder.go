package results

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// batchRows is the number of rows of a record batch on the wire.
const batchRows = 8192

// Builder encodes the rows of one shard as a Delivery. Rows are added in the tables' order: points
// by point, trajectories by (point, step), coefficients by (point, step, group). Its memory is the
// payload plus one record batch per table. It is not safe for concurrent use.
type Builder struct {
	schema *Schema
	tables [numTables]*tableBuilder

	// The row being written; fields, so that rows are not allocated one by one.
	point       PointRow
	trajectory  TrajectoryRow
	coefficient CoefficientRow
}

// NewBuilder returns an empty builder.
func (s *Schema) NewBuilder() *Builder { return s.newBuilder(memory.DefaultAllocator) }

func (s *Schema) newBuilder(mem memory.Allocator) *Builder {
	b := &Builder{schema: s}
	for _, t := range s.deliverable() {
		b.tables[t] = newTableBuilder(t, s.tables[t], mem)
	}
	return b
}

// AddPoint appends a row to the points table.
func (b *Builder) AddPoint(r PointRow) error {
	if len(r.Parameters) != len(b.schema.parameters) {
		return fmt.Errorf("results: add point %d: got %d parameters, want %d",
			r.Point, len(r.Parameters), len(b.schema.parameters))
	}
	t := b.tables[Points]
	b.point = r
	b.point.Detail = oneLine(r.Detail)
	b.point.write(t, b.schema.parameters)
	return t.endRow()
}

// AddTrajectory appends a row to the trajectories table.
func (b *Builder) AddTrajectory(r TrajectoryRow) error {
	t := b.tables[Trajectories]
	if t == nil {
		return errors.New("results: add trajectory row: the result set has no trajectories table")
	}
	b.trajectory = r
	writeFields(t, trajectoryFields, &b.trajectory)
	return t.endRow()
}

// AddCoefficient appends a row to the coefficients table.
func (b *Builder) AddCoefficient(r CoefficientRow) error {
	t := b.tables[Coefficients]
	if t == nil {
		return errors.New("results: add coefficient row: the result set has no coefficients table")
	}
	b.coefficient = r
	writeFields(t, coefficientFields, &b.coefficient)
	return t.endRow()
}

// Encode returns the rows added since the last Encode. It empties the builder, even if it returns
// an error.
func (b *Builder) Encode() (Delivery, error) {
	defer func() {
		for _, t := range b.schema.deliverable() {
			b.tables[t].reset()
		}
	}()
	var d Delivery
	var size int64
	for _, t := range b.schema.deliverable() {
		segment, err := b.tables[t].finish()
		if err != nil {
			return Delivery{}, err
		}
		d.Segments = append(d.Segments, segment)
		size += segment.Bytes
	}
	if size > MaxPayloadBytes {
		return Delivery{}, fmt.Errorf("results: encode %d bytes: %w", size, errTooLarge)
	}
	d.Payload = make([]byte, 0, size)
	for _, t := range b.schema.deliverable() {
		d.Payload = append(d.Payload, b.tables[t].stream.Bytes()...)
	}
	d.CRC32C = checksum(d.Payload)
	return d, nil
}

// Release frees the builder's memory.
func (b *Builder) Release() {
	for _, t := range b.tables {
		if t != nil {
			t.columns.Release()
		}
	}
}

// tableBuilder encodes one table's stream. It keeps its first error.
type tableBuilder struct {
	table   Table
	schema  []Column
	columns *array.RecordBuilder
	mem     memory.Allocator
	stream  bytes.Buffer
	writer  *ipc.Writer

	column  int   // of the next cell
	pending int   // rows in columns
	rows    int64 // written and pending
	err     error
}

var _ cells = (*tableBuilder)(nil)

func newTableBuilder(t Table, columns []Column, mem memory.Allocator) *tableBuilder {
	b := &tableBuilder{table: t, schema: columns, columns: array.NewRecordBuilder(mem, wireSchema(columns)), mem: mem}
	b.reset()
	return b
}

// reset drops all rows and begins a new stream.
func (b *tableBuilder) reset() {
	if b.pending > 0 {
		b.columns.NewRecord().Release()
	}
	b.stream.Reset()
	b.writer = ipc.NewWriter(&b.stream, ipc.WithSchema(b.columns.Schema()), ipc.WithAllocator(b.mem))
	b.column, b.pending, b.rows, b.err = 0, 0, 0, nil
}

// number appends a float; nearly all cells are floats. One that is not finite becomes null.
func (b *tableBuilder) number(x float64) {
	if x-x != 0 { // NaN or Inf
		b.cell(Float64, Cell{Null: true})
		return
	}
	b.columns.Field(b.column).(*array.Float64Builder).Append(x)
	b.column++
}

// cell appends a cell. Floats that are not finite and empty texts of nullable columns become null.
func (b *tableBuilder) cell(kind Kind, c Cell) {
	column := &b.schema[b.column]
	switch kind {
	case Float64:
		c.Null = c.Null || math.IsNaN(c.Float) || math.IsInf(c.Float, 0)
	case String:
		c.Null = c.Null || c.Text == "" && column.Nullable
		if len(c.Text) > maxText && b.err == nil {
			b.err = fmt.Errorf("results: encode %s.%s, row %d: got %d bytes of text, want at most %d",
				b.table, column.Name, b.rows, len(c.Text), maxText)
			c.Text = ""
		}
	}
	if c.Null && !column.Nullable && b.err == nil {
		b.err = fmt.Errorf("results: encode %s.%s, row %d: null or not finite in a required column",
			b.table, column.Name, b.rows)
	}
	appendCell(b.columns.Field(b.column), c)
	b.column++
}

// endRow ends a row and writes a record batch if it is full.
func (b *tableBuilder) endRow() error {
	b.column = 0
	b.pending++
	b.rows++
	if b.err == nil && b.pending == batchRows {
		b.flush()
	}
	return b.err
}

// flush writes the pending rows as one record batch.
func (b *tableBuilder) flush() {
	record := b.columns.NewRecord()
	defer record.Release()
	b.pending = 0
	if err := b.writer.Write(record); err != nil {
		b.err = fmt.Errorf("results: encode %s: %w", b.table, err)
	} else if b.stream.Len() > MaxPayloadBytes {
		b.err = fmt.Errorf("results: encode %s: %w", b.table, errTooLarge)
	}
}

// finish ends the stream.
func (b *tableBuilder) finish() (Segment, error) {
	if b.err == nil && b.pending > 0 {
		b.flush()
	}
	if b.err != nil {
		return Segment{}, b.err
	}
	if err := b.writer.Close(); err != nil {
		return Segment{}, fmt.Errorf("results: encode %s: %w", b.table, err)
	}
	return Segment{Table: b.table, Bytes: int64(b.stream.Len()), Rows: b.rows}, nil
}

// unprintable reports characters that a detail must not have: in a terminal, control characters
// could do anything.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// oneLine turns a text into one printable line of valid UTF-8 of at most maxDetail bytes.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail-3], "") + "..."
	}
	return s
}
