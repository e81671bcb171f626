// Package replicate summarizes the replicates of a cell: runs that differ by what is random only.
// Its conventions are those of the views:
//
//   - A step number that a run does not have, because it did not get there, diverged or failed, is
//     censored: it counts as later than all others, and so does the quantile that falls on it.
//   - Other metrics are those of the runs that are ok. They have no quantile where fewer than half
//     of the runs are ok.
package replicate

import (
	"math"
	"slices"
)

// Runs are the replicates of a cell. The zero value has none.
type Runs struct {
	Steps  bool      // the metric is a step number
	n, ok  int       // runs, and those that count
	values []float64 // of the metric, where it is a number and its run counts
}

// Add adds a run with its metric, NaN if it is null. A run that does not count is one that is not
// ok.
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

// Quantile returns the q-quantile of the metric, NaN if it is censored or too few runs have one. Of
// step numbers it is the ceil(q n)-th smallest; of other metrics it is interpolated.
func (r *Runs) Quantile(q float64) float64 {
	values := slices.Sorted(slices.Values(r.values))
	if !r.Steps {
		if 2*r.ok < r.n || len(values) == 0 {
			return math.NaN()
		}
		at := q * float64(len(values)-1)
		low, high := values[int(math.Floor(at))], values[int(math.Ceil(at))]
		t := at - math.Floor(at)
		if between := low + t*(high-low); !math.IsInf(between, 0) {
			return between
		}
		return (1-t)*low + t*high
	}
	at := max(int(math.Ceil(q*float64(r.n)-1e-9))-1, 0)
	if at >= len(values) {
		return math.NaN()
	}
	return values[at]
}
