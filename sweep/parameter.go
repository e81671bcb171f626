package sweep

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// ParameterID names a solver parameter. Its order is the enumeration order of the axes, cost axes
// first.
type ParameterID uint8

// The parameters, in the order in which axes are enumerated (outermost first).
const (
	Model ParameterID = iota
	Representation
	Optimizer
	Dimension
	Width
	NegativeUnits
	Steps
	Samples
	BatchSize
	Inputs
	Covariance
	Scale
	Anisotropy
	Spikes
	Exponent
	Blocks
	Eigenvalues
	Rho
	Normalize
	Rotate
	Teacher
	TeacherIndex
	TeacherWeights
	TeacherSeed
	TeacherNorm2
	TeacherVariance
	Init
	InitScale
	LearningRate
	Schedule
	LRWarm
	WeightDecay
	Momentum
	Nesterov
	Orthogonalizer
	NSSteps
	Power
	NormalizePower
	PowerMax
	PowerMin
	PowerMidpoint
	PowerWidth
	Beta1
	Beta2
	Epsilon
	LabelNoise
	Seed

	NumParameters = int(iota)
)

// Assignment gives each parameter of a table its value, null where it is not set.
type Assignment []Value

// Parameter describes one parameter: its name in the sweep file and in the result set, and what
// values it takes.
type Parameter struct {
	ID   ParameterID
	Name string
	Kind Kind
	// Words are the allowed values of a KindText parameter; of a variable, those in the file.
	Words []string
	// Auto: the word "auto" is allowed beside the kind's own values.
	Auto bool
	// Min and Max bound a number (of a list: each of its numbers), included unless open; infinite
	// where there is no bound.
	Min, Max         float64
	MinOpen, MaxOpen bool
	// Default is null where a value has to be given, where it is another parameter's (width:
	// dimension), and where the row of the optimizer or the covariance has it.
	Default Value
	// Optional: without a value the parameter stays null where it applies.
	Optional bool
	// When are the conditions of which one has to hold for the parameter to apply; none: it always
	// applies.
	When []Condition
	// Use is When in words, "covariance: spiked"; empty: everywhere.
	Use string
	// Unit and Doc are for the JSON Schema and for Parquet field metadata.
	Unit, Doc string
}

// Condition holds where a text parameter has one of the words.
type Condition struct {
	ID    ParameterID
	Words []string
}

// DefaultText is the default in words: a value, the name of the parameter whose value it is, one
// value for each optimizer or covariance that has the parameter, "none" where it may be left out,
// or "required".
func (p Parameter) DefaultText() string {
	if p.ID == Width {
		return builtin[Dimension].Name
	}
	if !p.Default.IsNull() {
		return p.Default.plain()
	}
	if p.Optional {
		return "none"
	}
	type owned struct{ owner, value string }
	var all []owned
	collect := func(name string, own []OwnParameter) {
		for _, o := range own {
			if o.ID == p.ID && !o.Default.IsNull() {
				all = append(all, owned{name, o.Default.plain()})
			}
		}
	}
	for _, r := range optimizerTable {
		collect(r.Name, r.Parameters)
	}
	for _, f := range covarianceTable {
		collect(f.Name, f.Parameters)
	}
	if len(all) == 0 {
		return "required"
	}
	parts, same := make([]string, len(all)), true
	for i, o := range all {
		parts[i] = o.owner + ": " + o.value
		same = same && o.value == all[0].value
	}
	if same {
		return all[0].value
	}
	return strings.Join(parts, ", ")
}

// check returns what is wrong with one value on its own, shown as got; "" if nothing is. A whole
// float is accepted as an integer, an integer as a float.
func (p Parameter) check(v Value, got string) string {
	ok := false
	switch p.Kind {
	case KindInt:
		ok = v.Kind() == KindInt && p.inRange(float64(v.Int())) ||
			v.Kind() == KindFloat && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53 &&
				p.inRange(v.Float())
	case KindFloat:
		ok = (v.Kind() == KindInt || v.Kind() == KindFloat) && p.inRange(v.Float()) ||
			p.Auto && v.Kind() == KindText && v.Text() == "auto"
	case KindText:
		if p.IsVariable() {
			ok = v.Kind() == KindText && isWord(v.text)
		} else if v.Kind() == KindText {
			for _, w := range p.Words {
				ok = ok || w == v.Text()
			}
		}
	case KindBool:
		ok = v.Kind() == KindBool
	case KindList:
		ok = v.Kind() == KindList && len(v.List()) > 0
		for _, x := range v.List() {
			ok = ok && p.inRange(x)
		}
	case KindPairs:
		return p.checkPairs(v, got)
	}
	if ok {
		return ""
	}
	return p.wrong(got)
}

// wrong is the message for a value that the parameter does not take.
func (p Parameter) wrong(got string) string {
	return fmt.Sprintf("%s: got %s, want %s", p.Name, got, p.Allowed())
}

// checkPairs is check for blocks ([value, count]) and teacher_weights ([index, weight]).
func (p Parameter) checkPairs(v Value, got string) string {
	flat := v.List()
	if v.Kind() != KindPairs || len(flat) == 0 || len(flat)%2 != 0 {
		return p.wrong(got)
	}
	norm2 := 0.0
	for i := 0; i < len(flat); i += 2 {
		value, whole := flat[i], flat[i+1]
		low := 1.0
		if p.ID == TeacherWeights {
			whole, value, low = flat[i], flat[i+1], 0
		}
		if !p.inRange(value) || whole != math.Trunc(whole) || !(whole >= low && whole <= maxCount) {
			return p.wrong(got)
		}
		norm2 += float64(value * value)
	}
	if p.ID == TeacherWeights {
		if !(norm2 > 0 && norm2 <= math.MaxFloat64) {
			return fmt.Sprintf("%s: got %s, want weights whose squares have a positive, finite sum", p.Name, got)
		}
		for i := 0; i < len(flat); i += 2 {
			for j := 0; j < i; j += 2 {
				if flat[i] == flat[j] {
					return fmt.Sprintf("%s: got index %v twice, want each index once", p.Name, flat[i])
				}
			}
		}
	}
	return ""
}

func (p Parameter) inRange(x float64) bool {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return false
	}
	return (x > p.Min || x == p.Min && !p.MinOpen) && (x < p.Max || x == p.Max && !p.MaxOpen)
}

// Allowed describes the values of the parameter: "an integer in 1..100", "one of gd, momentum".
func (p Parameter) Allowed() string {
	switch p.Kind {
	case KindInt:
		return "an integer" + p.interval()
	case KindFloat:
		if p.Auto {
			return "a number" + p.interval() + ", or auto"
		}
		return "a number" + p.interval()
	case KindText:
		if p.IsVariable() {
			return "a word"
		}
		return "one of " + strings.Join(p.Words, ", ")
	case KindBool:
		return "true or false"
	case KindList:
		return "a list of numbers, each" + p.interval()
	}
	if p.ID == TeacherWeights {
		return "a list of [index, weight] with integer indices >= 0"
	}
	return "a list of [value, count] with values > 0 and integer counts >= 1"
}

// interval is the range in words, with a leading space; empty when there is none.
func (p Parameter) interval() string {
	low, high := exact.FormatFloat(p.Min), exact.FormatFloat(p.Max)
	if p.Max == math.MaxInt64 { // as a float it is 2^63
		high = "9223372036854775807"
	}
	hasLow, hasHigh := !math.IsInf(p.Min, -1), !math.IsInf(p.Max, 1)
	if hasLow && hasHigh && !p.MinOpen && !p.MaxOpen {
		return " in " + low + ".." + high
	}
	var parts []string
	if hasLow {
		parts = append(parts, map[bool]string{false: ">= ", true: "> "}[p.MinOpen]+low)
	}
	if hasHigh {
		parts = append(parts, map[bool]string{false: "<= ", true: "< "}[p.MaxOpen]+high)
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, " and ")
}

// idSet is a set of parameters: bit id%64 of word id/64. It is as long as its largest member needs,
// nil is the empty set, and it is never changed in place.
type idSet []uint64

// setOf is the set of some parameters.
func setOf(ids ...ParameterID) (s idSet) {
	for _, id := range ids {
		s = s.with(id)
	}
	return s
}

func (s idSet) with(id ParameterID) idSet {
	t := make(idSet, max(len(s), int(id)/64+1))
	copy(t, s)
	t[id/64] |= 1 << (id % 64)
	return t
}

func (s idSet) without(id ParameterID) idSet {
	if !s.has(id) {
		return s
	}
	t := slices.Clone(s)
	t[id/64] &^= 1 << (id % 64)
	return t
}

func (s idSet) has(id ParameterID) bool { return int(id)/64 < len(s) && s[id/64]>>(id%64)&1 != 0 }

func (s idSet) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// union has the members of either set.
func (s idSet) union(t idSet) idSet {
	if len(s) < len(t) {
		s, t = t, s
	}
	u := slices.Clone(s)
	for i, w := range t {
		u[i] |= w
	}
	return u
}

// common has the members of both sets.
func (s idSet) common(t idSet) idSet {
	u := slices.Clone(s[:min(len(s), len(t))])
	for i := range u {
		u[i] &= t[i]
	}
	return u
}

// minus has the members of s that t has not.
func (s idSet) minus(t idSet) idSet {
	u := slices.Clone(s)
	for i := range min(len(s), len(t)) {
		u[i] &^= t[i]
	}
	return u
}

// first is the member that comes first in the table; the set is not empty.
func (s idSet) first() ParameterID {
	for i, w := range s {
		if w != 0 {
			return ParameterID(64*i + bits.TrailingZeros64(w))
		}
	}
	panic("sweep: an empty set has no first member")
}

// all are the members in the order of the table.
func (s idSet) all() iter.Seq[ParameterID] {
	return func(yield func(ParameterID) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(ParameterID(64*i + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}
