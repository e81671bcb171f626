package plot

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
)

// trajectories draws a metric of the recorded iterates against the step or the learning rate times
// the step.
func trajectories(ctx context.Context, set *results.Set, f *frame, o Options) (*Figure, error) {
	if o.X == "eta_step" && f.columns["learning_rate"] == nil {
		return nil, fmt.Errorf("plot: draw over eta_step: the sweep has no parameter learning_rate")
	}
	f.slice([]string{o.Facet, o.Color})
	f.noteBands()
	colors, facets := f.lineValues(o.Color), f.lineValues(o.Facet)
	bundles := newBundles(f, o, facets, colors)
	for cells, err := range set.Scan(ctx, results.Trajectories, "point", "step", o.Y) {
		if err != nil {
			return nil, err
		}
		bundles.add(cells[0].Int, float64(cells[1].Int), cells[2])
	}
	figure := &Figure{legend: lineLegend(o.Color, colors)}
	for i, facet := range facets {
		p := newPanel(facetTitle(o.Facet, facet), label(o.X), label(o.Y))
		var lines []*line
		for j := range colors {
			if l := bundles.line(i*len(colors) + j); len(l.x) > 0 {
				l.color, l.dashes = lineStyle(colors, j)
				lines = append(lines, l)
			}
		}
		sx, sy, ok := frameLines(p.Plot, lines, o)
		if !ok {
			return nil, fmt.Errorf("plot: draw %s: no trajectory of these points has it", o.Y)
		}
		p.addLines(lines, sx, sy)
		figure.panels = append(figure.panels, p)
	}
	if bundles.diverged > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%d of these runs diverged and end early", bundles.diverged))
	}
	return figure, nil
}

// bundles are the trajectories of the points of each line.
type bundles struct {
	lineOf   map[int64]int     // by point
	factor   map[int64]float64 // of the step, by point
	values   []map[float64][]float64
	diverged int
}

func newBundles(f *frame, o Options, facets, colors []value) *bundles {
	b := &bundles{
		lineOf: map[int64]int{},
		factor: map[int64]float64{},
		values: make([]map[float64][]float64, len(facets)*len(colors)),
	}
	for i := range b.values {
		b.values[i] = map[float64][]float64{}
	}
	for i, facet := range facets {
		for j, v := range colors {
			for _, row := range f.rowsOf(o, facet, v) {
				point := int64(f.columns["point"].numbers[row])
				b.lineOf[point] = i*len(colors) + j
				b.factor[point] = 1
				if o.X == "eta_step" {
					b.factor[point] = f.columns["learning_rate"].numbers[row]
				}
				if f.columns["status"].words[row] == results.StatusDiverged {
					b.diverged++
				}
			}
		}
	}
	return b
}

// add adds a row of the trajectories table.
func (b *bundles) add(point int64, step float64, y results.Cell) {
	i, ok := b.lineOf[point]
	if !ok || y.Null {
		return
	}
	if x := step * b.factor[point]; !math.IsNaN(x) {
		b.values[i][x] = append(b.values[i][x], y.Float)
	}
}

// line returns the median and the band of a bundle.
func (b *bundles) line(i int) *line {
	l := &line{}
	for x := range b.values[i] {
		l.x = append(l.x, x)
	}
	slices.Sort(l.x)
	for _, x := range l.x {
		l.low = append(l.low, censoredQuantile(b.values[i][x], 0.1))
		l.mid = append(l.mid, censoredQuantile(b.values[i][x], 0.5))
		l.high = append(l.high, censoredQuantile(b.values[i][x], 0.9))
	}
	return l
}
