package solver_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// kernels are those that can run here.
func kernels() (all []simd.Kernel) {
	for k := simd.Scalar; k <= simd.Best(); k++ {
		all = append(all, k)
	}
	return all
}

// base is a spiked problem with steps short of the stationary phase.
func base() solver.Problem {
	return solver.Problem{Dimension: 16, Width: 16, Steps: 40, InitScale: 0.0123, LearningRate: 0.00413, LRWarm: 100,
		Covariance: solver.Covariance{Spectrum: spiked(16, 6)}, Teacher: solver.Teacher{Norm2: 1},
		Record: []int{0, 1, 5, 20, 40}}
}

// optimizers are all of them, with usual settings; commute: with orthogonal changes of basis.
func optimizers() []struct {
	name    string
	commute bool
	set     func(p *solver.Problem)
} {
	type p = *solver.Problem
	return []struct {
		name    string
		commute bool
		set     func(p *solver.Problem)
	}{
		{"gd", true, func(p p) { p.Optimizer = solver.GD }},
		{"momentum", true, func(p p) { p.Optimizer, p.Momentum = solver.MomentumGD, 0.9 }},
		{"nesterov", true, func(p p) { p.Optimizer, p.Momentum, p.Nesterov = solver.MomentumGD, 0.9, true }},
		{"ngd", true, func(p p) { p.Optimizer = solver.NGD }},
		{"specgd", true, func(p p) { p.Optimizer = solver.SpecGD }},
		{"nucspec", true, func(p p) { p.Optimizer = solver.NucSpec }},
		{"muon", true, func(p p) { p.Optimizer, p.Momentum, p.Nesterov, p.NSSteps = solver.Muon, 0.95, true, 5 }},
		{"polar express", true, func(p p) {
			p.Optimizer, p.Momentum, p.NSSteps, p.Orthogonalizer = solver.Muon, 0.95, 5, solver.PolarExpress
		}},
		{
			"exact muon",
			true,
			func(p p) { p.Optimizer, p.Momentum, p.Orthogonalizer = solver.Muon, 0.95, solver.ExactPolar },
		},
		{"power", true, func(p p) { p.Optimizer, p.Power, p.NormalizePower = solver.Power, 0.5, true }},
		{"raw power", true, func(p p) { p.Optimizer, p.Power = solver.Power, 0.75 }},
		{"dynmuon", true, func(p p) {
			p.Optimizer, p.Momentum, p.NormalizePower = solver.DynMuon, 0.5, true
			p.PowerMax, p.PowerMin, p.PowerMidpoint, p.PowerWidth = 1, -0.25, 0.02, 0.08
		}},
		{"shampoo", true, func(p p) { p.Optimizer, p.Epsilon = solver.Shampoo, 1e-6 }},
		{"signgd", false, func(p p) { p.Optimizer = solver.SignGD }},
		{"signum", false, func(p p) { p.Optimizer, p.Momentum = solver.Signum, 0.9 }},
		{"lion", false, func(p p) { p.Optimizer, p.Beta1, p.Beta2 = solver.Lion, 0.9, 0.99 }},
		{"adam", false, func(p p) { p.Optimizer, p.Beta1, p.Beta2, p.Epsilon = solver.Adam, 0.9, 0.999, 1e-8 }},
	}
}

// The list that the tests range over has every optimizer of the table, with its traits.
func TestOptimizersAreThoseOfTheTable(t *testing.T) {
	traits := solver.Optimizers()
	seen := make([]bool, len(traits))
	for _, o := range optimizers() {
		var p solver.Problem
		o.set(&p)
		seen[p.Optimizer] = true
		if row := traits[p.Optimizer]; row.BasisDependent == o.commute {
			t.Errorf("%s: commutes %v, the table has %+v", o.name, o.commute, row)
		}
	}
	for i, row := range traits {
		if !seen[i] || row.Name == "" || solver.Optimizer(i).String() != row.Name {
			t.Errorf("optimizer %d, %+v: in the list %v", i, row, seen[i])
		}
	}
	if o := solver.Optimizer(len(traits)); o.String() != fmt.Sprintf("Optimizer(%d)", len(traits)) {
		t.Errorf("an optimizer beyond the table is %v", o)
	}
}

// distance is the largest relative difference of two trajectories' metrics.
func distance(t *testing.T, a, b solver.Result) float64 {
	t.Helper()
	if a.Status != solver.OK || b.Status != solver.OK || len(a.Trajectory) != len(b.Trajectory) ||
		len(a.Trajectory) == 0 {
		t.Fatalf("%+v and %+v", a, b)
	}
	worst := 0.0
	for i := range a.Trajectory {
		x, y := a.Trajectory[i].Metrics, b.Trajectory[i].Metrics
		for _, v := range [][2]float64{{x.Loss, y.Loss},
			{x.SignalAlignment, y.SignalAlignment}, {x.SpikeAlignment, y.SpikeAlignment},
			{x.SignalEnergy, y.SignalEnergy}, {x.WeightNorm2, y.WeightNorm2}, {x.StableRank, y.StableRank}} {
			if !(math.Abs(v[0]) <= 1e100) || !(math.Abs(v[1]) <= 1e100) {
				t.Fatalf("%v and %v", v[0], v[1])
			}
			worst = max(worst, math.Abs(v[0]-v[1])/(1e-3+math.Abs(v[0])))
		}
	}
	return worst
}

func assertClose(t *testing.T, name string, a, b solver.Problem, tolerance float64) {
	t.Helper()
	r := solve(t, a, b)
	if off := distance(t, r[0], r[1]); off > tolerance {
		t.Errorf("%s: relative distance %.2g, want at most %.0e", name, off, tolerance)
	}
}

func TestDenseIsReduced(t *testing.T) {
	for _, o := range optimizers() {
		for _, decay := range []float64{0, 0.3} {
			for schedule := solver.Constant; schedule <= solver.InvSqrt; schedule++ {
				a := base()
				o.set(&a)
				a.WeightDecay, a.Schedule = decay, schedule
				b := a
				b.Representation = solver.Dense
				assertClose(t, fmt.Sprintf("%s, decay %v, schedule %d", o.name, decay, schedule), a, b, 1e-10)
			}
		}
	}
}

func TestRotationEquivariance(t *testing.T) {
	for _, o := range optimizers() {
		a := base()
		o.set(&a)
		a.Representation = solver.Dense
		rotated, turned := a, a
		rotated.Covariance.Rotate = true
		turned.Init = solver.Orthonormal // αH: W -> WO
		if !o.commute {
			r := solve(t, a, rotated)
			if off := distance(t, r[0], r[1]); off < 1e-3 {
				t.Errorf("%s does not depend on the basis: distance %v", o.name, off)
			}
			continue
		}
		assertClose(t, o.name+", Q and θ rotated", a, rotated, 1e-9)
		assertClose(t, o.name+", W turned", a, turned, 1e-9)
	}
}

func TestCovarianceScaling(t *testing.T) {
	const kappa = 3.0
	for _, o := range optimizers() {
		a := base()
		o.set(&a)
		b := a
		b.Covariance.Spectrum = nil
		for _, run := range a.Covariance.Spectrum {
			b.Covariance.Spectrum = append(
				b.Covariance.Spectrum,
				solver.Run{Value: kappa * run.Value, Count: run.Count},
			)
		}
		switch o.name {
		case "gd":
			b.LearningRate /= kappa * kappa
		case "specgd", "ngd", "power", "signgd":
		default:
			continue
		}
		r := solve(t, a, b)
		for i := range r[1].Trajectory {
			r[1].Trajectory[i].Loss /= kappa * kappa
		}
		if off := distance(t, r[0], r[1]); off > 1e-11 {
			t.Errorf("%s: relative distance %.2g", o.name, off)
		}
	}
}

func TestTeacherScaling(t *testing.T) {
	const tau = 1.7
	for _, o := range optimizers() {
		a := base()
		o.set(&a)
		b := a
		b.InitScale *= tau
		b.Teacher.Norm2 = tau * tau
		switch o.name {
		case "gd":
			b.LearningRate /= tau * tau
		case "specgd", "ngd", "power", "signgd":
			b.LearningRate *= tau
		default:
			continue
		}
		r := solve(t, a, b)
		for i := range r[1].Trajectory {
			s := &r[1].Trajectory[i]
			s.Loss /= tau * tau * tau * tau
			s.SignalEnergy /= tau * tau
			s.WeightNorm2 /= tau * tau
		}
		if off := distance(t, r[0], r[1]); off > 1e-11 {
			t.Errorf("%s: relative distance %.2g", o.name, off)
		}
	}
}

func TestWidthOneSpecGDIsNGD(t *testing.T) {
	for seed := range uint64(5) {
		a := base()
		a.Representation, a.Init, a.Width, a.InitScale, a.Seed = solver.Dense, solver.Gaussian, 1, 0.1, seed
		a.Optimizer = solver.SpecGD
		b := a
		b.Optimizer = solver.NGD
		assertClose(t, "width 1", a, b, 1e-10)
	}
}

func TestSignGDIsSpecGDOnDiagonalProblems(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		a := base()
		a.Representation, a.Optimizer = representation, solver.SpecGD
		b := a
		b.Optimizer = solver.SignGD
		assertClose(t, "diagonal", a, b, 1e-12)
	}
}

// Powers join specgd (p = 0) to gd (p = 1, not normalised).
func TestPowerEnds(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		a := base()
		a.Representation, a.Optimizer = representation, solver.Power
		b := a
		b.Optimizer = solver.SpecGD
		assertClose(t, "p = 0", a, b, 1e-12)
		a.Power, b.Optimizer = 1, solver.GD
		assertClose(t, "p = 1", a, b, 1e-12)
	}
}

// With no accumulation beyond the first step shampoo is the polar factor of G.
func TestShampooBeginsAsSpecGD(t *testing.T) {
	a := base()
	a.Steps, a.Record = 1, []int{0, 1}
	a.Optimizer, a.Epsilon = solver.Shampoo, 1e-14
	b := a
	b.Optimizer = solver.SpecGD
	assertClose(t, "first step", a, b, 1e-9)
}

// everyPath are problems of all models and representations, short and small.
func everyPath() []solver.Problem {
	var problems []solver.Problem
	for _, o := range optimizers() {
		for _, representation := range []solver.Representation{solver.Reduced, solver.Subspace, solver.Dense} {
			for _, model := range []solver.Model{solver.Population, solver.FiniteSample, solver.Online} {
				p := base()
				o.set(&p)
				p.Representation, p.Model, p.Samples, p.Seed = representation, model, 11, 5
				p.Covariance.Rotate = o.commute && representation != solver.Subspace
				if representation != solver.Reduced {
					p.Teacher.Kind, p.Init, p.Width = solver.Uniform, solver.Gaussian, 5
				}
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// Bits depend on the problem alone: not on the kernel, the batch, its order, or what the solver's
// memory held.
func TestNothingElseShowsInTheBits(t *testing.T) {
	problems := everyPath()
	want := make([]string, len(problems))
	for i, r := range solve(t, problems...) {
		want[i] = fmt.Sprintf("%+v", r)
	}
	for _, k := range kernels() {
		s, results := solver.NewKernel(k), make([]solver.Result, 1)
		for i := len(problems) - 1; i >= 0; i-- {
			if err := s.Solve(context.Background(), problems[i:i+1], results); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%+v", results[0]); got != want[i] {
				t.Fatalf("problem %d alone, %v\n%s\nin a batch\n%s", i, k, got, want[i])
			}
		}
	}
}
