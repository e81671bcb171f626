package results

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/phasegrid/phasegrid/sweep"
)

// arrowType returns the Arrow type of a kind. Enumerations are plain strings: this Arrow version
// cannot write a nullable dictionary column without nulls, and Parquet dictionary-encodes strings
// anyway.
func arrowType(k Kind) arrow.DataType {
	switch k {
	case Int64:
		return arrow.PrimitiveTypes.Int64
	case Float64:
		return arrow.PrimitiveTypes.Float64
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Time:
		return arrow.FixedWidthTypes.Timestamp_us
	}
	return arrow.BinaryTypes.String
}

// wireSchema is the schema that nodes send: names, types and nullability. It has no texts, so that
// releases with another wording of a formula stay compatible.
func wireSchema(columns []Column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: arrowType(c.Kind), Nullable: c.Nullable}
	}
	return arrow.NewSchema(fields, nil)
}

// wireSchemaBytes encodes the schema message that opens every stream of a table.
func wireSchemaBytes(columns []Column) ([]byte, error) {
	stream, err := schemaStream(wireSchema(columns))
	if err != nil {
		return nil, err
	}
	return stream[:len(stream)-len(endOfStream)], nil
}

// Keys of the metadata of parameters' fields: what the sweep says of them.
const (
	derivedKey = "derived"
	axisKey    = "axis"
	readByKey  = "read_by"
)

// fileSchema encodes the value of ARROW:schema in Parquet footers, in base64: the wire schema with
// units and formulas, and where the values of parameters come from.
func fileSchema(columns []Column) (string, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		keys := []string{"PARQUET:field_id", "unit", "formula"}
		values := []string{strconv.Itoa(i + 1), c.Unit, c.Doc}
		add := func(key, value string, given bool) {
			if given {
				keys, values = append(keys, key), append(values, value)
			}
		}
		add(derivedKey, "true", c.Derived)
		add(axisKey, "true", c.Axis)
		add(readByKey, c.ReadBy, c.ReadBy != "")
		fields[i] = arrow.Field{Name: c.Name, Type: arrowType(c.Kind), Nullable: c.Nullable,
			Metadata: arrow.NewMetadata(keys, values)}
	}
	text, err := pandasMetadata(columns)
	if err != nil {
		return "", err
	}
	var metadata *arrow.Metadata
	if text != "" {
		pandas := arrow.NewMetadata([]string{"pandas"}, []string{text})
		metadata = &pandas
	}
	stream, err := schemaStream(arrow.NewSchema(fields, metadata))
	return base64.StdEncoding.EncodeToString(stream), err
}

// pandasMetadata asks pandas to read seeds as its nullable Int64: beside a null it would turn them
// into float64, which rounds beyond 2^53. It is empty if no column needs it. The format is that of
// https://pandas.pydata.org/docs/development/developer.html.
func pandasMetadata(columns []Column) (string, error) {
	type column struct {
		Name       string  `json:"name"`
		FieldName  string  `json:"field_name"`
		PandasType string  `json:"pandas_type"`
		NumpyType  string  `json:"numpy_type"`
		Metadata   *string `json:"metadata"`
	}
	var large []column
	for _, c := range columns {
		if c.Kind == Int64 && isSeed(c.Name) {
			large = append(large, column{c.Name, c.Name, "int64", "Int64", nil})
		}
	}
	if large == nil {
		return "", nil
	}
	text, err := json.Marshal(
		map[string]any{"index_columns": []string{}, "column_indexes": []string{}, "columns": large},
	)
	if err != nil {
		return "", fmt.Errorf("results: encode pandas metadata: %w", err)
	}
	return string(text), nil
}

// isSeed reports whether a column is that of an integer parameter beyond what a float64 holds.
func isSeed(name string) bool {
	return slices.ContainsFunc(sweep.Parameters(), func(p sweep.Parameter) bool {
		return p.Name == name && p.Kind == sweep.KindInt && p.Max > 1<<53
	})
}

// schemaStream encodes a schema as an IPC stream without batches.
func schemaStream(s *arrow.Schema) ([]byte, error) {
	var b bytes.Buffer
	if err := ipc.NewWriter(&b, ipc.WithSchema(s)).Close(); err != nil {
		return nil, fmt.Errorf("results: encode Arrow schema: %w", err)
	}
	return b.Bytes(), nil
}

// endOfStream ends an IPC stream: the continuation marker and a length of 0.
var endOfStream = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
