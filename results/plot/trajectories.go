package plot

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/formula"
	"github.com/phasegrid/phasegrid/results/replicate"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// trajectories draws a metric of the recorded iterates against the step or the learning rate times
// the step.
func trajectories(ctx context.Context, set *results.Set, f *frame, o options) (*Figure, error) {
	if o.X == "eta_step" && f.columns["learning_rate"] == nil {
		return nil, fmt.Errorf("plot: draw over eta_step: the sweep has no parameter learning_rate")
	}
	keys := []string{o.Facet, o.Color}
	f.dropNull(keys...)
	if f.rows == 0 {
		return nil, fmt.Errorf("plot: draw %s: no point has %s", o.Y, strings.TrimSpace(o.Color+" "+o.Facet))
	}
	f.slice(keys)
	facets, colors := f.show(o.Facet, maxPanels), f.show(o.Color, maxLines)
	f.noteReplicates(o, keys...)
	f.noteRates(o)
	f.noteDiverged(" and end early")
	bundles, err := readBundles(ctx, set, f, o, facets, colors)
	if err != nil {
		return nil, err
	}
	picture := &Figure{legend: slices.Concat(f.lineLegend(o, colors, false), o.metricLegend(false))}
	var panels []*linePanel
	for i, facet := range facets {
		p := &linePanel{title: facetTitle(o.Facet, facet), rows: f.rowsOf(o, facet, nil)}
		for j, paint := range f.paints(o, facet, colors) {
			for k, b := range bundles {
				if l := b.line(i*len(colors)+j, o.Band); len(l.x) > 0 {
					l.paint(o.metricPaint(paint, k))
					p.lines = append(p.lines, l)
				}
			}
		}
		panels = append(panels, p)
	}
	f.chooseStepScale(&o, panels)
	return picture, picture.addLinePanels(f, panels, o)
}

// chooseStepScale selects a logarithmic axis if the steps of most lines were recorded evenly in
// their logarithm.
func (f *frame) chooseStepScale(o *options, panels []*linePanel) {
	even, logarithmic := 0, 0
	zero, positive := false, false
	for _, p := range panels {
		for _, l := range p.lines {
			zero, positive = zero || l.x[0] <= 0, positive || l.x[len(l.x)-1] > 0
			if isLogRecorded(l.x) {
				logarithmic++
			} else {
				even++
			}
		}
	}
	if !positive {
		o.XScale = "linear"
		return
	}
	if o.XScale == "" {
		if o.XScale = "linear"; logarithmic > even {
			o.XScale = "log"
		}
	}
	if zero && o.XScale == "log" {
		f.note("step 0 not on the log scale")
	}
}

// isLogRecorded reports whether half of many rising steps are in the first quarter of the run.
func isLogRecorded(steps []float64) bool {
	for len(steps) > 0 && steps[0] <= 0 {
		steps = steps[1:]
	}
	n := len(steps)
	return n >= 8 && steps[n/2] < steps[n-1]/4
}

// readBundles reads the trajectories of each metric.
func readBundles(
	ctx context.Context,
	set *results.Set,
	f *frame,
	o options,
	facets, colors []value,
) ([]*bundles, error) {
	names := []string{"point", "step"}
	var metrics []*formula.Number
	var all []*bundles
	for _, metric := range o.metrics() {
		m, err := formula.ParseNumber(metric, set.Schema().Columns(results.Trajectories))
		if err != nil {
			return nil, fmt.Errorf("plot: choose axes: %w", err)
		}
		for _, name := range m.Columns() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		metrics, all = append(metrics, m), append(all, newBundles(f, o, facets, colors))
	}
	for cells, err := range set.Scan(ctx, results.Trajectories, names...) {
		if err != nil {
			return nil, err
		}
		row := func(name string) results.Cell { return cells[slices.Index(names, name)] }
		for k, m := range metrics {
			all[k].add(cells[0].Int, float64(cells[1].Int), m.Of(row))
		}
	}
	return all, nil
}

// bundles are the trajectories of the points of each line.
type bundles struct {
	lineOf map[int64]int     // by point
	factor map[int64]float64 // of the step, by point
	points []int             // of each line
	values []map[float64][]float64
}

func newBundles(f *frame, o options, facets, colors []value) *bundles {
	b := &bundles{
		lineOf: map[int64]int{},
		factor: map[int64]float64{},
		points: make([]int, len(facets)*len(colors)),
		values: make([]map[float64][]float64, len(facets)*len(colors)),
	}
	for i := range b.values {
		b.values[i] = map[float64][]float64{}
	}
	for i, facet := range facets {
		for j := range colors {
			for _, row := range f.rowsOf(o, facet, &colors[j]) {
				point := int64(f.columns["point"].numbers[row])
				b.lineOf[point] = i*len(colors) + j
				b.points[i*len(colors)+j]++
				b.factor[point] = 1
				if o.X == "eta_step" {
					b.factor[point] = f.columns["learning_rate"].numbers[row]
				}
			}
		}
	}
	return b
}

// add adds a row of the trajectories table.
func (b *bundles) add(point int64, step, y float64) {
	i, ok := b.lineOf[point]
	if !ok || math.IsNaN(y) {
		return
	}
	if x := step * b.factor[point]; isFinite(x) {
		b.values[i][x] = append(b.values[i][x], y)
	}
}

// line returns the median and the band of a bundle, as far as at least half of its runs have a
// value.
func (b *bundles) line(i int, band string) *line {
	l := &line{}
	for _, x := range slices.Sorted(maps.Keys(b.values[i])) {
		if values := b.values[i][x]; 2*len(values) >= b.points[i] {
			l.x = append(l.x, x)
			low, high := replicate.Quantile(values, 0.1), replicate.Quantile(values, 0.9)
			if band == figure.Interval {
				low, high = replicate.Interval(values)
			}
			l.add(low, replicate.Quantile(values, 0.5), high)
		}
	}
	return l
}
