package views

import (
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// problemParameters are the parameters that say what is solved, not how: optimizers are compared
// where these agree.
var problemParameters = []sweep.ParameterID{
	sweep.Model, sweep.Dimension, sweep.Width, sweep.NegativeUnits, sweep.Samples, sweep.BatchSize, sweep.Inputs,
	sweep.Covariance, sweep.Scale, sweep.Anisotropy, sweep.Spikes, sweep.Exponent, sweep.Blocks, sweep.Eigenvalues,
	sweep.Rho, sweep.Normalize, sweep.Rotate, sweep.Teacher, sweep.TeacherIndex, sweep.TeacherWeights,
	sweep.TeacherSeed, sweep.TeacherNorm2, sweep.TeacherVariance, sweep.Init, sweep.InitScale, sweep.LabelNoise,
}

// comparison is a view that compares optimizers along one axis. Column names are quoted.
type comparison struct {
	View string
	Name string // of the axis, in words
	Axis string
	// Held are the columns that say which problem is solved, but for the axis: parameters, and
	// variables that some of these derive from. Apart are those that part rows, the others are
	// derived.
	Held, Apart []string

	ApartAndOptimizer, ApartAndPair, HeldAndPair []string
}

// comparisons are those along the anisotropy and along every other numeric axis but for what is
// tuned over. Sets of earlier releases do not say which parameters are axes.
func (v *views) comparisons() []comparison {
	var all []comparison
	if !v.Has("learning_rate", "optimizer") {
		return nil
	}
	if v.Has("anisotropy") {
		all = append(all, v.comparison("crossover", "anisotropy"))
	}
	for _, p := range v.schema.Parameters() {
		numeric := p.Kind == results.Int64 || p.Kind == results.Float64
		if p.Axis && numeric && p.Name != "anisotropy" && slices.Contains(v.Cell, quote(p.Name)) {
			all = append(all, v.comparison("crossover_"+p.Name, p.Name))
		}
	}
	return all
}

func (v *views) comparison(view, axis string) comparison {
	c := comparison{View: view, Name: axis, Axis: quote(axis)}
	for _, p := range v.schema.Parameters() {
		if p.Name == axis || !ofProblem(p.Name) && !v.feedsProblem(p, axis) {
			continue
		}
		c.Held = append(c.Held, quote(p.Name))
		if !follows(v.schema, p) {
			c.Apart = append(c.Apart, quote(p.Name))
		}
	}
	c.ApartAndOptimizer = append(slices.Clone(c.Apart), "optimizer")
	c.ApartAndPair = append(slices.Clone(c.ApartAndOptimizer), c.Axis)
	c.HeldAndPair = append(slices.Clone(c.Held), "optimizer", c.Axis)
	return c
}

func ofProblem(name string) bool {
	return slices.ContainsFunc(problemParameters, func(id sweep.ParameterID) bool { return id.String() == name })
}

// feedsProblem reports whether a variable decides a parameter of the problem, itself or through
// other derived parameters, but not through the axis or the learning rate.
func (v *views) feedsProblem(p results.Column, axis string) bool {
	if !among(v.schema.Variables(), p) {
		return false
	}
	var readers []string
	for next := []results.Column{p}; len(next) > 0; next = next[1:] {
		for name := range strings.FieldsSeq(next[0].ReadBy) {
			if name == axis || name == "learning_rate" || slices.Contains(readers, name) {
				continue
			}
			if ofProblem(name) {
				return true
			}
			readers = append(readers, name)
			for _, c := range v.schema.Parameters() {
				if c.Name == name {
					next = append(next, c)
				}
			}
		}
	}
	return false
}

// among reports whether a column is one of others.
func among(columns []results.Column, c results.Column) bool {
	return slices.ContainsFunc(columns, func(o results.Column) bool { return o.Name == c.Name })
}
