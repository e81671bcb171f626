package results

import (
	"encoding/hex"
	"math"
)

// field is a column and where a row of type R has its value.
type field[R any] struct {
	Column
	properties property
	// at returns a pointer to the value: *int64, *float64, *string or *bool, as the column's kind
	// requires, or *[16]byte for an identifier that is stored as hex digits.
	at func(*R) any
}

// property is a set of properties of a column's values.
type property uint8

const (
	distinct property = 1 << iota // values rarely repeat within a row group: no dictionary
	fraction                      // values are in [0, 1]
	censored                      // null means later than the end of the run
	since4                        // sets of solver versions before 4 do not have the column
)

// cell returns the field's value in a row. Floats that are not finite are null, and so are negative
// steps and empty texts of nullable columns.
func (f *field[R]) cell(row *R) Cell {
	switch x := f.at(row).(type) {
	case *int64:
		return Cell{Int: *x, Null: f.Nullable && *x < 0}
	case *float64:
		return Cell{Float: *x, Null: math.IsNaN(*x) || math.IsInf(*x, 0)}
	case *string:
		return Cell{Text: *x, Null: f.Nullable && *x == ""}
	case *[16]byte:
		return Cell{Text: hex.EncodeToString(x[:])}
	case *bool:
		return Cell{Bool: *x}
	}
	panic("results: the field of column " + f.Name + " has an unknown type")
}

// set is the inverse of cell: null floats become NaN and null steps -1.
func (f *field[R]) set(row *R, c Cell) {
	switch x := f.at(row).(type) {
	case *int64:
		*x = c.Int
		if c.Null {
			*x = -1
		}
	case *float64:
		*x = c.Float
		if c.Null {
			*x = math.NaN()
		}
	case *string:
		*x = c.Text
	case *[16]byte:
		if id, err := hex.DecodeString(c.Text); err == nil {
			copy(x[:], id)
		}
	case *bool:
		*x = c.Bool
	}
}

// columnsOf returns the columns of fields.
func columnsOf[R any](fields []field[R]) []Column {
	columns := make([]Column, len(fields))
	for i, f := range fields {
		columns[i] = f.Column
	}
	return columns
}

// within turns fields of a struct in a row into fields of the row.
func within[R, P any](part func(*R) *P, fields []field[P]) []field[R] {
	out := make([]field[R], len(fields))
	for i, f := range fields {
		out[i] = field[R]{f.Column, f.properties, func(row *R) any { return f.at(part(row)) }}
	}
	return out
}

// join concatenates lists of fields.
func join[R any](tables ...[]field[R]) []field[R] {
	var out []field[R]
	for _, fields := range tables {
		out = append(out, fields...)
	}
	return out
}

// properties are those of the columns of every sweep, by table and name.
var properties = [numTables]map[string]property{
	Points:       propertiesOf(join(pointKey, pointResults)),
	Trajectories: propertiesOf(trajectoryFields),
	Coefficients: propertiesOf(coefficientFields),
	Shards:       propertiesOf(shardFields),
}

func propertiesOf[R any](fields []field[R]) map[string]property {
	out := map[string]property{}
	for _, f := range fields {
		out[f.Name] = f.properties
	}
	return out
}

// hasProperty reports whether a column has a property; parameters have none.
func hasProperty(t Table, name string, p property) bool { return properties[t][name]&p != 0 }

// IsFraction reports whether the values of a column of the points or trajectories table are in [0,
// 1].
func IsFraction(name string) bool {
	return hasProperty(Points, name, fraction) || hasProperty(Trajectories, name, fraction)
}

// IsCensored reports whether null in a column of the points table means later than the end of the
// run.
func IsCensored(name string) bool { return hasProperty(Points, name, censored) }
