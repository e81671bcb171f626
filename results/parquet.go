package results

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/schema"
)

const (
	arrowSchemaKey   = "ARROW:schema"
	solverKey        = "phasegrid.solver"
	solverVersionKey = "phasegrid.solver_version" // of the built-in solver, in files of versions before 4

	zstdLevel = 3
)

// tableWriter writes one table's Parquet file: row groups of 122,880 rows, zstd level 3,
// statistics, and a footer with schema and solver. Equal rows give equal bytes, for any cut
// into batches.
type tableWriter struct {
	table Table
	out   *digest
	file  *parquetFile
	group *rowGroup
	rows  int64
}

func (s *Schema) newTableWriter(t Table, w io.Writer) (tw *tableWriter, err error) {
	out := newDigest(w)
	defer out.recoverTo(&err)
	columns := s.tables[t]
	root, err := parquetSchema(t, columns)
	if err != nil {
		return nil, err
	}
	arrowSchema, err := fileSchema(columns)
	if err != nil {
		return nil, err
	}
	var meta metadata.KeyValueMetadata
	for _, kv := range [][2]string{{arrowSchemaKey, arrowSchema}, {solverKey, s.options.Solver.String()}} {
		if err := meta.Append(kv[0], kv[1]); err != nil {
			return nil, fmt.Errorf("results: write footer of %s: %w", t, err)
		}
	}
	f, err := newParquetFile(t, out, root, writerProperties(t, columns), meta)
	if err != nil {
		return nil, err
	}
	return &tableWriter{table: t, out: out, file: f, group: newRowGroup(columns)}, nil
}

// parquetSchema returns the table's Parquet schema, with field ids from 1.
func parquetSchema(t Table, columns []Column) (*schema.GroupNode, error) {
	fields := make(schema.FieldList, len(columns))
	for i, c := range columns {
		repetition := parquet.Repetitions.Required
		if c.Nullable {
			repetition = parquet.Repetitions.Optional
		}
		var physical parquet.Type
		var logical schema.LogicalType = schema.NoLogicalType{}
		switch c.Kind {
		case Int64:
			physical = parquet.Types.Int64
		case Float64:
			physical = parquet.Types.Double
		case Bool:
			physical = parquet.Types.Boolean
		case Time:
			physical, logical = parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
		case String:
			physical, logical = parquet.Types.ByteArray, schema.StringLogicalType{}
		}
		node, err := schema.NewPrimitiveNodeLogical(c.Name, repetition, logical, physical, -1, int32(i+1))
		if err != nil {
			return nil, fmt.Errorf("results: make Parquet column %s.%s: %w", t, c.Name, err)
		}
		fields[i] = node
	}
	root, err := schema.NewGroupNode(t.String(), parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("results: make Parquet schema of %s: %w", t, err)
	}
	return root, nil
}

// writerProperties selects encodings: dictionaries for columns whose values repeat, plain values
// for the others. The size limit keeps dictionaries from falling back to plain values within a
// chunk: the library lists the encodings of such a chunk in random order.
func writerProperties(t Table, columns []Column) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(zstdLevel),
		parquet.WithStats(true),
		parquet.WithDictionaryPageSizeLimit(1 << 30), // more than any row group
	}
	for _, c := range columns {
		options = append(options, parquet.WithDictionaryFor(c.Name, repeats(t, c.Name)))
	}
	return parquet.NewWriterProperties(options...)
}

// repeats reports whether the values of a column repeat within a row group.
func repeats(t Table, name string) bool { return !hasProperty(t, name, distinct) }

// write appends the rows of a batch.
func (w *tableWriter) write(b batch) (err error) {
	defer w.out.recoverTo(&err)
	for i := 0; i < b.rows; {
		if w.group.full() {
			if err := w.flush(); err != nil {
				return err
			}
		}
		i = w.group.take(b, i)
	}
	w.rows += int64(b.rows)
	return nil
}

// flush writes the row group.
func (w *tableWriter) flush() error {
	if err := w.group.write(w.file); err != nil {
		return fmt.Errorf("results: write %s: %w", w.table, err)
	}
	return nil
}

// close writes the last row group and the footer. After an error the file must not be used, even if
// its footer is well-formed.
func (w *tableWriter) close() (f File, err error) {
	defer w.out.recoverTo(&err)
	if w.group.rows > 0 {
		if err := w.flush(); err != nil {
			return File{}, err
		}
	}
	if err := w.file.close(w.rows); err != nil {
		return File{}, fmt.Errorf("results: write %s: %w", w.table, err)
	}
	return File{Table: w.table, Bytes: w.out.bytes, Rows: w.rows, SHA256: [32]byte(w.out.hash.Sum(nil))}, nil
}
