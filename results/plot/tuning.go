package plot

import (
	"fmt"
	"math"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/replicate"
)

// tuning is the choice of the best learning rate in each cell of a figure.
type tuning struct {
	rates                     [2]int // fewest and most of a cell
	tried, unstable, diverged int    // points of all learning rates
	cells                     int
	empty                     int // cells in which no learning rate gets there
}

// tune keeps the rows of the best learning rate of each cell, if several compete. A cell in which
// none gets there keeps the rows of its smallest one, which mark it and do not count as drawn.
func (f *frame) tune(o options, compete bool) (*tuning, error) {
	if !compete {
		return nil, nil
	}
	cells := map[string][]int{}
	for row := range f.rows {
		key := f.key(row, []string{o.Facet, o.Color, o.X})
		cells[key] = append(cells[key], row)
	}
	t := &tuning{tried: f.rows, cells: len(cells), rates: [2]int{f.rows, 0}}
	for row, status := range f.columns["status"].words {
		if f.isUnstable(row) {
			t.unstable++
		} else if status == results.StatusDiverged {
			t.diverged++
		}
	}
	if t.unstable == f.rows {
		return nil, fmt.Errorf("plot: draw %s over %s: every learning rate is unstable", o.Y, o.X)
	}
	kept, marks := map[int]bool{}, map[int]bool{}
	for _, rows := range cells {
		rates := f.byRate(rows)
		t.rates = [2]int{min(t.rates[0], len(rates)), max(t.rates[1], len(rates))}
		best := f.bestRate(rates, o.metrics()[0])
		if best == nil {
			t.empty++
			best = rates[sorted(rates)[0]]
			for _, row := range best {
				marks[row] = true
			}
		}
		for _, row := range best {
			kept[row] = true
		}
	}
	f.marks = map[int]bool{}
	n := 0
	for row := range f.rows {
		if kept[row] {
			f.marks[n] = marks[row]
			n++
		}
	}
	f.keep(func(row int) bool { return kept[row] })
	return t, nil
}

// note says what was tried and how it counts.
func (t *tuning) note(f *frame, y string) {
	rates := fmt.Sprint(t.rates[1])
	if t.rates[0] < t.rates[1] {
		rates = fmt.Sprintf("%d to %d", t.rates[0], t.rates[1])
	}
	by := ""
	if rank, length := f.rankColumn(y); length != "" {
		by = " by " + label(rank)
	}
	f.note("the best of %s learning rates%s", rates, by)
	f.note("%s tried", count(t.tried, "point"))
	if t.unstable > 0 {
		f.note("%d of them with an unstable step excluded", t.unstable)
	}
	if t.diverged > 0 {
		f.note("%d of them diverged", t.diverged)
	}
	if t.empty > 0 {
		f.note("no learning rate gets there in %d of %s", t.empty, count(t.cells, "cell"))
	}
}

// isUnstable reports whether a run's step is beyond the stability limit.
func (f *frame) isUnstable(row int) bool {
	c := f.columns["unstable_step"]
	return c != nil && c.numbers[row] == 1
}

// rankColumn returns the column by which the best learning rate is found for a metric, and the
// companion that says how long each run was; "" if the set has none.
func (f *frame) rankColumn(y string) (rank, length string) {
	if f.columns["held_90_step"] == nil || f.columns["steps_run"] == nil {
		return y, "" // a set of an earlier solver version
	}
	return replicate.RankColumn(y), "steps_run"
}

// rankOf returns the median by which the runs of one learning rate are ranked; infinite if it is
// censored, or if a step of one of them is unstable.
func (f *frame) rankOf(rows []int, y string) float64 {
	rank, length := f.rankColumn(y)
	var r replicate.Rate
	for _, row := range rows {
		steps := math.Inf(1)
		if length != "" {
			steps = f.columns[length].numbers[row]
		}
		counts := replicate.Counts(f.columns["status"].words[row], rank)
		r.Add(counts, f.columns[rank].numbers[row], steps, f.isUnstable(row))
	}
	return r.Rank()
}

// byRate parts rows by their learning rates.
func (f *frame) byRate(rows []int) map[float64][]int {
	rates := map[float64][]int{}
	for _, row := range rows {
		rate := f.columns["learning_rate"].numbers[row]
		rates[rate] = append(rates[rate], row)
	}
	return rates
}

// bestRate returns the rows of the learning rate with the smallest rank, the smaller one of
// several; none if each is censored.
func (f *frame) bestRate(rates map[float64][]int, y string) []int {
	best, least := []int(nil), math.Inf(1)
	for _, rate := range sorted(rates) {
		if at := f.rankOf(rates[rate], y); at < least {
			best, least = rates[rate], at
		}
	}
	return best
}
