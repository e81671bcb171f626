package views

import (
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// methodParameters are the parameters that say how a problem is solved.
var methodParameters = []sweep.ParameterID{
	sweep.Representation, sweep.Optimizer, sweep.Steps, sweep.LearningRate, sweep.Schedule,
	sweep.LRWarm, sweep.WeightDecay, sweep.Momentum, sweep.Nesterov, sweep.Orthogonalizer, sweep.NSSteps, sweep.Power,
	sweep.NormalizePower, sweep.PowerMax, sweep.PowerMin, sweep.PowerMidpoint, sweep.PowerWidth, sweep.Beta1,
	sweep.Beta2, sweep.Epsilon, sweep.Seed,
}

// Every parameter must be in one of the lists: otherwise comparisons of optimizers would mix
// problems.
func TestEveryParameterIsOfTheProblemOrTheMethod(t *testing.T) {
	for id := range sweep.ParameterID(sweep.NumParameters) {
		if slices.Contains(problemParameters, id) == slices.Contains(methodParameters, id) {
			t.Errorf("%s must be in one of problemParameters and methodParameters", id)
		}
	}
}
