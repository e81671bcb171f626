package plot

import (
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
)

// runs are the replicates of a cell. The conventions are those of the views: runs that have not got
// somewhere, have diverged or have failed count as later than all others; other metrics are those
// of the runs that are ok, and have no median where fewer than half are.
type runs struct {
	isStep          bool // the metric is a step number
	n, ok, diverged int
	values          []float64 // of the metric, where it is a number and its run counts
}

// add adds the run of a row.
func (r *runs) add(f *frame, row int, y string) {
	status := f.columns["status"].words[row]
	r.isStep = f.columns[y].kind == results.Int64 && !slices.Contains(f.parameters, y)
	r.n++
	if status == results.StatusDiverged {
		r.diverged++
	}
	if status == results.StatusOK {
		r.ok++
	} else if y != "diverged_step" {
		return
	}
	if v := f.columns[y].numbers[row]; !math.IsNaN(v) {
		r.values = append(r.values, v)
	}
}

// quantile returns the q-quantile of the metric; NaN if it is censored or too few runs have one.
func (r *runs) quantile(q float64) float64 {
	if r.isStep {
		return stepQuantile(r.values, r.n, q)
	}
	if 2*r.ok < r.n {
		return math.NaN()
	}
	return quantile(r.values, q)
}

// stepQuantile returns the ceil(q n)-th smallest of n step numbers, of which those that are not in
// values are censored; NaN if it is one of them.
func stepQuantile(values []float64, n int, q float64) float64 {
	at := max(int(math.Ceil(q*float64(n)-1e-9))-1, 0)
	if at >= len(values) {
		return math.NaN()
	}
	return sortedCopy(values)[at]
}

// quantile returns the q-quantile of values, interpolated between two of them; NaN without values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	known := sortedCopy(values)
	at := q * float64(len(known)-1)
	low, high := int(math.Floor(at)), int(math.Ceil(at))
	if known[low] == known[high] {
		return known[low]
	}
	t := at - float64(low)
	if between := known[low] + t*(known[high]-known[low]); isFinite(between) {
		return between
	}
	return (1-t)*known[low] + t*known[high]
}

func sortedCopy(values []float64) []float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values
}

// count writes a number of things: 1 point, 2 points.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
