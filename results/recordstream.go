package results

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Projection selects columns and rows of a table.
type Projection struct {
	Table      Table
	Columns    []string // in this order; none means all
	First, End int64    // points [First, End)
}

const (
	streamRows  = 8192
	streamBytes = 1 << 20
)

// RecordStream encodes rows as the Arrow IPC messages of Arrow Flight: the schema, then record
// batches of about 1 MiB. Its memory is one record batch. It is not safe for concurrent use.
type RecordStream struct {
	schema  *Schema
	table   Table
	columns []Column
	indices []int // of columns in the table
	first   int64
	end     int64

	records *array.RecordBuilder
	writer  *ipc.Writer
	rows    int
	bytes   int
}

// NewRecordStream returns a stream that calls send with the flatbuffer and the body of each
// message.
func (s *Schema) NewRecordStream(p Projection, send func(header, body []byte) error) (*RecordStream, error) {
	columns, indices, err := s.project(p)
	if err != nil {
		return nil, err
	}
	schema := wireSchema(columns)
	return &RecordStream{
		schema: s, table: p.Table, columns: columns, indices: indices, first: p.First, end: p.End,
		records: array.NewRecordBuilder(memory.DefaultAllocator, schema),
		writer:  ipc.NewWriterWithPayloadWriter(&messages{send: send}, ipc.WithSchema(schema)),
	}, nil
}

// ArrowSchema returns the projection's schema as an IPC stream without record batches.
func (s *Schema) ArrowSchema(p Projection) ([]byte, error) {
	columns, _, err := s.project(p)
	if err != nil {
		return nil, err
	}
	return schemaStream(wireSchema(columns))
}

// project returns the columns of a projection and their positions in the table.
func (s *Schema) project(p Projection) (columns []Column, indices []int, err error) {
	if !s.Has(p.Table) {
		return nil, nil, fmt.Errorf("results: select from %s: the result set has no such table", p.Table)
	}
	all := s.tables[p.Table]
	for _, name := range p.Columns {
		i := slices.IndexFunc(all, func(c Column) bool { return c.Name == name })
		if i < 0 || slices.Contains(indices, i) {
			return nil, nil, fmt.Errorf(
				"results: select from %s: column %s does not exist or is named twice", p.Table, name,
			)
		}
		columns, indices = append(columns, all[i]), append(indices, i)
	}
	if len(p.Columns) == 0 {
		for i := range all {
			indices = append(indices, i)
		}
		columns = all
	}
	return columns, indices, nil
}

// AddShard checks a delivery and sends its rows.
func (w *RecordStream) AddShard(d Delivery, e Expectation) error {
	shard, err := w.schema.Decode(d, e)
	if err != nil {
		return err
	}
	row := make([]Cell, len(w.columns))
	for _, b := range shard.tables[w.table] {
		points := b.columns[0].ints // the first column of every table that nodes send
		for i := range b.rows {
			if points[i] < w.first || points[i] >= w.end {
				continue
			}
			for j, index := range w.indices {
				row[j] = b.columns[index].cell(w.columns[j].Kind, i)
			}
			if err := w.add(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// AddPart sends the rows of a merged file of the table.
func (w *RecordStream) AddPart(ctx context.Context, r *Reader) error {
	names := make([]string, 0, len(w.columns)+1)
	for _, c := range w.columns {
		names = append(names, c.Name)
	}
	key := slices.Index(names, "point")
	if key < 0 {
		key = len(names)
		names = append(names, "point")
	}
	for row, err := range r.Scan(ctx, names...) {
		if err != nil {
			return err
		}
		if row[key].Int < w.first || row[key].Int >= w.end {
			continue
		}
		if err := w.add(row[:len(w.columns)]); err != nil {
			return err
		}
	}
	return nil
}

// Skip excludes rows of points before first, such as those already sent.
func (w *RecordStream) Skip(first int64) { w.first = max(w.first, first) }

// Close sends the remaining rows; if there were none at all, the schema.
func (w *RecordStream) Close() error {
	defer w.records.Release()
	if err := w.flush(); err != nil {
		return err
	}
	return w.writer.Close()
}

func (w *RecordStream) add(row []Cell) error {
	for j, c := range row {
		appendCell(w.records.Field(j), c)
		w.bytes += 8 + len(c.Text)
	}
	if w.rows++; w.rows < streamRows && w.bytes < streamBytes {
		return nil
	}
	return w.flush()
}

func (w *RecordStream) flush() error {
	if w.rows == 0 {
		return nil
	}
	w.rows, w.bytes = 0, 0
	record := w.records.NewRecord()
	defer record.Release()
	return w.writer.Write(record)
}

func appendCell(b array.Builder, c Cell) {
	if c.Null {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(c.Int)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(c.Int))
	case *array.Float64Builder:
		b.Append(c.Float)
	case *array.BooleanBuilder:
		b.Append(c.Bool)
	case *array.StringBuilder:
		b.Append(c.Text)
	}
}

// cell returns row i of the column.
func (c *column) cell(k Kind, i int) Cell {
	if c.isNull(i) {
		return Cell{Null: true}
	}
	switch k {
	case Int64, Time:
		return Cell{Int: c.ints[i]}
	case Float64:
		return Cell{Float: c.floats[i]}
	case Bool:
		return Cell{Bool: bit(c.bits, i)}
	}
	return Cell{Text: string(c.text(i))}
}

// messages is a payload writer that sends the header and the body of each message.
type messages struct {
	send func(header, body []byte) error
	body bytes.Buffer
}

var _ ipc.PayloadWriter = (*messages)(nil)

// Start implements ipc.PayloadWriter.
func (m *messages) Start() error { return nil }

// WritePayload implements ipc.PayloadWriter.
func (m *messages) WritePayload(p ipc.Payload) error {
	meta := p.Meta()
	defer meta.Release()
	m.body.Reset()
	if err := p.SerializeBody(&m.body); err != nil {
		return fmt.Errorf("results: encode record batch: %w", err)
	}
	return m.send(meta.Bytes(), m.body.Bytes())
}

// Close implements ipc.PayloadWriter.
func (m *messages) Close() error { return nil }
