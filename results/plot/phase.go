package plot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// grid is one panel of a heat map: the median over replicates of a metric for each (x, y).
type grid struct {
	x, y     []float64
	z        [][]float64 // by y, x; NaN if there is no number
	diverged [][]bool    // more than half of the runs diverged
	present  [][]bool    // there are runs
}

// phase draws a heat map for each facet, with shared axes and colours.
func phase(_ context.Context, _ *results.Set, f *frame, o options) (*Figure, error) {
	keys := []string{o.Facet, o.X, o.Y}
	f.dropNull(keys...)
	if f.rows == 0 {
		return nil, fmt.Errorf("plot: draw %s over %s: no point has both", o.Y, o.X)
	}
	f.slice(keys)
	if err := cmp.Or(f.dropUnscaled(o.X, o.XScale), f.dropUnscaled(o.Y, o.YScale)); err != nil {
		return nil, err
	}
	facets := f.show(o.Facet, maxPanels)
	what := "median"
	if o.Kind == figure.Stability {
		what = "fraction"
	}
	f.noteRuns(what, keys...)
	f.noteCoupled(keys, o.Facet)
	x, y := scaleOf(f.numbers(o.X), o.XScale), scaleOf(f.numbers(o.Y), o.YScale)
	var panels []*phasePanel
	for _, facet := range facets {
		rows := f.rowsOf(o, facet, nil)
		g := f.grid(o, rows)
		panels = append(panels, &phasePanel{title: facetTitle(o.Facet, facet), rows: rows, grid: g})
	}
	colors := colorScale(o, panels)
	picture := &Figure{bar: colorBar(colors, label(o.Color))}
	return picture, picture.addPhasePanels(f, panels, x, y, colors, o)
}

// numbers returns the different numbers of a column in rising order.
func (f *frame) numbers(name string) []float64 {
	set := map[float64]bool{}
	for _, x := range f.columns[name].numbers {
		if !math.IsNaN(x) {
			set[x] = true
		}
	}
	return sorted(set)
}

// grid collects the rows of one facet.
func (f *frame) grid(o options, rows []int) *grid {
	cells := map[[2]float64]*runs{}
	xs, ys := map[float64]bool{}, map[float64]bool{}
	color := o.Color
	if o.Kind == figure.Stability {
		color = "point" // the status counts
	}
	for _, row := range rows {
		at := [2]float64{f.columns[o.X].numbers[row], f.columns[o.Y].numbers[row]}
		xs[at[0]], ys[at[1]] = true, true
		if cells[at] == nil {
			cells[at] = &runs{}
		}
		cells[at].add(f, row, color)
	}
	g := &grid{x: sorted(xs), y: sorted(ys)}
	for _, y := range g.y {
		z, bad, there := make([]float64, len(g.x)), make([]bool, len(g.x)), make([]bool, len(g.x))
		for i, x := range g.x {
			z[i] = math.NaN()
			r := cells[[2]float64{x, y}]
			if r == nil {
				continue
			}
			there[i] = true
			bad[i] = o.Kind != figure.Stability && 2*r.diverged > r.metric.Len()
			switch {
			case o.Kind == figure.Stability:
				z[i] = float64(r.diverged) / float64(r.metric.Len())
			case !bad[i]:
				z[i] = r.metric.Quantile(0.5)
			}
		}
		g.z, g.diverged, g.present = append(g.z, z), append(g.diverged, bad), append(g.present, there)
	}
	return g
}

// sorted returns the keys of a map in rising order.
func sorted[K cmp.Ordered, V any](set map[K]V) []K { return slices.Sorted(maps.Keys(set)) }

// phasePanel is what a panel of a heat map shows.
type phasePanel struct {
	title string
	rows  []int // of the frame, for theory
	grid  *grid
}

// addPhasePanels adds panels with the same axes, and the legend of what they show.
func (f *Figure) addPhasePanels(from *frame, panels []*phasePanel, x, y scale, c colors, o options) error {
	var heats []*heat
	for _, panel := range panels {
		heats = append(heats, newHeat(panel.grid, c, x, y))
	}
	axes := bounds(heats, x, y)
	if err := axes.limit(o); err != nil {
		return err
	}
	var marks phaseMarks
	for i, panel := range panels {
		p := newPanel(panel.title, cmp.Or(o.XLabel, label(o.X)), cmp.Or(o.YLabel, label(o.Y)))
		heats[i].axes = axes
		p.Add(heats[i])
		marks.addCells(panel.grid)
		line := &contour{grid: panel.grid, level: o.Threshold, x: x, y: y}
		if o.Kind == figure.Phase && o.Threshold != 0 && len(line.pieces()) > 0 {
			p.Add(line)
			marks.contour = true
		}
		axes.x.apply(&p.X)
		axes.y.apply(&p.Y)
		for _, t := range from.theories(o, panel.rows, axes) {
			p.Add(t)
			marks.lines.addTheory(t)
		}
		f.panels = append(f.panels, p)
	}
	f.legend = marks.legend(o)
	return nil
}

// phaseMarks are the marks in panels that the legend explains.
type phaseMarks struct {
	lines             lineMarks
	diverged, contour bool
}

func (m *phaseMarks) addCells(g *grid) {
	for j := range g.z {
		for i := range g.z[j] {
			m.diverged = m.diverged || g.diverged[j][i]
			m.lines.censored = m.lines.censored || g.present[j][i] && !g.diverged[j][i] && math.IsNaN(g.z[j][i])
		}
	}
}

func (m *phaseMarks) legend(o options) (legend []legendEntry) {
	if m.diverged {
		legend = append(legend, legendEntry{text: "diverged", color: divergedColor, area: true})
	}
	if m.lines.censored {
		legend = append(legend, legendEntry{text: absent(o.Color), color: censoredColor, area: true})
	}
	if m.contour {
		legend = append(legend, legendEntry{text: symbol(o.Color) + " = " + number(o.Threshold), color: ink})
	}
	return append(legend, m.lines.theories...)
}
