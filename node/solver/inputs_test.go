package solver_test

import (
	"context"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// A run that draws other inputs only: the first step of online gradient descent from a start along
// the teacher has E G in closed form, in which the fourth moment of the law shows. With d = m = 1,
// q = 1, W = w and θ = 1, G = (w² - 1) w z⁴.
func TestInputsHaveTheMomentsOfTheirLaw(t *testing.T) {
	for law, fourth := range map[solver.InputLaw]float64{
		solver.Normal: 3, solver.Rademacher: 1, solver.UniformLaw: 1.8, solver.Laplace: 6,
	} {
		const n, w, rate = 2_000_000, 0.5, 0.1
		p := solver.Problem{Model: solver.Online, Representation: solver.Dense, Dimension: 1, Width: 1, Steps: 1,
			Samples: n, Inputs: law, Covariance: solver.Covariance{Spectrum: []solver.Run{{Value: 1, Count: 1}}},
			Teacher: solver.Teacher{Norm2: 1}, InitScale: w, Seed: 3, LearningRate: rate, LRWarm: 100}
		r := solve(t, p)[0]
		moved := math.Sqrt(r.Final.WeightNorm2)
		got := (w - moved) / rate / ((w*w - 1) * w)
		if math.Abs(got-fourth) > 0.02*fourth {
			t.Errorf("law %d: fourth moment %v, want %v", law, got, fourth)
		}
	}
}

// The subspace of an online run needs inputs whose law no rotation changes.
func TestInputsThatAreNotGaussianAreDense(t *testing.T) {
	p := narrow()
	p.Model, p.Samples, p.Representation, p.Inputs = solver.Online, 4, solver.Subspace, solver.Laplace
	results := make([]solver.Result, 1)
	if err := solver.New().Solve(context.Background(), []solver.Problem{p}, results); err != nil {
		t.Fatal(err)
	}
	if results[0].Status != solver.Failed {
		t.Errorf("%+v", results[0])
	}
}
