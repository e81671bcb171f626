package results

import (
	"reflect"
	"slices"
	"testing"
)

// Every field of a row is the value of exactly one column, whose kind is its type.
func TestFieldsCoverTheirRows(t *testing.T) {
	checkFields(t, metricFields)
	checkFields(t, join(pointKey, pointResults), "Parameters")
	checkFields(t, trajectoryFields)
	checkFields(t, coefficientFields)
	checkFields(t, shardFields)
}

func checkFields[R any](t *testing.T, fields []field[R], without ...string) {
	t.Helper()
	var row R
	column := map[any]string{} // by pointer
	for _, f := range fields {
		p := f.at(&row)
		if other := column[p]; other != "" {
			t.Errorf("%T: columns %s and %s have the same field", row, other, f.Name)
		}
		column[p] = f.Name
		kinds := map[reflect.Type][]Kind{
			reflect.TypeFor[*int64]():    {Int64, Time},
			reflect.TypeFor[*float64]():  {Float64},
			reflect.TypeFor[*bool]():     {Bool},
			reflect.TypeFor[*string]():   {String},
			reflect.TypeFor[*[16]byte](): {String},
		}[reflect.TypeOf(p)]
		if !slices.Contains(kinds, f.Kind) {
			t.Errorf("%T: column %s of kind %s has a field of %T", row, f.Name, f.Kind, p)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		p := reflect.ValueOf(&row).Elem().FieldByIndex(field.Index).Addr().Interface()
		if !field.Anonymous && column[p] == "" && !slices.Contains(without, field.Name) {
			t.Errorf("%T: field %s has no column", row, field.Name)
		}
	}
}

// Every table has a reference, with documented columns.
func TestReferenceCoversTheTables(t *testing.T) {
	reference := Reference()
	if len(reference) != numTables {
		t.Fatalf("%d references for %d tables", len(reference), numTables)
	}
	for i, r := range reference {
		if r.Table != Table(i) || r.Rows == "" || len(r.Columns) == 0 {
			t.Errorf("%s: reference %+v", Table(i), r)
		}
		for _, c := range r.Columns {
			if c.Doc == "" {
				t.Errorf("%s.%s has no documentation", r.Table, c.Name)
			}
		}
	}
}
