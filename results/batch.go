package results

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	flatbuffers "github.com/google/flatbuffers/go"
)

// batch is one record batch of a table. Its columns alias the payload they were decoded from.
type batch struct {
	rows    int
	columns []column
}

// column is one column of a batch, in Arrow's layout. Its kind decides which of ints, floats, bits
// and (ends, data) is set.
type column struct {
	valid  []byte // bitmap; nil if no cell is null
	ints   []int64
	floats []float64
	bits   []byte
	ends   []int32 // rows + 1 offsets into data
	data   []byte
}

func (c *column) isNull(i int) bool { return c.valid != nil && !bit(c.valid, i) }
func (c *column) text(i int) []byte { return c.data[c.ends[i]:c.ends[i+1]] }
func bit(bitmap []byte, i int) bool { return bitmap[i>>3]>>(i&7)&1 != 0 }

// countBits counts the bits that are set among the first rows of a bitmap.
func countBits(b []byte, rows int) int {
	n := 0
	for _, x := range b[:rows>>3] {
		n += bits.OnesCount8(x)
	}
	if rows&7 != 0 {
		n += bits.OnesCount8(b[rows>>3] & (1<<(rows&7) - 1))
	}
	return n
}

// maxMessageBytes bounds the metadata of one IPC message, which takes about 40 bytes per buffer.
const maxMessageBytes = 1 << 16

// nextBatch decodes the first record batch of an IPC stream without its schema message and returns
// the rest of the stream; ok is false at the end of the stream. It parses Arrow's encapsulated
// messages itself instead of using ipc.Reader: every length is checked against the bytes present,
// no allocation depends on an unchecked number, and nothing is copied.
func nextBatch(stream []byte, columns []Column) (b batch, rest []byte, ok bool, err error) {
	const head = 8
	if len(stream) < head || binary.LittleEndian.Uint32(stream) != 0xffffffff {
		return b, nil, false, reject(Malformed, "no message at %d bytes before the end", len(stream))
	}
	n := int(int32(binary.LittleEndian.Uint32(stream[4:])))
	stream = stream[head:]
	if n == 0 {
		if len(stream) != 0 {
			return b, nil, false, reject(Malformed, "%d bytes after the end of the stream", len(stream))
		}
		return b, nil, false, nil
	}
	if n < 0 || n > maxMessageBytes || n > len(stream) || n%8 != 0 {
		return b, nil, false, reject(Malformed, "message of %d bytes with %d bytes left", n, len(stream))
	}
	meta, stream := stream[:n], stream[n:]

	message := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	header := slot(message, 1)
	bodyBytes := message.GetInt64Slot(slotOffset(3), 0)
	const recordBatch = 3 // MessageHeader of Arrow's Message.fbs
	if header == 0 || message.GetByte(header) != recordBatch {
		return b, nil, false, reject(Malformed, "got a message that is not a record batch")
	}
	if bodyBytes < 0 || bodyBytes > int64(len(stream)) || bodyBytes%8 != 0 {
		return b, nil, false, reject(Malformed, "body of %d bytes with %d bytes left", bodyBytes, len(stream))
	}
	var record flatbuffers.Table
	message.Union(&record, slotOf(message, 2))
	b, err = decodeBatch(record, stream[:bodyBytes], columns)
	return b, stream[bodyBytes:], true, err
}

// slotOffset returns the offset of a field in a table's vtable.
func slotOffset(field int) flatbuffers.VOffsetT { return flatbuffers.VOffsetT(4 + 2*field) }

// slotOf returns a field's offset from its table, 0 if it is not set.
func slotOf(t flatbuffers.Table, field int) flatbuffers.UOffsetT {
	return flatbuffers.UOffsetT(t.Offset(slotOffset(field)))
}

// slot returns a field's position, 0 if it is not set.
func slot(t flatbuffers.Table, field int) flatbuffers.UOffsetT {
	if o := slotOf(t, field); o != 0 {
		return t.Pos + o
	}
	return 0
}

// decodeBatch decodes Arrow's RecordBatch {length, nodes, buffers, compression}.
func decodeBatch(record flatbuffers.Table, body []byte, columns []Column) (batch, error) {
	rows := record.GetInt64Slot(slotOffset(0), 0)
	if rows <= 0 || rows > 8*int64(len(body)) {
		return batch{}, reject(Malformed, "batch of %d rows in %d bytes", rows, len(body))
	}
	if slot(record, 3) != 0 {
		return batch{}, reject(Malformed, "the body is compressed; want an uncompressed one")
	}
	nodes, buffers := slotOf(record, 1), slotOf(record, 2)
	want := 0
	for _, c := range columns {
		want += buffersOf(c.Kind)
	}
	if nodes == 0 || buffers == 0 || record.VectorLen(nodes) != len(columns) || record.VectorLen(buffers) != want {
		return batch{}, reject(Malformed, "the columns of a batch differ from the schema")
	}
	node, buffer := record.Vector(nodes), record.Vector(buffers)
	next := func() ([]byte, error) { // Buffer {offset, length}
		offset, length := record.GetInt64(buffer), record.GetInt64(buffer+8)
		buffer += 16
		if offset < 0 || length < 0 || offset > int64(len(body)) || length > int64(len(body))-offset || offset%8 != 0 {
			return nil, reject(
				Malformed,
				"buffer of %d bytes at offset %d exceeds the body of %d bytes",
				length,
				offset,
				len(body),
			)
		}
		return body[offset : offset+length], nil
	}
	b := batch{rows: int(rows), columns: make([]column, len(columns))}
	for i, c := range columns {
		length, nulls := record.GetInt64(node), record.GetInt64(node+8) // FieldNode {length, null_count}
		node += 16
		if length != rows {
			return batch{}, reject(Malformed, "column %s has %d rows in a batch of %d", c.Name, length, rows)
		}
		if err := b.columns[i].decode(c, b.rows, nulls, next); err != nil {
			return batch{}, err
		}
	}
	return b, nil
}

// buffersOf returns the number of Arrow buffers of a column: validity and values, and offsets for
// text.
func buffersOf(k Kind) int {
	if k == String {
		return 3
	}
	return 2
}

// decode takes the column's buffers from next and checks their sizes, null count and offsets.
func (c *column) decode(d Column, rows int, nulls int64, next func() ([]byte, error)) error {
	valid, err := next()
	if err != nil {
		return err
	}
	if nulls != 0 {
		if len(valid) < (rows+7)/8 || int64(rows-countBits(valid, rows)) != nulls {
			return reject(Malformed, "column %s: the null count %d differs from the validity bitmap", d.Name, nulls)
		}
		if !d.Nullable {
			return reject(Null, "column %s: got %d nulls in a required column", d.Name, nulls)
		}
		c.valid = valid
	}
	values, err := next()
	if err != nil {
		return err
	}
	short := func() error { return reject(Malformed, "column %s: %d bytes for %d rows", d.Name, len(values), rows) }
	switch d.Kind {
	case Int64, Time:
		if len(values) < 8*rows {
			return short()
		}
		c.ints = arrow.Int64Traits.CastFromBytes(values)[:rows]
	case Float64:
		if len(values) < 8*rows {
			return short()
		}
		c.floats = arrow.Float64Traits.CastFromBytes(values)[:rows]
	case Bool:
		if len(values) < (rows+7)/8 {
			return short()
		}
		c.bits = values
	case String:
		if len(values) < 4*(rows+1) {
			return short()
		}
		c.ends = arrow.Int32Traits.CastFromBytes(values)[:rows+1]
		if c.data, err = next(); err != nil {
			return err
		}
		return c.checkText(d)
	}
	return nil
}

// checkText checks the offsets of texts, their lengths and that they are UTF-8.
func (c *column) checkText(d Column) error {
	last := c.ends[0]
	if last < 0 {
		return reject(Malformed, "column %s: negative text offset", d.Name)
	}
	for _, end := range c.ends[1:] {
		if end < last || int(end) > len(c.data) {
			return reject(Malformed, "column %s: text [%d, %d) of %d bytes", d.Name, last, end, len(c.data))
		}
		if end-last > maxText {
			return reject(BadText, "column %s: got a text of %d bytes, want at most %d", d.Name, end-last, maxText)
		}
		if !utf8.Valid(c.data[last:end]) {
			return reject(BadText, "column %s: got a text that is not UTF-8", d.Name)
		}
		last = end
	}
	return nil
}
