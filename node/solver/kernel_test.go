package solver_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// laneProblems are reduced points of every optimizer with other spectra, schedules, lengths and
// ends, and dense ones among them.
func laneProblems(rng *rand.Rand, n int) []solver.Problem {
	var problems []solver.Problem
	for _, o := range optimizers() {
		for range n {
			d := 2 + rng.IntN(40)
			p := solver.Problem{Representation: solver.Reduced, Dimension: d, Width: d, Steps: rng.IntN(300),
				InitScale: 0.01 * (1 + rng.Float64()), LRWarm: 100,
				Teacher:      solver.Teacher{Index: rng.IntN(d), Norm2: 1},
				LearningRate: 0.01 * rng.Float64(), Schedule: solver.Schedule(rng.IntN(4))}
			switch rng.IntN(3) {
			case 0:
				p.Covariance.Spectrum = powerLaw(d, 2*rng.Float64(), true)
			case 1:
				p.Covariance.Spectrum = []solver.Run{{Value: 1, Count: d}}
			default:
				p.Teacher.Index, p.Dimension, p.Width = 0, d+2, d+2
				p.Covariance.Spectrum = []solver.Run{
					{Value: 1, Count: 1},
					{Value: 1 + 20*rng.Float64(), Count: 1},
					{Value: 1, Count: d},
				}
			}
			o.set(&p)
			if rng.IntN(4) == 0 {
				p.LearningRate *= 300
			}
			if rng.IntN(3) == 0 {
				p.WeightDecay = 0.01
			}
			for k := 0; k < p.Steps; k += 1 + rng.IntN(80) {
				p.Record = append(p.Record, k)
			}
			problems = append(problems, p)
		}
	}
	for _, o := range optimizers() {
		p := reducedSpiked(solver.GD, 13+rng.IntN(8), 4, 0.3, 0.003, 30)
		o.set(&p)
		p.Init, p.Representation, p.Record = solver.Gaussian, solver.Dense, []int{0, 7, 30}
		problems = append(problems, p)
	}
	rng.Shuffle(len(problems), func(i, j int) { problems[i], problems[j] = problems[j], problems[i] })
	return problems
}

// A kernel does not show in the bits of a result, nor do the lanes and the points beside one.
func TestKernelsDoNotShow(t *testing.T) {
	statuses := sameInAllKernels(t, laneProblems(rand.New(rand.NewPCG(5, 6)), 12))
	if statuses[solver.Diverged] == 0 || statuses[solver.OK] < 50 {
		t.Errorf("the problems end as %v", statuses)
	}
}

// Points of three groups have kernels of their own for gd and specgd, which are at their best where
// nothing happens for long.
func TestKernelsOfThreeGroupsDoNotShow(t *testing.T) {
	statuses := sameInAllKernels(t, threeGroupProblems(rand.New(rand.NewPCG(7, 8)), 400))
	if statuses[solver.Diverged] < 20 || statuses[solver.OK] < 100 {
		t.Errorf("the problems end as %v", statuses)
	}
}

// A row of lanes holds eight points or eight eigenspaces of one, whichever is faster for so many
// points and eigenspaces. Alone a point has the second layout, together with others of its kind the
// first one.
func TestLayoutsOfManyGroupsDoNotShow(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var problems []solver.Problem
	for _, o := range optimizers() {
		for _, groups := range []int{8, 9, 15, 16, 17, 64, 255, 257, 300, 447, 520} {
			steps := 10 + rng.IntN(30)
			for range 1 + rng.IntN(9) {
				problems = append(problems, manyGroups(rng, groups, steps, o.set))
			}
		}
	}
	statuses := sameInAllKernels(t, problems)
	if statuses[solver.Diverged] < 50 || statuses[solver.OK] < 300 {
		t.Errorf("the problems end as %v", statuses)
	}
}

// manyGroups is a point of so many distinct eigenvalues, some of which occur several times.
func manyGroups(rng *rand.Rand, groups, steps int, set func(*solver.Problem)) solver.Problem {
	p := reducedSpiked(solver.GD, groups, 4, 0.003*(1+rng.Float64()), 0.01*rng.Float64(), steps)
	p.Covariance.Spectrum = powerLaw(groups, 0.1+rng.Float64(), true)
	p.Teacher.Index = rng.IntN(groups)
	for range groups / 3 {
		p.Covariance.Spectrum[rng.IntN(groups)].Count += rng.IntN(3)
	}
	p.Dimension = 0
	for _, run := range p.Covariance.Spectrum {
		p.Dimension += run.Count
	}
	p.Width, p.LRWarm, p.Schedule = p.Dimension, 50, solver.Schedule(rng.IntN(4))
	set(&p)
	switch rng.IntN(6) {
	case 0:
		p.LearningRate *= 1e5
	case 1:
		p.InitScale = 1e-160
	}
	if rng.IntN(3) == 0 {
		p.WeightDecay = 0.1
	}
	for k := rng.IntN(5); k < steps; k += 1 + rng.IntN(8) {
		p.Record = append(p.Record, k)
	}
	return p
}

// The energies of a start so faint are subnormal for long; whether a neighbour in the vector is
// looked at must not matter then either.
func TestKernelsOfFaintIteratesDoNotShow(t *testing.T) {
	var problems []solver.Problem
	for i := range 64 {
		p := reducedSpiked(solver.GD, 788, 0.0313, math.Pow(10, -168.6-float64(i)/64), 0.1116, 400)
		p.Teacher.Norm2, p.Record = 6.8, []int{i}
		problems = append(problems, p, reducedSpiked(solver.GD, 30, 9, 0.0001, 0.001, 400))
	}
	sameInAllKernels(t, problems)
}

// threeGroupProblems are gd and specgd at constant rates, from usual to absurd, some of them long.
func threeGroupProblems(rng *rand.Rand, n int) []solver.Problem {
	log := func(from, to float64) float64 { return math.Pow(10, from+(to-from)*rng.Float64()) }
	problems := make([]solver.Problem, n)
	for i := range problems {
		lambda := log(-2, 3)
		p := reducedSpiked(solver.GD, 3+rng.IntN(1000), lambda, log(-5, 1), log(-4, 0)/(1+lambda), rng.IntN(3000))
		if rng.IntN(2) == 0 {
			p.Optimizer = solver.SpecGD
		}
		p.Teacher.Norm2 = log(-2, 1)
		if rng.IntN(4) == 0 {
			p.WeightDecay = log(-4, 0)
		}
		switch rng.IntN(20) {
		case 0:
			p.InitScale = 0
		case 1:
			p.InitScale = log(-320, -100)
		case 2:
			p.LearningRate = log(0, 300)
		case 3:
			p.LearningRate = log(-300, -20)
		case 4:
			if rng.IntN(2) == 0 {
				p.InitScale, p.LearningRate = log(-60, -20), log(-60, -20)
			}
			for j := range p.Covariance.Spectrum {
				p.Covariance.Spectrum[j].Value *= log(-150, 150)
			}
		}
		for k := rng.IntN(50); k < p.Steps && rng.IntN(4) > 0; k += 1 + rng.IntN(1000) {
			p.Record = append(p.Record, k)
		}
		problems[i] = p
	}
	return problems
}

// sameInAllKernels solves problems together in every kernel, and alone in the scalar one; it
// returns how they end.
func sameInAllKernels(t *testing.T, problems []solver.Problem) map[solver.Status]int {
	t.Helper()
	statuses := map[solver.Status]int{}
	want := make([]string, len(problems))
	alone := solver.NewKernel(simd.Scalar)
	for i := range problems {
		var r [1]solver.Result
		if err := alone.Solve(context.Background(), problems[i:i+1], r[:]); err != nil {
			t.Fatal(err)
		}
		statuses[r[0].Status]++
		want[i] = fmt.Sprintf("%+v", r[0])
	}
	for _, k := range kernels() {
		results := make([]solver.Result, len(problems))
		if err := solver.NewKernel(k).Solve(context.Background(), problems, results); err != nil {
			t.Fatal(err)
		}
		for i := range results {
			if got := fmt.Sprintf("%+v", results[i]); got != want[i] {
				t.Fatalf(
					"%v: problem %+v:\n%.2000s\nalone in the scalar kernel:\n%.2000s",
					k,
					problems[i],
					got,
					want[i],
				)
			}
		}
	}
	return statuses
}
