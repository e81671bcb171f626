package rows

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"github.com/phasegrid/phasegrid/sweep"
)

// maxUncompressed bounds what a file says that its columns take.
const maxUncompressed = 256 << 20

// readParquet reads a Parquet file, whose columns are the names. It takes the file's own schema and
// not the Arrow schema that some writers add, whose decoder trusts the sizes in it; and it reads
// column by column in this goroutine, where panics about a damaged file can be caught.
func readParquet(section *io.SectionReader) (rows sweep.Rows, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged Parquet file: %v", r)
		}
	}()
	f, err := file.NewParquetReader(section, file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator)))
	if err != nil {
		return sweep.Rows{}, err
	}
	defer f.Close()
	columns := f.MetaData().Schema
	if err := checkSize(columns.NumColumns(), f.NumRows()); err != nil {
		return sweep.Rows{}, err
	}
	for k := range columns.NumColumns() {
		column := columns.Column(k)
		if column.MaxRepetitionLevel() > 0 || column.MaxDefinitionLevel() > 1 || len(column.ColumnPath()) > 1 {
			return sweep.Rows{}, fmt.Errorf(
				"column %s: got a list or a structure, want numbers, text or truth values; "+
					"write lists as [1, 2] in a CSV file",
				column.Path(),
			)
		}
		rows.Names = append(rows.Names, sweep.Cell{Text: column.Name(), Line: 1, Column: k + 1})
	}
	return rows, readGroups(f, &rows)
}

// readGroups reads the rows of all row groups.
func readGroups(f *file.Reader, rows *sweep.Rows) error {
	total := int64(0)
	for g := range f.NumRowGroups() {
		group := f.RowGroup(g)
		n, size := group.NumRows(), group.MetaData().TotalByteSize()
		if total += size; size < 0 || size > maxUncompressed || total > maxUncompressed {
			return fmt.Errorf("got more than %d bytes of columns", maxUncompressed)
		}
		if n < 0 || int64(len(rows.Rows))+n > f.NumRows() {
			return fmt.Errorf("got row groups of more than %d rows", f.NumRows())
		}
		first := len(rows.Rows)
		for range n {
			rows.Rows = append(rows.Rows, make([]sweep.Cell, len(rows.Names)))
		}
		for k := range rows.Names {
			chunk, err := group.Column(k)
			if err != nil {
				return fmt.Errorf("column %s: %w", rows.Names[k].Text, err)
			}
			cells, err := readChunk(chunk, int(n))
			if err != nil {
				return fmt.Errorf("column %s: %w", rows.Names[k].Text, err)
			}
			for i, c := range cells {
				c.Line, c.Column = first+i+1, k+1
				rows.Rows[first+i][k] = c
			}
		}
	}
	return nil
}

// readChunk reads the n values of one column of a row group.
func readChunk(chunk file.ColumnChunkReader, n int) ([]sweep.Cell, error) {
	column := chunk.Descriptor()
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		return cellsOf(n, column, r.ReadBatch, func(v bool) (sweep.Cell, error) {
			return sweep.Cell{Text: strconv.FormatBool(v)}, nil
		})
	case *file.Int32ColumnChunkReader:
		return cellsOf(n, column, r.ReadBatch, func(v int32) (sweep.Cell, error) {
			return integer(column.LogicalType(), int64(v), uint64(uint32(v)))
		})
	case *file.Int64ColumnChunkReader:
		return cellsOf(n, column, r.ReadBatch, func(v int64) (sweep.Cell, error) {
			return integer(column.LogicalType(), v, uint64(v))
		})
	case *file.Float32ColumnChunkReader:
		return cellsOf(n, column, r.ReadBatch, func(v float32) (sweep.Cell, error) { return float(float64(v)) })
	case *file.Float64ColumnChunkReader:
		return cellsOf(n, column, r.ReadBatch, float)
	case *file.ByteArrayColumnChunkReader:
		if !isText(column) {
			break
		}
		return cellsOf(n, column, r.ReadBatch, func(v parquet.ByteArray) (sweep.Cell, error) {
			return sweep.Cell{Text: string(v), Quoted: true}, nil
		})
	}
	return nil, fmt.Errorf(
		"got type %v %v, want numbers, text or truth values",
		column.PhysicalType(),
		column.LogicalType(),
	)
}

// cellsOf reads n values by read, which returns those that are there and where they are.
func cellsOf[T any](
	n int,
	column *schema.Column,
	read func(n int64, values []T, defined, repeated []int16) (total int64, present int, err error),
	cell func(T) (sweep.Cell, error),
) ([]sweep.Cell, error) {
	cells, values, defined := make([]sweep.Cell, n), make([]T, n), make([]int16, n)
	for at := 0; at < n; {
		total, present, err := read(int64(n-at), values, defined, nil)
		if err != nil {
			return nil, err
		}
		if total <= 0 || present > int(total) {
			return nil, fmt.Errorf("got %d values, want %d", at, n)
		}
		next := 0
		for i := range int(total) {
			if column.MaxDefinitionLevel() > 0 && defined[i] == 0 {
				continue
			}
			c, err := cell(values[next])
			if err != nil {
				return nil, fmt.Errorf("row %d of its row group: %w", at+i+1, err)
			}
			cells[at+i] = c
			next++
		}
		at += int(total)
	}
	return cells, nil
}

func float(v float64) (sweep.Cell, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return sweep.Cell{}, fmt.Errorf("got %v, want a finite number, or null where there is none", v)
	}
	return sweep.Cell{Text: strconv.FormatFloat(v, 'g', -1, 64)}, nil
}

// integer is a number that is stored as an integer; unsigned are its bits without a sign.
func integer(kind schema.LogicalType, v int64, unsigned uint64) (sweep.Cell, error) {
	switch kind := kind.(type) {
	case *schema.DecimalLogicalType:
		return sweep.Cell{Text: decimal128.FromI64(v).ToString(kind.Scale())}, nil
	case *schema.IntLogicalType:
		if !kind.IsSigned() {
			return sweep.Cell{Text: strconv.FormatUint(unsigned, 10)}, nil
		}
	case schema.NoLogicalType, schema.UnknownLogicalType, nil:
	default:
		return sweep.Cell{}, fmt.Errorf("%w %v", errNoNumber, kind)
	}
	return sweep.Cell{Text: strconv.FormatInt(v, 10)}, nil
}

// errNoNumber is the cause of an error about integers that mean something else, such as dates.
var errNoNumber = errors.New("want a number, got type")

// isText reports whether a column of bytes is text.
func isText(column *schema.Column) bool {
	switch column.LogicalType().(type) {
	case schema.StringLogicalType, schema.EnumLogicalType:
		return true
	}
	return false
}
