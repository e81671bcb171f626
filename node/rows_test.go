package node

import (
	"reflect"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// Every column of a run has a value of the solver's: a field that is added to the summary and not
// copied would be 0 in every row.
func TestSummaryCopiesEveryField(t *testing.T) {
	var r solver.Result
	fill(reflect.ValueOf(&r).Elem())
	summary := reflect.ValueOf(summaryOf(&r))
	for _, field := range reflect.VisibleFields(summary.Type()) {
		if !field.Anonymous && summary.FieldByIndex(field.Index).IsZero() {
			t.Errorf("summaryOf does not set %s", field.Name)
		}
	}
}

// fill sets every number and bool of a struct to something else than zero.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Int:
			f.SetInt(int64(i) + 1)
		case reflect.Float64:
			f.SetFloat(float64(i) + 1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Struct:
			fill(f)
		}
	}
}
