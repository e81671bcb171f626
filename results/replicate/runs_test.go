package replicate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/results/replicate"
)

// TestQuantileOfStepsIsASmallestStep: of n step numbers, it is the ceil(p n)-th smallest.
func TestQuantileOfStepsIsASmallestStep(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		runs := replicate.Runs{Steps: true}
		var all []float64
		for range 1 + random.IntN(20) {
			x := math.Inf(1)
			switch random.IntN(6) {
			case 0:
				runs.Add(true, math.NaN())
			case 1:
				runs.Add(false, 3) // a step of a run that is not ok
			default:
				x = float64(random.IntN(9))
				runs.Add(true, x)
			}
			all = append(all, x)
		}
		slices.Sort(all)
		for tenths := 1; tenths < 10; tenths++ {
			want := all[(tenths*len(all)+9)/10-1]
			got := runs.Quantile(float64(tenths) / 10)
			if got != want && !(math.IsInf(want, 1) && math.IsNaN(got)) {
				t.Fatalf("%v of %v: got %v, want %v", float64(tenths)/10, all, got, want)
			}
		}
	}
}

func TestMetricsAreOfRunsThatAreOK(t *testing.T) {
	median := func(column string, values []float64, status ...string) float64 {
		runs := replicate.Runs{Steps: column != "loss"}
		for i, v := range values {
			runs.Add(replicate.Counts(status[i], column), v)
		}
		if runs.Len() != len(values) {
			t.Errorf("got %d runs, want %d", runs.Len(), len(values))
		}
		return runs.Quantile(0.5)
	}
	if got := median("loss", []float64{1, 3, 100, 100}, "ok", "ok", "diverged", "failed"); got != 2 {
		t.Errorf("median %v of 1 and 3", got)
	}
	if got := median("loss", []float64{1, 100, 100}, "ok", "diverged", "failed"); !math.IsNaN(got) {
		t.Errorf("median %v though fewer than half of the runs are ok", got)
	}
	if got := median("loss", []float64{math.NaN(), 7, math.NaN()}, "ok", "ok", "ok"); got != 7 {
		t.Errorf("median %v of the one run that has a value, want 7", got)
	}
	if got := median("steps_to_90", []float64{4, 5, 6}, "diverged", "diverged", "ok"); !math.IsNaN(got) {
		t.Errorf("median step %v though two of three runs diverged", got)
	}
	if got := median("diverged_step", []float64{4, 5, math.NaN()}, "diverged", "diverged", "ok"); got != 5 {
		t.Errorf("median %v of the steps at which runs diverged, want 5", got)
	}
}

func TestQuantileOfExtremeNumbers(t *testing.T) {
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{
		{nil, 0.5, math.NaN()},
		{[]float64{1, 2, 3, 4}, 0.5, 2.5},
		{[]float64{4, 1, 3}, 0.25, 2},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 0.5, 0},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, 0.5, math.MaxFloat64},
	} {
		got := replicate.Quantile(c.values, c.q)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v of %v: got %v, want %v", c.q, c.values, got, c.want)
		}
	}
}

// TestIntervals: the ranks are those of the binomial distribution, and a censored end is NaN.
func TestIntervals(t *testing.T) {
	for n := 1; n <= 60; n++ {
		// The largest k with P(B < k) <= 2.5 %, B binomial of n trials at 1/2.
		want, below, term := 0, 0.0, math.Pow(2, -float64(n))
		for k := 1; ; k++ {
			if below += term; below > 0.025 {
				break
			}
			want, term = k, term*float64(n-k+1)/float64(k)
		}
		var values []float64
		steps := replicate.Runs{Steps: true}
		for i := range n {
			values = append(values, float64(n-i))
			if i < n-1 {
				steps.Add(true, float64(i+1))
			}
		}
		steps.Add(true, math.NaN()) // censored
		low, high := replicate.Interval(values)
		if want == 0 != math.IsNaN(low) || want > 0 && (low != float64(want) || high != float64(n+1-want)) {
			t.Errorf("%d values: got [%v, %v], want ranks %d and %d", n, low, high, want, n+1-want)
		}
		low, high = steps.Interval()
		if want > 0 && (low != float64(want) || (want == 1) != math.IsNaN(high)) {
			t.Errorf("%d steps: got [%v, %v], want ranks %d and %d", n, low, high, want, n+1-want)
		}
	}
}

func TestRanksOfLearningRates(t *testing.T) {
	for _, c := range []struct {
		name     string
		held     []float64 // of runs of 100 steps
		unstable bool
		want     float64
	}{
		{"median", []float64{30, 10, 20}, false, 20},
		{"a step that is unstable", []float64{30, 10, 20}, true, math.Inf(1)},
		{"held for the last tenth at most", []float64{91, 10, 95}, false, math.Inf(1)},
		{"held for a tenth", []float64{90, 10, 95}, false, 90},
		{"most do not hold it", []float64{math.NaN(), 10, math.NaN()}, false, math.Inf(1)},
		{"no runs", nil, false, math.Inf(1)},
	} {
		var rate replicate.Rate
		for i, held := range c.held {
			rate.Add(true, held, 100, c.unstable && i == 1)
		}
		if got := rate.Rank(); got != c.want {
			t.Errorf("%s: got rank %v, want %v", c.name, got, c.want)
		}
	}
	for metric, want := range map[string]string{
		"steps_to_90": "held_90_step", "held_99_step": "held_99_step", "escape_step": "held_90_step",
	} {
		if got := replicate.RankColumn(metric); got != want {
			t.Errorf("%s: got rank column %s, want %s", metric, got, want)
		}
	}
}
