package sweep

import "strings"

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
	Steps
	Samples
	BatchSize
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
	TeacherNorm2
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
	// Words are the allowed values of a KindText parameter.
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
// value for each optimizer or covariance that has the parameter, or "required".
func (p Parameter) DefaultText() string {
	if p.ID == Width {
		return builtin[Dimension].Name
	}
	if !p.Default.IsNull() {
		return p.Default.plain()
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
