package solver_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// Squares of the gradient underflow here. The step of ngd has its length all the same, in every
// representation.
func TestNGDMovesFromTinyStarts(t *testing.T) {
	for _, alpha := range []float64{1e-150, 1e-100, 1e-3} {
		for _, kappa := range []float64{1, 1e-10} {
			p := reducedSpiked(solver.NGD, 30, 3, alpha, 0.01, 200)
			p.Covariance.Spectrum = []solver.Run{
				{Value: kappa, Count: 1}, {Value: 4 * kappa, Count: 1}, {Value: kappa, Count: 28},
			}
			p.Record = []int{0, 1, 200}
			reduced := p
			subspace, dense := p, p
			subspace.Representation, dense.Representation = solver.Subspace, solver.Dense
			runs := solve(t, reduced, subspace, dense)
			for _, k := range kernels() {
				if got := solveOn(t, k, reduced)[0]; fmt.Sprint(got) != fmt.Sprint(runs[0]) {
					t.Errorf("alpha %v: %v gives\n%+v, want\n%+v", alpha, k, got, runs[0])
				}
			}
			for i, r := range runs {
				if r.Status != solver.OK {
					t.Fatalf("alpha %v, representation %d: %v %s", alpha, i, r.Status, r.Detail)
				}
				if got := math.Sqrt(r.Trajectory[1].WeightNorm2); math.Abs(got-0.01) > math.Sqrt(30)*alpha+1e-14 {
					t.Errorf("alpha %v, representation %d: ‖W‖ = %v after one step, want 0.01", alpha, i, got)
				}
				if got, want := r.Final.SignalAlignment, runs[0].Final.SignalAlignment; math.Abs(got-want) > 1e-9 {
					t.Errorf("alpha %v, representation %d: ends at alignment %v, reduced at %v", alpha, i, got, want)
				}
			}
		}
	}
}

// A run that ends where ‖W‖² underflows has no alignments: it is not ok, and says why.
func TestVanishedIteratesFail(t *testing.T) {
	p := reducedSpiked(solver.GD, 10, 2, 1e-300, 0.01, 20)
	dense, subspace := p, p
	dense.Representation, subspace.Representation = solver.Dense, solver.Subspace
	for _, r := range solve(t, p, subspace, dense) {
		if r.Status != solver.Failed || !strings.Contains(r.Detail, "at step 20: |W|_F^2 underflows") {
			t.Errorf("status %v, detail %q", r.Status, r.Detail)
		}
	}
}

// The smallest init_scale of a sweep file leaves every metric defined, whatever the optimizer.
func TestSmallestStartsHaveMetrics(t *testing.T) {
	for _, o := range optimizers() {
		for _, representation := range []solver.Representation{solver.Reduced, solver.Subspace, solver.Dense} {
			for _, init := range []solver.Init{solver.Identity, solver.Gaussian} {
				p := reducedSpiked(solver.GD, 40, 3, 1e-150, 1e-3, 3)
				o.set(&p)
				p.Representation, p.Init, p.LearningRate = representation, init, 1e-3
				if init == solver.Gaussian {
					p.Width = 9
				}
				r := solve(t, p)[0]
				if r.Status == solver.Failed && strings.Contains(r.Detail, "representation") {
					continue // does not have it
				}
				if r.Status != solver.OK || math.IsNaN(r.Final.GradientNuclearRank) {
					t.Errorf("%s, representation %d, init %d: %v %s %+v",
						o.name, representation, init, r.Status, r.Detail, r.Final)
				}
			}
		}
	}
}
