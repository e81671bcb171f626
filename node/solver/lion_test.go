package solver_test

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// Two steps of lion with d = 1, Q = 1, θ = 1, computed by hand: G = 3w(w² - 1).
//
//	w_0 = 0.5: G = -1.125, M = 0: U = sign(-0.5625) = -1, w_1 = 0.75, M = -0.28125
//	w_1 = 0.75: G = -0.984375: U = sign(-0.140625 - 0.4921875) = -1, w_2 = 1, M = -0.45703125
//	w_2 = 1: G = 0: U = sign(-0.228515625) = -1, w_3 = 1.25
//	w_3 = 1.25: G = 2.109375, M = -0.3427734375: U = sign(-0.17138671875 + 1.0546875) = 1, w_4 = 1
func TestLionByHand(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		p := solver.Problem{Optimizer: solver.Lion, Representation: representation, Dimension: 1, Width: 1, Steps: 4,
			InitScale: 0.5, LearningRate: 0.25, Beta1: 0.5, Beta2: 0.75, Teacher: solver.Teacher{Norm2: 1},
			Covariance: solver.Covariance{Spectrum: []solver.Run{{Value: 1, Count: 1}}}, Record: []int{0, 1, 2, 3, 4}}
		r := solve(t, p)[0]
		for k, w := range []float64{0.5, 0.75, 1, 1.25, 1} {
			if got := r.Trajectory[k].WeightNorm2; got != w*w {
				t.Errorf("representation %d: w_%d² = %v, want %v", representation, k, got, w*w)
			}
		}
	}
}

// With β₁ = β₂ lion is signum; with β₁ = 0 it is signgd. A gradient that is 0 from the start moves
// nothing.
func TestLionEnds(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		a := base()
		a.Representation, a.Optimizer, a.Beta1, a.Beta2 = representation, solver.Lion, 0.9, 0.9
		b := a
		b.Optimizer, b.Momentum = solver.Signum, 0.9
		assertClose(t, "equal betas", a, b, 1e-12)
		a.Beta1, b.Optimizer = 0, solver.SignGD
		assertClose(t, "beta1 = 0", a, b, 1e-12)
		a.InitScale, a.Covariance.Spectrum = 1, []solver.Run{{Value: 1, Count: 1}}
		a.Dimension, a.Width = 1, 1
		if r := solve(t, a)[0]; r.Final.Loss != 0 || math.Abs(r.Final.WeightNorm2-1) > 0 {
			t.Errorf("representation %d: lion leaves a stationary point: %+v", representation, r.Final)
		}
	}
}
