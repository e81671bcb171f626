// Package replicate summarizes the replicates of a cell: runs that differ by what is random only.
// Its conventions are those of the views:
//
//   - A step number that a run does not have, because it did not get there, diverged or failed, is
//     censored: it counts as later than all others, and so does the quantile that falls on it.
//   - Other metrics are those of the runs that are ok. They have no quantile where fewer than half
//     of the runs are.
package replicate

import (
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
)

// Counts reports whether the value that a run has in a column counts: that of a run that is ok, and
// diverged_step, which others have.
func Counts(status, column string) bool {
	return status == results.StatusOK || column == "diverged_step"
}

// Runs are the replicates of a cell. The zero value has none.
type Runs struct {
	Steps  bool      // the metric is a step number
	n, ok  int       // runs, and those that count
	values []float64 // of the metric, where it is a number and its run counts
}

// Add adds a run with its metric, NaN if it is null.
func (r *Runs) Add(counts bool, metric float64) {
	r.n++
	if !counts {
		return
	}
	if r.ok++; !math.IsNaN(metric) {
		r.values = append(r.values, metric)
	}
}

// Len returns the number of runs.
func (r *Runs) Len() int { return r.n }

// Quantile returns the q-quantile of the metric; NaN if it is censored or too few runs are ok. Of n
// step numbers it is the ceil(q n)-th smallest.
func (r *Runs) Quantile(q float64) float64 {
	switch at := max(int(math.Ceil(q*float64(r.n)-1e-9))-1, 0); {
	case r.Steps && at >= len(r.values), !r.Steps && 2*r.ok < r.n:
		return math.NaN()
	case r.Steps:
		return slices.Sorted(slices.Values(r.values))[at]
	}
	return Quantile(r.values, q)
}

// Quantile returns the q-quantile of values, interpolated between two of them; NaN without values.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	known := slices.Sorted(slices.Values(values))
	at := q * float64(len(known)-1)
	low, high := known[int(math.Floor(at))], known[int(math.Ceil(at))]
	if low == high {
		return low
	}
	t := at - math.Floor(at)
	if between := low + t*(high-low); !math.IsInf(between, 0) && !math.IsNaN(between) {
		return between
	}
	return (1-t)*low + t*high
}

// Interval returns the ends of the confidence interval of the median that the views give: the k-th
// smallest and the k-th largest value, which enclose the median with at least 95 %, whatever the
// distribution. NaN where there are too few values, or the end falls on a censored run.
func (r *Runs) Interval() (low, high float64) {
	if !r.Steps {
		if 2*r.ok < r.n {
			return math.NaN(), math.NaN()
		}
		return Interval(r.values)
	}
	known, k := slices.Sorted(slices.Values(r.values)), rank(r.n)
	at := func(i int) float64 {
		if k < 1 || i >= len(known) {
			return math.NaN()
		}
		return known[i]
	}
	return at(k - 1), at(r.n - k)
}

// Interval is Runs.Interval of values of which none is censored.
func Interval(values []float64) (low, high float64) {
	k := rank(len(values))
	if k < 1 {
		return math.NaN(), math.NaN()
	}
	known := slices.Sorted(slices.Values(values))
	return known[k-1], known[len(known)-k]
}

// rank is the largest k for which 2 P(B < k) is at most 5 %, B binomial of n trials at 1/2; 0 if
// there is none. The package of the views derives the formula.
func rank(n int) int {
	const z, shift = 1.959963984540054, 0.47357647
	x := float64(n)
	return int(math.Floor((x + 1 - z*math.Sqrt(math.Max(x-shift, 0))) / 2))
}
