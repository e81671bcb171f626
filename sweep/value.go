package sweep

import (
	"math"
	"strconv"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// Kind is the type of a parameter's values.
type Kind uint8

const (
	KindNull  Kind = iota // not set, or does not apply
	KindInt               // int64
	KindFloat             // float64, finite
	KindText              // one word of an enumeration
	KindBool              // true, false
	KindList              // list of numbers: spikes, eigenvalues
	KindPairs             // list of [number, number]: blocks, teacher_weights
)

// Value is one parameter's value. The zero Value is null.
type Value struct {
	kind Kind
	num  float64 // KindFloat; KindBool as 0 or 1
	i    int64   // KindInt
	text string  // KindText
	list []float64
}

// nullValue is the value of a parameter that is not set or does not apply.
func nullValue() Value { return Value{} }

// intValue returns an integer value.
func intValue(i int64) Value { return Value{kind: KindInt, i: i} }

// floatValue returns a number value; f must be finite.
func floatValue(f float64) Value { return Value{kind: KindFloat, num: f} }

// textValue returns a word of an enumeration.
func textValue(s string) Value { return Value{kind: KindText, text: s} }

// boolValue returns a truth value.
func boolValue(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// listValue returns a list of numbers. The caller gives the slice away.
func listValue(x []float64) Value { return Value{kind: KindList, list: x} }

// pairsValue returns a list of pairs, stored flat: x[2i], x[2i+1]. The caller gives the slice away.
func pairsValue(x []float64) Value { return Value{kind: KindPairs, list: x} }

// Kind returns the type of the value.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is not set or does not apply.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Int returns an integer value, or a whole float's; 0 for other kinds.
func (v Value) Int() int64 {
	switch v.kind {
	case KindInt:
		return v.i
	case KindFloat:
		return int64(v.num)
	}
	return 0
}

// Float returns the number of an integer or float value; NaN for other kinds.
func (v Value) Float() float64 {
	switch v.kind {
	case KindInt:
		return float64(v.i)
	case KindFloat:
		return v.num
	}
	return math.NaN()
}

// Text returns the word of a text value; "" for other kinds.
func (v Value) Text() string { return v.text }

// Bool returns a truth value; false for other kinds.
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// List returns the numbers of a list, or of pairs stored flat. Read only.
func (v Value) List() []float64 { return v.list }

// String is the value as canonical JSON (a text value is quoted).
func (v Value) String() string {
	switch v.kind {
	case KindInt:
		return strconv.FormatInt(v.i, 10)
	case KindFloat:
		return exact.FormatFloat(v.num)
	case KindText:
		return strconv.Quote(v.text)
	case KindBool:
		return strconv.FormatBool(v.num != 0)
	case KindList:
		parts := make([]string, len(v.list))
		for i, x := range v.list {
			parts[i] = exact.FormatFloat(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case KindPairs:
		parts := make([]string, 0, len(v.list)/2)
		for i := 0; i+1 < len(v.list); i += 2 {
			parts = append(parts, "["+exact.FormatFloat(v.list[i])+","+exact.FormatFloat(v.list[i+1])+"]")
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return "null"
}

// plain formats the value as in a sweep file: a word without quotes.
func (v Value) plain() string {
	if v.kind == KindText {
		return v.text
	}
	return v.String()
}
