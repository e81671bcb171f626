package plot

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// TestStepQuantileIsASmallestStep: the p-quantile of n step numbers is the ceil(p n)-th smallest.
func TestStepQuantileIsASmallestStep(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := 1 + random.IntN(20)
		var all, known []float64
		for range n {
			x := math.Inf(1)
			if random.IntN(3) > 0 {
				x = float64(random.IntN(9))
				known = append(known, x)
			}
			all = append(all, x)
		}
		slices.Sort(all)
		for tenths := 1; tenths < 10; tenths++ {
			want := all[(tenths*n+9)/10-1]
			got := stepQuantile(known, n, float64(tenths)/10)
			if got != want && !(math.IsInf(want, 1) && math.IsNaN(got)) {
				t.Fatalf("%v of %v: got %v, want %v", float64(tenths)/10, all, got, want)
			}
		}
	}
}

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
}

func TestMetricsAreOfRunsThatAreOK(t *testing.T) {
	median := func(y string, values []float64, status ...string) float64 {
		f, r := statuses(y, values, status...), runs{}
		for row := range values {
			r.add(f, row, y)
		}
		return r.quantile(0.5)
	}
	if got := median("loss", []float64{1, 3, 100, 100}, "ok", "ok", "diverged", "failed"); got != 2 {
		t.Errorf("median %v of 1 and 3", got)
	}
	if got := median("loss", []float64{1, 100, 100}, "ok", "diverged", "failed"); !math.IsNaN(got) {
		t.Errorf("median %v though fewer than half of the runs are ok", got)
	}
	if got := median("steps_to_90", []float64{4, 5, 6}, "diverged", "diverged", "ok"); !math.IsNaN(got) {
		t.Errorf("median step %v though two of three runs diverged", got)
	}
	if got := median("diverged_step", []float64{4, 5, math.NaN()}, "diverged", "diverged", "ok"); got != 5 {
		t.Errorf("median %v of the steps at which runs diverged, want 5", got)
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
