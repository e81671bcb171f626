package sweep

import (
	"slices"
	"testing"
)

// everywhere are the parameters that apply to every point.
var everywhere = []ParameterID{
	Model, Representation, Optimizer, Dimension, Width, NegativeUnits, Steps, Covariance, Normalize, Rotate,
	Teacher, TeacherNorm2, TeacherVariance, Init, InitScale, LearningRate, Schedule, WeightDecay,
}

// Every constant has one row, and one that does not apply everywhere has an owner among optimizers
// and covariances, or a condition: one without would be asked of every sweep.
func TestEveryParameterHasARow(t *testing.T) {
	rows := map[ParameterID]int{}
	for _, group := range [][]Parameter{runParameters(), covarianceParameters(), stateParameters(),
		optimizerParameters()} {
		for _, p := range group {
			rows[p.ID]++
		}
	}
	names := map[string]bool{}
	for id := range ParameterID(NumParameters) {
		p := builtin[id]
		if rows[id] != 1 || p.ID != id || p.Name == "" || p.Doc == "" || names[p.Name] {
			t.Errorf("parameter %d: %d rows, name %q, doc %q", id, rows[id], p.Name, p.Doc)
		}
		names[p.Name] = true
		if (len(p.When) == 0) != slices.Contains(everywhere, id) {
			t.Errorf("%s applies where %+v; want an owner or a condition, or a place in everywhere", p.Name, p.When)
		}
	}
}
