package solver_test

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// random is a problem with a random teacher and a start on the sphere.
func random(d, m int) solver.Problem {
	p := base()
	p.Representation, p.Dimension, p.Width = solver.Dense, d, m
	p.Init, p.InitScale, p.Seed = solver.Sphere, 0.3, 5
	p.Teacher = solver.Teacher{Kind: solver.Random, Seed: 9, Norm2: 1.5}
	p.Covariance.Spectrum = spiked(d, 4)
	p.Steps, p.Record = 30, []int{0, 30}
	return p
}

func TestSphereStartHasTheNormOfItsScale(t *testing.T) {
	for seed := range uint64(200) {
		p := random(20+int(seed%30), 1+int(seed%5))
		p.Seed, p.Steps, p.Record = seed, 0, []int{0}
		subspace, online := p, p
		subspace.Representation, online.Representation = solver.Subspace, solver.Subspace
		online.Model, online.Samples = solver.Online, 3
		for i, r := range append(solve(t, p, subspace), solve(t, online)...) {
			if got := r.Trajectory[0].WeightNorm2; math.Abs(got-0.09) > 1e-15 {
				t.Errorf("seed %d, run %d: ‖W_0‖² is %v, want 0.09", seed, i, got)
			}
		}
	}
}

// Its direction is that of the gaussian start of the same seed.
func TestSphereStartIsTheScaledGaussian(t *testing.T) {
	a := random(20, 3)
	b := a
	b.Init = solver.Gaussian
	r := solve(t, a, b)
	x, y := r[0].Trajectory[0], r[1].Trajectory[0]
	if math.Abs(x.SignalAlignment-y.SignalAlignment) > 1e-14 || math.Abs(x.StableRank-y.StableRank) > 1e-13 {
		t.Errorf("%+v and %+v", x, y)
	}
}

func TestRandomTeacherIsIndependentOfTheSeed(t *testing.T) {
	a := random(20, 20)
	a.Init, a.InitScale = solver.Identity, 0.1
	b, c := a, a
	b.Seed, c.Teacher.Seed = 77, 77
	r := solve(t, a, b, c)
	if r[0].Final != r[1].Final {
		t.Errorf("another seed gives another run: %+v, %+v", r[0].Final, r[1].Final)
	}
	if r[0].Final == r[2].Final {
		t.Error("another teacher seed gives the same run")
	}
}

// The subspace takes any teacher and start: it must follow the dense run, rotated too.
func TestSubspaceFollowsDenseFromTheSphere(t *testing.T) {
	for _, rotate := range []bool{false, true} {
		a := random(50, 3)
		a.Covariance.Rotate, a.Steps, a.Record = rotate, 300, []int{0, 1, 10, 100, 300}
		a.LearningRate = 0.01
		b := a
		b.Representation = solver.Subspace
		r := solve(t, a, b)
		if off := distance(t, r[0], r[1]); off > 1e-11 {
			t.Errorf("rotate %v: relative distance %.2g", rotate, off)
		}
	}
}
