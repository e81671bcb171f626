package results

import (
	"io"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Errors that tests distinguish.
var (
	ErrNoSet    = errNoSet
	ErrTooLarge = errTooLarge
)

// Checksum returns the CRC-32C of a payload.
func Checksum(payload []byte) uint32 { return checksum(payload) }

// ParameterKind is the kind of column that stores parameters of a kind.
var ParameterKind = parameterKind

// NewBuilderWith is NewBuilder with an allocator that tests can check.
func (s *Schema) NewBuilderWith(mem memory.Allocator) *Builder { return s.newBuilder(mem) }

// WriteSpoiled writes one table of a delivery as a Parquet file with one cell overwritten, without
// checks.
func (s *Schema) WriteSpoiled(d Delivery, t Table, w io.Writer, name string, row int, x float64) (File, error) {
	out, err := s.newTableWriter(t, w)
	if err != nil {
		return File{}, err
	}
	payload := d.Payload
	for _, segment := range d.Segments {
		batches, err := s.decodeTable(segment, payload[:segment.Bytes])
		if err != nil {
			return File{}, err
		}
		payload = payload[segment.Bytes:]
		if segment.Table != t {
			continue
		}
		for i, c := range s.tables[t] {
			switch column := &batches[0].columns[i]; {
			case c.Name != name:
			case c.Kind == Int64:
				column.ints[row] = int64(x)
			case c.Kind == Float64:
				column.floats[row] = x
			}
		}
		for _, b := range batches {
			if err := out.write(b); err != nil {
				return File{}, err
			}
		}
	}
	return out.close()
}
