package plot

import (
	"math"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// statuses is a frame of one metric and the statuses of its runs.
func statuses(y string, values []float64, status ...string) *frame {
	kind := results.Float64
	if strings.Contains(y, "step") {
		kind = results.Int64
	}
	return &frame{rows: len(values), columns: map[string]*column{
		y:        {name: y, kind: kind, numbers: values},
		"status": {name: "status", kind: results.String, words: status},
	}}
}

func TestTitlesNameBooleans(t *testing.T) {
	c := &column{kind: results.Bool, numbers: []float64{1, 0}}
	if on, off := facetTitle("nesterov", c.at(0)), facetTitle("nesterov", c.at(1)); on != "nesterov = true" ||
		off != "nesterov = false" {
		t.Errorf("got titles %q and %q", on, off)
	}
	if got := facetTitle("rotate", value{word: "none"}); got != "rotate = none" {
		t.Errorf("got title %q for a panel of none", got)
	}
}

// TestLateHeldTimesRankLast: alignment that is held for the last tenth of a run only wins nothing.
func TestLateHeldTimesRankLast(t *testing.T) {
	f := statuses("held_90_step", []float64{95, 80}, "ok", "ok")
	f.columns["steps_run"] = &column{kind: results.Int64, numbers: []float64{100, 1000}}
	if got := f.rankOf([]int{0}, "held_90_step"); !math.IsInf(got, 1) {
		t.Errorf("95 of 100 steps ranks at %v", got)
	}
	if got := f.rankOf([]int{1}, "held_90_step"); got != 80 {
		t.Errorf("80 of 1000 steps ranks at %v", got)
	}
}

// TestARunThatDivergesDropsNoOtherOne: that it ended early says nothing about the run before it.
func TestARunThatDivergesDropsNoOtherOne(t *testing.T) {
	f := statuses("held_90_step", []float64{80, 90, math.NaN()}, "ok", "ok", "diverged")
	f.columns["steps_run"] = &column{kind: results.Int64, numbers: []float64{1000, 1000, 4}}
	if got := f.rankOf([]int{0, 1, 2}, "held_90_step"); got != 90 {
		t.Errorf("80, 90 and a diverged run rank at %v, want 90", got)
	}
}

// TestDerivedLearningRatesAreNamed: runs that differ in them take unequal times for equal steps.
func TestDerivedLearningRatesAreNamed(t *testing.T) {
	c := &column{name: "learning_rate", kind: results.Float64, numbers: []float64{0.5, 0.1, 0.5}}
	f := &frame{rows: 3, derived: []string{c.name}, columns: map[string]*column{c.name: c}}
	f.noteRates(options{X: "anisotropy"})
	f.noteRates(options{X: c.name})
	if len(f.notes) != 1 || f.notes[0] != "η from 0.1 to 0.5" {
		t.Errorf("got notes %q, want η from 0.1 to 0.5 once", f.notes)
	}
}

// TestLawsNeedTheirAssumptions changes one parameter of a run at a time.
func TestLawsNeedTheirAssumptions(t *testing.T) {
	for optimizer, law := range map[string]func(*frame, int) bool{"gd": followsGradient, "specgd": movesAllAlike} {
		words := func(name, word string) *frame {
			f := &frame{rows: 1, columns: map[string]*column{
				"optimizer":  {kind: results.String, words: []string{optimizer}},
				"covariance": {kind: results.String, words: []string{"spiked"}},
			}}
			if name != "" {
				f.columns[name] = &column{kind: results.String, words: []string{word}}
			}
			return f
		}
		if !law(words("", ""), 0) || !law(words("teacher", "eigen"), 0) {
			t.Errorf("%s: the law does not hold for the plain problem", optimizer)
		}
		for name, word := range map[string]string{
			"covariance": "power_law", "model": "online", "teacher": "uniform", "normalize": "max_1",
			"optimizer": "adam",
		} {
			if law(words(name, word), 0) {
				t.Errorf("%s: the law holds for %s %s", optimizer, name, word)
			}
		}
		for name, x := range map[string]float64{
			"teacher_index": 1, "teacher_norm2": 2, "negative_units": 3, "weight_decay": 0.1, "teacher_variance": 4,
		} {
			f := words("", "")
			f.columns[name] = &column{kind: results.Float64, numbers: []float64{x}}
			if law(f, 0) {
				t.Errorf("%s: the law holds for %s %v", optimizer, name, x)
			}
		}
	}
}

// TestMomentumArrivesLater: the law of arrival is not for muon with momentum.
func TestMomentumArrivesLater(t *testing.T) {
	for momentum, want := range map[float64]bool{0: true, 0.5: false} {
		f := &frame{rows: 1, columns: map[string]*column{
			"optimizer":      {kind: results.String, words: []string{"muon"}},
			"orthogonalizer": {kind: results.String, words: []string{"exact"}},
			"momentum":       {kind: results.Float64, numbers: []float64{momentum}},
		}}
		if got := movesAllAlike(f, 0); got != want {
			t.Errorf("momentum %v: the law holds: %v", momentum, got)
		}
	}
}

// TestContourPartsSaddles: where all sides of a square are crossed, the corners on the side of the
// mean are connected.
func TestContourPartsSaddles(t *testing.T) {
	for _, low := range []float64{0, 0.45} {
		g := &grid{x: []float64{0, 1}, y: []float64{0, 1}, z: [][]float64{{1, low}, {low, 1}}}
		for _, level := range []float64{0.7, 0.75} {
			k := &contour{grid: g, level: level}
			chains := k.chains()
			if len(chains) != 2 {
				t.Fatalf("%d lines through a saddle, want 2", len(chains))
			}
			// Below the mean the high corners are connected, so that the lines cut off the low
			// ones.
			cutsHigh := level > (1+low)/2
			for _, chain := range chains {
				middle := [2]float64{(chain[0][0] + chain[1][0]) / 2, (chain[0][1] + chain[1][1]) / 2}
				if nearHigh := (middle[0] < 0.5) == (middle[1] < 0.5); nearHigh != cutsHigh {
					t.Errorf("level %v, low corners %v: a line cuts off the corner near %v", level, low, middle)
				}
			}
		}
	}
}
