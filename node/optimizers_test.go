package node

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// Settings for the table of optimizers. Steps are short of the stationary phase.
const (
	squareSettings = "dimension: 16, covariance: spiked, anisotropy: 6, init_scale: 0.0123, learning_rate: 0.00413, " +
		"steps: 40"
	narrowSettings = "dimension: 60, width: 4, covariance: spiked, anisotropy: 8, init: gaussian, init_scale: 0.05, " +
		"seed: 11, steps: 600"
)

// horizon bounds the relative difference of two runs while the signal alignment is below a level,
// up to a step.
type horizon struct {
	tolerance, level float64
	step             int
}

const (
	always  = 2.0 // no signal alignment reaches it
	forever = math.MaxInt
)

// subspaceHorizons say how closely a subspace run follows the dense one. A spectral map with a jump
// or a kink at 0 spreads the round-off of small singular values as soon as columns of W align.
var subspaceHorizons = map[string][]horizon{
	"gd":       {{1e-12, always, forever}},
	"momentum": {{1e-12, always, forever}},
	"ngd":      {{1e-12, 0.9, forever}},
	"specgd":   {{1e-12, 0.1, forever}, {1e-6, 0.3, forever}},
	"nucspec":  {{1e-12, 0.1, forever}, {1e-6, 0.3, forever}},
	"muon":     {{3e-12, 0.9, forever}},
	"power":    {{1e-12, 0.9, forever}},
	"dynmuon":  {{1e-9, 0.1, forever}},
	"shampoo":  {{1e-2, always, 10}},
}

// setting names an optimizer and gives its required parameters a value.
func setting(row sweep.UpdateRule) string {
	text := "optimizer: " + row.Name
	for _, own := range row.Parameters {
		if own.Default.IsNull() {
			text += fmt.Sprintf(", %s: 0.5", own.ID)
		}
	}
	return text
}

func pointOf(settings string) (sweep.Point, error) {
	spec, err := sweep.Parse("point.yaml", []byte("name: point\nfixed: {"+settings+"}\n"), sweep.Limits{})
	if err != nil {
		return sweep.Point{}, err
	}
	p, _ := spec.Point(0)
	return p, nil
}

// trajectory solves a point and records every fifth step.
func trajectory(t *testing.T, settings string) []solver.Sample {
	t.Helper()
	p, err := pointOf(settings)
	if err != nil {
		t.Fatal(err)
	}
	var record []int
	for k := int64(0); k <= p.Params[sweep.Steps].Int(); k += 5 {
		record = append(record, int(k))
	}
	q, err := NewProblem(p.Params, record, false)
	if err != nil {
		t.Fatal(err)
	}
	r := make([]solver.Result, 1)
	if err := solver.New().Solve(context.Background(), []solver.Problem{q}, r); err != nil {
		t.Fatal(err)
	}
	if r[0].Status != solver.OK {
		t.Fatalf("%s: status %v, %s", settings, r[0].Status, r[0].Detail)
	}
	return r[0].Trajectory
}

// apart returns the largest relative difference of metrics within a horizon of the first run.
func apart(x, y []solver.Sample, h horizon) float64 {
	worst := 0.0
	for i := range x {
		a, b := x[i].Metrics, y[i].Metrics
		if a.SignalAlignment >= h.level || x[i].Step > h.step {
			break
		}
		for _, pair := range [][2]float64{{a.Loss, b.Loss}, {a.SignalAlignment, b.SignalAlignment},
			{a.SpikeAlignment, b.SpikeAlignment}, {a.SignalEnergy, b.SignalEnergy}, {a.WeightNorm2, b.WeightNorm2}} {
			worst = max(worst, math.Abs(pair[0]-pair[1])/(1e-3+math.Abs(pair[0])))
		}
	}
	return worst
}

// The runs of every optimizer behave as its row of the table says.
func TestRunsAreThoseOfTheTableOfOptimizers(t *testing.T) {
	if err := checkTables(); err != nil {
		t.Fatal(err)
	}
	everywhere := horizon{0, always, forever}
	for _, row := range sweep.Optimizers() {
		t.Run(row.Name, func(t *testing.T) {
			square := setting(row) + ", " + squareSettings
			reduced := trajectory(t, square+", representation: reduced")
			dense := trajectory(t, square+", representation: dense")
			if off := apart(reduced, dense, everywhere); off > 1e-10 {
				t.Errorf("the reduced run is %.2g away from the dense one", off)
			}
			if first, last := dense[0].Metrics, dense[len(dense)-1].Metrics; !(last.Loss < first.Loss) {
				t.Errorf("the loss does not fall: %v, then %v", first.Loss, last.Loss)
			}
			rotated := trajectory(t, square+", representation: dense, rotate: householder")
			off := apart(dense, rotated, everywhere)
			if row.BasisDependent && off < 1e-3 || !row.BasisDependent && off > 1e-9 {
				t.Errorf(
					"a rotation of Q and theta moves the run by %.2g; basis dependent: %v",
					off,
					row.BasisDependent,
				)
			}
			checkSubspaceOf(t, row)
			checkRates(t, row)
		})
	}
}

// checkSubspaceOf compares subspace runs with dense ones, or checks that they are rejected.
func checkSubspaceOf(t *testing.T, row sweep.UpdateRule) {
	t.Helper()
	rate := "0.00413"
	if !row.Spectral && row.Name != "ngd" {
		rate = "0.002"
	}
	narrow := setting(row) + ", " + narrowSettings + ", learning_rate: " + rate
	online := narrow + ", model: online, batch_size: 5, representation: subspace"
	if _, err := pointOf(online); (err != nil) != (row.BasisDependent || row.OnlineDense != "") {
		t.Errorf("an online run in a subspace: %v", err)
	}
	if row.BasisDependent {
		if _, err := pointOf(narrow + ", representation: subspace"); err == nil ||
			!strings.Contains(err.Error(), "basis") {
			t.Errorf("a subspace run: %v", err)
		}
		return
	}
	horizons := subspaceHorizons[row.Name]
	if len(horizons) == 0 {
		t.Error("subspaceHorizons has no line")
	}
	dense := trajectory(t, narrow+", representation: dense")
	subspace := trajectory(t, narrow+", representation: subspace")
	for _, h := range horizons {
		if off := apart(dense, subspace, h); off > h.tolerance {
			t.Errorf("the subspace run is %.2g away from the dense one while signal < %v", off, h.level)
		}
	}
	if row.OnlineDense == "" {
		trajectory(t, online)
	}
}

// checkRates tries automatic, unstable and resonant learning rates.
func checkRates(t *testing.T, row sweep.UpdateRule) {
	t.Helper()
	square := setting(row) + ", " + squareSettings
	if _, err := pointOf(strings.Replace(square, "0.00413", "auto", 1)); (err == nil) != (row.AutoRate.Formula != "") {
		t.Errorf("learning_rate: auto: %v, formula %q", err, row.AutoRate.Formula)
	}
	for lr, expected := range map[string]func(p sweep.Point) bool{
		"1e3": func(p sweep.Point) bool { return p.UnstableStep == row.StepLimited },
		// A third of init_scale:
		"0.0041": func(p sweep.Point) bool { return p.ResonantStep == (row.Sign.When == "always") },
	} {
		p, err := pointOf(strings.Replace(square, "0.00413", lr, 1))
		if err != nil || !expected(p) {
			t.Errorf("learning rate %s: %v, unstable %v, resonant %v", lr, err, p.UnstableStep, p.ResonantStep)
		}
	}
}
