package solver_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// heldIn is the definition, over a trajectory that records every step: 1 + the last step below the
// level, -1 where that is the last one. An undefined alignment is below.
func heldIn(r *solver.Result, level float64) int {
	held := 0
	for _, s := range r.Trajectory {
		if !(s.SignalAlignment >= level) {
			held = s.Step + 1
		}
	}
	if r.Status == solver.Diverged || held > r.StepsRun {
		return -1
	}
	return held
}

// checkHeld holds what a run that records nothing reports against the trajectory of its twin.
func checkHeld(t *testing.T, p solver.Problem, quiet, recorded *solver.Result) {
	t.Helper()
	for _, c := range []struct {
		level     float64
		got, want int
	}{{0.9, quiet.Held90Step, heldIn(recorded, 0.9)}, {0.99, quiet.Held99Step, heldIn(recorded, 0.99)}} {
		if c.got != c.want {
			t.Errorf("%v %v lr %v, alpha %v: held %v from step %d, want %d",
				p.Optimizer, p.Representation, p.LearningRate, p.InitScale, c.level, c.got, c.want)
		}
	}
	if k := quiet.EscapeStep; k >= 0 {
		s := recorded.Trajectory[k]
		if quiet.AlignmentAtEscape != s.SignalAlignment || quiet.SpikeAtEscape != s.SpikeAlignment {
			t.Errorf("%v %v: (%v, %v) at escape, want those of step %d: (%v, %v)", p.Optimizer, p.Representation,
				quiet.AlignmentAtEscape, quiet.SpikeAtEscape, k, s.SignalAlignment, s.SpikeAlignment)
		}
	} else if quiet.AlignmentAtEscape != 0 || quiet.SpikeAtEscape != 0 {
		t.Errorf("%v: alignments at escape without an escape", p.Optimizer)
	}
}

func everyStep(p solver.Problem) solver.Problem {
	for k := range p.Steps + 1 {
		p.Record = append(p.Record, k)
	}
	return p
}

// heldProblems are runs that reach levels, lose them and swing about them, by groups of
// eigenspaces.
func heldProblems(groups int) []solver.Problem {
	var problems []solver.Problem
	for _, o := range optimizers() {
		for i, rate := range []float64{0.003, 0.02, 0.05, 0.1056, 0.3, 0.55} {
			p := reducedSpiked(solver.GD, 60, 1+float64(i), 0.0028, rate, 260)
			o.set(&p)
			p.LearningRate = rate
			if groups > 3 {
				p.Covariance.Spectrum = powerLaw(p.Dimension, 0.6+float64(i)/4, true)
			}
			if i == 4 {
				p.Schedule = solver.Cosine
			}
			problems = append(problems, p)
		}
	}
	return problems
}

func TestHeldStepsOfReducedRuns(t *testing.T) {
	reached, lost := 0, 0
	for _, groups := range []int{3, 60} {
		problems := heldProblems(groups)
		recorded := make([]solver.Problem, len(problems))
		for i := range problems {
			recorded[i] = everyStep(problems[i])
		}
		want := solve(t, recorded...)
		for _, k := range kernels() {
			t.Run(fmt.Sprintf("groups=%d/%v", groups, k), func(t *testing.T) {
				got := solveOn(t, k, problems...)
				for i := range problems {
					checkHeld(t, problems[i], &got[i], &want[i])
					if got[i].Held90Step >= 0 {
						reached++
					} else if got[i].StepsTo90 >= 0 {
						lost++
					}
				}
			})
		}
	}
	if reached < 20 || lost < 20 {
		t.Errorf("%d runs hold 90 %%, %d lose it: too few to tell", reached, lost)
	}
}

// The alignment of W = 0 is undefined and counts as below. One direction alone is aligned from the
// start; its first step takes it to where ‖W‖² underflows.
func TestHeldStepsEndAtZero(t *testing.T) {
	p := reducedSpiked(solver.GD, 1, 0, 0.5, 1e-300, 5)
	p.Covariance.Spectrum, p.WeightDecay = []solver.Run{{Value: 1, Count: 1}}, 1e300
	want := solve(t, everyStep(p))[0]
	if !math.IsNaN(want.Trajectory[1].SignalAlignment) || want.StepsTo99 != 0 {
		t.Fatalf("steps to 99 %d, alignment at step 1 %v", want.StepsTo99, want.Trajectory[1].SignalAlignment)
	}
	for _, k := range kernels() {
		got := solveOn(t, k, p)[0]
		checkHeld(t, p, &got, &want)
	}
}

func TestHeldStepsOfMatrices(t *testing.T) {
	for _, o := range optimizers() {
		for i, rate := range []float64{0.004, 0.05, 0.11} {
			for _, representation := range []solver.Representation{solver.Subspace, solver.Dense} {
				for _, model := range []solver.Model{solver.Population, solver.Online} {
					p := reducedSpiked(solver.GD, 24, 2+float64(i), 0.02, rate, 90)
					o.set(&p)
					p.Representation, p.Model, p.LearningRate = representation, model, rate
					p.Width, p.Init, p.Seed = 3, solver.Gaussian, uint64(i)
					if model == solver.Online {
						p.Samples = 8
					}
					got := solve(t, p)[0]
					if got.Status == solver.Failed {
						continue // not every optimizer has every representation
					}
					want := solve(t, everyStep(p))[0]
					checkHeld(t, p, &got, &want)
				}
			}
		}
	}
}

func solveOn(t *testing.T, k simd.Kernel, problems ...solver.Problem) []solver.Result {
	t.Helper()
	results := make([]solver.Result, len(problems))
	if err := solver.NewKernel(k).Solve(t.Context(), problems, results); err != nil {
		t.Fatal(err)
	}
	return results
}
