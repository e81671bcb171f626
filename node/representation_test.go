package node

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// solveText solves the single point of a sweep file.
func solveText(t *testing.T, fixed string) (representation string, r solver.Result) {
	t.Helper()
	spec, err := sweep.Parse("point.yaml", []byte("name: point\nfixed: {"+fixed+"}\n"), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := spec.Point(0)
	q, err := NewProblem(p.Params, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	result := make([]solver.Result, 1)
	if err := solver.New().Solve(context.Background(), []solver.Problem{q}, result); err != nil {
		t.Fatal(err)
	}
	return p.Params[sweep.Representation].Text(), result[0]
}

// Runs with representation: auto follow dense runs: every fifth of 3,024 combinations of
// covariance, teacher, start, optimizer and rotation, for four steps. They differ by round-off
// only, which shampoo's roots of nearly singular matrices amplify.
func TestAutomaticRepresentationFollowsDense(t *testing.T) {
	covariances := []string{
		"isotropic, scale: 2",
		"spiked, anisotropy: 4",
		"spiked, anisotropy: -0.5",
		"spiked, anisotropy: 0",
		"multi_spike, spikes: [3, 1, -0.5]",
		"block, blocks: [[3, 5], [1, 75]], normalize: trace_d",
		"block, blocks: [[1, 75], [0.5, 3], [1, 2]]",
	}
	teachers := []string{"eigen, teacher_index: 0", "eigen, teacher_index: 1", "eigen, teacher_index: 70", "uniform",
		"mix, teacher_weights: [[0, 1], [1, 2]]", "mix, teacher_weights: [[70, 1], [71, 2]]"}
	inits := []string{"identity", "gaussian, width: 1", "gaussian, width: 12", "orthonormal, width: 3"}
	optimizers := []string{
		"gd",
		"momentum",
		"ngd",
		"specgd",
		"nucspec",
		"muon",
		"power, power: 0.5",
		"dynmuon",
		"shampoo",
	}
	seen := map[string]int{}
	for i := 0; i < len(covariances)*len(teachers)*len(inits)*len(optimizers)*2; i += 5 {
		rest := i
		take := func(list []string) string {
			word := list[rest%len(list)]
			rest /= len(list)
			return word
		}
		rotate := take([]string{"none", "householder"})
		fixed := fmt.Sprintf(
			"optimizer: %s, init: %s, teacher: %s, covariance: %s, rotate: %s, dimension: 80, steps: 4, "+
				"init_scale: 0.1, learning_rate: 0.013",
			take(optimizers),
			take(inits),
			take(teachers),
			take(covariances),
			rotate,
		)
		representation, auto := solveText(t, fixed)
		_, dense := solveText(t, fixed+", representation: dense")
		seen[representation]++
		tolerance := 1e-10
		if fixed[:len("optimizer: shampoo")] == "optimizer: shampoo" {
			tolerance = 1e-7
		}
		a, b := auto.Final, dense.Final
		for _, pair := range [][2]float64{
			{a.Loss, b.Loss}, {a.SignalAlignment, b.SignalAlignment}, {a.SpikeAlignment, b.SpikeAlignment},
			{a.WeightNorm2, b.WeightNorm2}, {a.StableRank, b.StableRank},
		} {
			if auto.Status != dense.Status || !(math.Abs(pair[0]-pair[1]) <= tolerance*max(1e-2, math.Abs(pair[1]))) {
				t.Errorf("%s: %s ends with %+v, dense with %+v", fixed, representation, a, b)
				break
			}
		}
	}
	if seen["dense"] > 0 || seen["reduced"] < 50 || seen["subspace"] < 100 {
		t.Errorf("representations taken: %v", seen)
	}
}
