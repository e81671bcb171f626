package plot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// A figure shows some of a frame's rows. Whatever is left out is noted for the caption.

// maxLines and maxPanels bound what one figure shows: more cannot be told apart.
const (
	maxLines  = 10
	maxPanels = 12
)

func (f *frame) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// dropUncounted removes invalid points, and all but one of equal points with equal parameters, as
// the views do.
func (f *frame) dropUncounted() {
	status, id, before := f.columns["status"].words, f.columns["point_id"].words, f.rows
	f.keep(func(row int) bool { return status[row] != results.StatusInvalid })
	if n := before - f.rows; n > 0 {
		f.note("%s left out", count(n, "invalid point"))
	}
	seen := map[string]bool{}
	for row := range f.rows {
		seen[id[row]] = true
	}
	if len(seen) == f.rows {
		return
	}
	clear(seen)
	before = f.rows
	f.keep(func(row int) bool {
		key := id[row] + f.key(row, f.parameters)
		old := seen[key]
		seen[key] = true
		return !old
	})
	if n := before - f.rows; n > 0 {
		f.note("%s left out", count(n, "repeated point"))
	}
}

// dropNull removes the rows in which one of the columns is null.
func (f *frame) dropNull(names ...string) {
	for _, name := range names {
		c := f.columns[name]
		if c == nil {
			continue
		}
		before := f.rows
		f.keep(func(row int) bool { return !c.at(row).null })
		if n := before - f.rows; n > 0 {
			f.note("%s without %s left out", count(n, "point"), symbol(name))
		}
	}
}

// dropUnscaled removes the rows that a logarithmic axis of a column cannot show.
func (f *frame) dropUnscaled(name, scale string) error {
	if scale != "log" || f.rows == 0 {
		return nil
	}
	c, before, least := f.columns[name], f.rows, f.distinct(name)[0]
	f.keep(func(row int) bool { return c.numbers[row] > 0 })
	if f.rows == 0 {
		return fmt.Errorf("plot: draw %s on a log scale: got no value above 0 (smallest %s); use the linear scale",
			name, least)
	}
	if n := before - f.rows; n > 0 {
		f.note("%s with %s <= 0 not on the log scale", count(n, "point"), symbol(name))
	}
	return nil
}

// show returns the values of a column that become lines or panels, at most so many, and removes the
// rows of the others; without a column, it returns one null.
func (f *frame) show(name string, most int) []value {
	if name == "" {
		return []value{{null: true}}
	}
	all := f.distinct(name)
	if len(all) <= most {
		return all
	}
	some := all[:most]
	if !f.columns[name].isWord() {
		some = nil
		for i := range most {
			some = append(some, all[(i*(len(all)-1)+(most-1)/2)/max(most-1, 1)])
		}
	}
	c := f.columns[name]
	f.keep(func(row int) bool { return slices.Contains(some, c.at(row)) })
	if c.isWord() {
		f.note("%d of %d values of %s, not %s", most, len(all), symbol(name), firstWords(all[most:]))
	} else {
		f.note("%d of %d values of %s, evenly spread", most, len(all), symbol(name))
	}
	return some
}

// drawn counts the rows whose runs are drawn.
func (f *frame) drawn() int {
	n := 0
	for row := range f.rows {
		n += truth(!f.marks[row])
	}
	return n
}

// firstWords lists some values.
func firstWords(values []value) string {
	var words []string
	for i, v := range values {
		if i == 5 {
			words = append(words, fmt.Sprintf("and %d more", len(values)-i))
			break
		}
		words = append(words, v.String())
	}
	return strings.Join(words, ", ")
}

// noteReplicates says over how many runs medians and bands are.
func (f *frame) noteReplicates(o options, keys ...string) {
	if o.Band == figure.Interval {
		f.noteRuns("median and, from 6 runs on, its 95 % confidence interval", keys...)
	} else {
		f.noteRuns("median and 10-90 % band", keys...)
	}
}

// noteRuns says over how many runs of a cell a statistic is, if there are several.
func (f *frame) noteRuns(statistic string, keys ...string) {
	cells := map[string]int{}
	for row := range f.rows {
		if !f.marks[row] {
			cells[f.key(row, keys)]++
		}
	}
	least, most := f.rows, 0
	for _, n := range cells {
		least, most = min(least, n), max(most, n)
	}
	what := "runs"
	if f.varies("seed") {
		what = "seeds"
	}
	switch {
	case most <= 1:
	case least == most:
		f.note("%s over %d %s", statistic, most, what)
	default:
		f.note("%s over %d to %d %s", statistic, least, most, what)
	}
}

// noteCoupled names the parameters that change along the axes of a panel or line, as they do where
// blocks of a union fix different values. What the sweep derives follows from the axes.
func (f *frame) noteCoupled(axes []string, within ...string) {
	var names []string
	for _, name := range f.parameters {
		if !slices.Contains(slices.Concat(axes, f.derived), name) && name != "seed" && f.changes(name, within) {
			names = append(names, symbol(name))
		}
	}
	if len(names) > 0 {
		f.note("along the axes also change: %s", strings.Join(names, ", "))
	}
}

// noteRates says that runs have different learning rates where the sweep derives them and no axis
// shows them: equal steps are then no equal times.
func (f *frame) noteRates(o options) {
	c := f.columns["learning_rate"]
	if c == nil || slices.Contains([]string{o.X, o.Color, o.Facet}, c.name) || !slices.Contains(f.derived, c.name) {
		return
	}
	if rates := f.distinct(c.name); len(rates) > 1 {
		f.note("%s from %s to %s", symbol(c.name), rates[0], rates[len(rates)-1])
	}
}

// changes reports whether a parameter has two values, besides null, for equal values of the keys.
func (f *frame) changes(name string, keys []string) bool {
	seen := map[string]value{}
	for row := range f.rows {
		v := f.columns[name].at(row)
		if v.null {
			continue
		}
		key := f.key(row, keys)
		if old, ok := seen[key]; ok && old != v {
			return true
		}
		seen[key] = v
	}
	return false
}

// noteDiverged says how many of the runs diverged and how they count.
func (f *frame) noteDiverged(consequence string) {
	diverged := 0
	for row, status := range f.columns["status"].words {
		if status == results.StatusDiverged && !f.marks[row] {
			diverged++
		}
	}
	if diverged > 0 {
		f.note("%d of these runs diverged%s", diverged, consequence)
	}
}

// derived are parameters that most sweeps compute from others, so that they are fixed when those
// are held.
var derived = []string{"steps", "learning_rate", "init_scale"}

// slice holds every parameter that is free besides the keys at one value; loose ones may vary.
func (f *frame) slice(keys []string, loose ...string) {
	order := slices.Clone(f.parameters)
	rank := func(name string) int { return slices.Index(derived, name) }
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	// What the sweep derives follows from the rest and, by replicate, from the seed: it parts no
	// cells.
	for _, name := range order {
		if !slices.Contains(slices.Concat(keys, loose, f.derived), name) && name != "seed" {
			f.hold(name, keys)
		}
	}
}

// hold removes rows so that a parameter has one value for equal values of the keys: its most common
// one, the middle one of several.
func (f *frame) hold(name string, keys []string) {
	c := f.columns[name]
	common := map[value]int{}
	groups := map[string][]value{}
	for row := range f.rows {
		v, key := c.at(row), f.key(row, keys)
		common[v]++
		if !slices.Contains(groups[key], v) {
			groups[key] = append(groups[key], v)
		}
	}
	held := map[string]value{}
	notes := map[value]bool{}
	for key, values := range groups {
		if len(values) == 1 {
			continue
		}
		most := 0
		for _, v := range values {
			most = max(most, common[v])
		}
		values = slices.DeleteFunc(values, func(v value) bool { return common[v] < most })
		slices.SortFunc(values, compareValues)
		held[key] = values[len(values)/2]
		notes[held[key]] = true
	}
	if len(held) == 0 {
		return
	}
	f.keep(func(row int) bool {
		v, ok := held[f.key(row, keys)]
		return !ok || c.at(row) == v
	})
	text := "the middle " + symbol(name)
	if len(notes) == 1 {
		for v := range notes {
			text = symbol(name) + " = " + v.String()
		}
	}
	f.note("%s", text)
}

// keep removes the rows that do not satisfy a condition.
func (f *frame) keep(condition func(row int) bool) {
	n := 0
	for row := range f.rows {
		if !condition(row) {
			continue
		}
		for _, c := range f.columns {
			if c.isWord() {
				c.words[n] = c.words[row]
			} else {
				c.numbers[n] = c.numbers[row]
			}
		}
		n++
	}
	f.rows = n
	for _, c := range f.columns {
		if c.isWord() {
			c.words = c.words[:n]
		} else {
			c.numbers = c.numbers[:n]
		}
	}
}
