package plot

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// curves draws a metric against a parameter. If several learning rates compete for a time, it draws
// the best one.
func curves(_ context.Context, _ *results.Set, f *frame, o options) (*Figure, error) {
	tuned, err := f.prepareCurves(o)
	if err != nil {
		return nil, err
	}
	if err := f.dropUnscaled(o.X, o.XScale); err != nil {
		return nil, err
	}
	facets, colors := f.show(o.Facet, maxPanels), f.show(o.Color, maxLines)
	best, err := f.tune(o, tuned)
	if err != nil {
		return nil, err
	}
	f.noteCurves(o, best)
	picture := &Figure{legend: slices.Concat(f.lineLegend(o, colors, false), o.metricLegend(false))}
	var panels []*linePanel
	for _, facet := range facets {
		p := &linePanel{title: facetTitle(o.Facet, facet), rows: f.rowsOf(o, facet, nil)}
		for i, paint := range f.paints(o, facet, colors) {
			for k, metric := range o.metrics() {
				l := f.curve(f.rowsOf(o, facet, &colors[i]), o.of(metric))
				l.paint(o.metricPaint(paint, k))
				p.lines = append(p.lines, l)
			}
		}
		panels = append(panels, p)
	}
	if err := picture.addLinePanels(f, panels, o); err != nil {
		return nil, err
	}
	return picture, nil
}

// prepareCurves holds the parameters that are not shown and removes the rows that no curve has. It
// reports whether several learning rates compete, so that the best one is drawn.
func (f *frame) prepareCurves(o options) (tuned bool, err error) {
	keys := []string{o.Facet, o.Color, o.X}
	f.dropNull(keys...)
	if f.rows == 0 {
		return false, fmt.Errorf("plot: draw %s over %s: no row has both", o.Y, o.X)
	}
	if o.isTime() && f.columns["learning_rate"] != nil && !slices.Contains(keys, "learning_rate") {
		f.slice(keys, append(slices.Clone(f.rates), "learning_rate", "steps")...)
		tuned = f.free("learning_rate", append(slices.Clone(keys), "seed")...)
	}
	if !tuned {
		f.slice(keys)
	}
	return tuned, nil
}

// noteCurves says in the caption what the medians are over.
func (f *frame) noteCurves(o options, best *tuning) {
	keys := []string{o.Facet, o.Color, o.X}
	free := keys
	if best != nil {
		keys = append(keys, "learning_rate")
		free = slices.Concat(keys, f.rates, []string{"steps"})
		best.note(f, o.metrics()[0])
	}
	f.noteReplicates(o, keys...)
	f.noteCoupled(free, o.Facet, o.Color)
	if best == nil {
		f.noteRates(o)
	}
	if o.isTime() {
		f.noteDiverged(" and count as not reached")
	} else {
		f.noteDiverged("")
	}
}

// facetTitle is the title of a panel or line.
func facetTitle(name string, v value) string {
	switch {
	case name == "":
		return ""
	case v.word != "" && !slices.Contains([]string{"true", "false", "none"}, v.word):
		return v.word
	}
	return symbol(name) + " = " + v.String()
}

// rowsOf returns the rows of a panel, or those of one of its colors.
func (f *frame) rowsOf(o options, facet value, color *value) []int {
	var rows []int
	for row := range f.rows {
		if (o.Facet == "" || f.columns[o.Facet].at(row) == facet) &&
			(o.Color == "" || color == nil || f.columns[o.Color].at(row) == *color) {
			rows = append(rows, row)
		}
	}
	return rows
}

// curve returns the line through the rows: the median over replicates and its band at each x.
func (f *frame) curve(rows []int, o options) *line {
	at := map[float64][]int{}
	xs := map[float64]bool{}
	for _, row := range rows {
		x := f.columns[o.X].numbers[row]
		at[x], xs[x] = append(at[x], row), true
	}
	l := &line{x: sorted(xs)}
	for _, x := range l.x {
		l.add(f.median(at[x], o))
	}
	return l
}

// median returns the median over the rows of a cell, between its 10 % and 90 % quantiles or the
// ends of its confidence interval.
func (f *frame) median(rows []int, o options) (low, mid, high float64) {
	var r runs
	for _, row := range rows {
		r.add(f, row, o.Y)
	}
	if f.marks[rows[0]] {
		return math.NaN(), math.NaN(), math.NaN()
	}
	if o.Band == figure.Interval {
		low, high = r.metric.Interval()
		return low, r.metric.Quantile(0.5), high
	}
	return r.metric.Quantile(0.1), r.metric.Quantile(0.5), r.metric.Quantile(0.9)
}

// add adds the quantiles at the next x.
func (l *line) add(low, mid, high float64) {
	switch {
	case math.IsNaN(mid):
		low, high = math.NaN(), math.NaN()
	case math.IsNaN(low): // too few runs for an interval
		low, high = mid, mid
	}
	l.low, l.mid, l.high = append(l.low, low), append(l.mid, mid), append(l.high, high)
}
