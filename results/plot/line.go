package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// line is one curve: medians and the band between two quantiles.
type line struct {
	color             color.NRGBA
	dashes            []vg.Length
	x, low, mid, high []float64 // mid is NaN where the curve is censored
	bar               barPlace  // not zero: bars instead of a curve
	index             int       // of the line in its panel
}

// paint sets how the line is drawn.
func (l *line) paint(p paint) { l.color, l.dashes = p.color, p.dashes }

// lineLegend explains the colours of lines or bars.
func (f *frame) lineLegend(o options, values []value, bars bool) []legendEntry {
	if o.Color == "" {
		return nil
	}
	var legend []legendEntry
	for i, p := range f.paints(o, value{}, values) {
		entry := legendEntry{text: facetTitle(o.Color, values[i]), color: p.color, dashes: p.dashes}
		if bars {
			entry.color, entry.area = p.fill, true
		}
		legend = append(legend, entry)
	}
	return legend
}

// linePanel is what a panel of lines shows.
type linePanel struct {
	title string
	rows  []int // of the frame, for theory
	lines []*line
}

// addLinePanels adds panels with the same axes.
func (f *Figure) addLinePanels(from *frame, panels []*linePanel, o options) error {
	var lines []*line
	for _, p := range panels {
		lines = append(lines, p.lines...)
	}
	axes, err := fitLines(from, lines, o)
	if err != nil {
		return err
	}
	var marks lineMarks
	for _, panel := range panels {
		p := newPanel(panel.title, cmp.Or(o.XLabel, label(o.X)), cmp.Or(o.YLabel, o.yAxisLabel()))
		for i, l := range panel.lines {
			l.index = i
			p.Add(l)
			marks.censored = marks.censored || slices.ContainsFunc(l.mid, math.IsNaN)
		}
		axes.x.apply(&p.X)
		axes.y.apply(&p.Y)
		for _, t := range from.theories(o, panel.rows, axes) {
			p.Add(t)
			marks.addTheory(t)
		}
		f.panels = append(f.panels, p)
	}
	f.legend = append(f.legend, marks.legend(o)...)
	return nil
}

// lineMarks are the marks in panels that the legend explains.
type lineMarks struct {
	censored bool
	theories []legendEntry
}

func (m *lineMarks) addTheory(t *theory) {
	if !slices.ContainsFunc(m.theories, func(e legendEntry) bool { return e.text == t.text }) {
		m.theories = append(m.theories, legendEntry{text: t.text, color: theoryColor, dashes: t.dashes})
	}
}

func (m *lineMarks) legend(o options) []legendEntry {
	legend := m.theories
	if m.censored {
		legend = append(legend, legendEntry{text: absent(o.metrics()[0]), color: ink, cross: true})
	}
	return legend
}

// absent says what a missing median of a metric means.
func absent(name string) string {
	if results.IsCensored(name) {
		return "not reached"
	}
	return "no value in half of the runs"
}

// panelAxes are the axes that all panels of a figure share.
type panelAxes struct{ x, y axis }

// fitLines fits axes to lines and removes from them what the scales cannot show.
func fitLines(f *frame, lines []*line, o options) (axes panelAxes, err error) {
	xs, ys := map[float64]bool{}, map[float64]bool{}
	for _, l := range lines {
		for i := range l.x {
			xs[l.x[i]] = true
			for _, v := range []float64{l.low[i], l.mid[i], l.high[i]} {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					ys[v] = true
				}
			}
		}
	}
	if len(xs) == 0 || len(ys) == 0 {
		return axes, fmt.Errorf("plot: draw %s over %s: no point has a value of %s", o.Y, o.X, o.Y)
	}
	choice := o.YScale
	if choice == "" && o.allFractions() {
		choice = "linear"
	}
	x, y := scaleOf(sorted(xs), o.XScale), scaleOf(sorted(ys), choice)
	if o.YScale == "log" && !y.log {
		return axes, fmt.Errorf("plot: draw %s on a log scale: got no value above 0 (largest %s); use the linear scale",
			o.Y, number(y.max))
	}
	hidden := 0
	for _, l := range lines {
		hidden += l.keepScaled(x, y)
		l.bar.dots = y.log
	}
	if hidden > 0 {
		f.note("%s of %s <= 0 not on the log scale", count(hidden, "value"), symbol(o.Y))
	}
	y.ticks = nil
	axes.x, axes.y = x.padded(0.02), y.padded(0.06)
	switch {
	case o.allFractions() && !y.log:
		axes.y = y.over(-0.03, 1.03)
	case !y.log && y.min >= 0:
		axes.y = y.between(0, axes.y.high)
	case !y.log && y.max <= 0 && lines[0].bar.of > 0: // bars start at zero
		axes.y = y.between(axes.y.low, 0)
	}
	return axes, axes.limit(o)
}

// limit sets the ends that the options ask for.
func (a *panelAxes) limit(o options) error {
	for _, side := range []struct {
		axis *axis
		name string
		ends figure.Limits
	}{{&a.x, "x", o.XLim}, {&a.y, "y", o.YLim}} {
		if side.ends == (figure.Limits{}) {
			continue
		}
		if !side.axis.has(side.ends[0]) {
			return fmt.Errorf("plot: limit the %s axis: got %s on a log scale, want numbers above 0",
				side.name, number(side.ends[0]))
		}
		side.axis.ticks = nil
		*side.axis = side.axis.over(side.ends[0], side.ends[1])
	}
	return nil
}

// keepScaled removes the points that the scales cannot show, and counts those whose y is.
func (l *line) keepScaled(x, y scale) (hidden int) {
	n := 0
	for i := range l.x {
		if !x.has(l.x[i]) {
			continue
		}
		if !math.IsNaN(l.mid[i]) && !y.has(l.mid[i]) {
			hidden++
			continue
		}
		l.x[n], l.low[n], l.mid[n], l.high[n] = l.x[i], l.low[i], l.mid[i], l.high[i]
		if !math.IsNaN(l.mid[n]) && !y.has(l.low[n]) {
			l.low[n] = y.min
		}
		n++
	}
	l.x, l.low, l.mid, l.high = l.x[:n], l.low[:n], l.mid[:n], l.high[:n]
	return hidden
}

// Plot implements plot.Plotter.
func (l *line) Plot(c draw.Canvas, p *plot.Plot) {
	if l.bar.of > 0 {
		l.drawBars(c, p)
		return
	}
	tx, ty := p.Transforms(&c)
	for from := 0; from < len(l.x); {
		if math.IsNaN(l.mid[from]) {
			from++
			continue
		}
		to := from
		for to < len(l.x) && !math.IsNaN(l.mid[to]) {
			to++
		}
		l.segment(c, tx, ty, from, to)
		from = to
	}
	for i, x := range l.x {
		if math.IsNaN(l.mid[i]) {
			if c.ContainsX(tx(x)) { // those of several lines stand below each other
				drawCross(c, l.color, vg.Point{X: tx(x), Y: c.Max.Y - 3 - 6*vg.Length(l.index)})
			}
		}
	}
}

// segment draws the points [from, to), none of them censored: the band, then the line, with dots if
// there are few.
func (l *line) segment(c draw.Canvas, tx, ty func(float64) vg.Length, from, to int) {
	var upper, lower, middle []vg.Point
	for i := from; i < to; i++ {
		x := tx(l.x[i])
		middle = append(middle, vg.Point{X: x, Y: ty(l.mid[i])})
		high := c.Max.Y // a censored quantile is later than the end of the run
		if !math.IsNaN(l.high[i]) {
			high = ty(l.high[i])
		}
		upper = append(upper, vg.Point{X: x, Y: high})
		lower = append(lower, vg.Point{X: x, Y: ty(l.low[i])})
	}
	slices.Reverse(lower)
	band := l.color
	band.A = 50
	if to-from > 1 && !slices.Equal(l.low[from:to], l.high[from:to]) {
		c.FillPolygon(band, c.ClipPolygonXY(append(upper, lower...)))
	}
	c.StrokeLines(draw.LineStyle{Color: l.color, Width: 1.3, Dashes: l.dashes}, c.ClipLinesXY(middle)...)
	if len(l.x) <= 30 {
		for _, at := range middle {
			if c.Contains(at) {
				c.DrawGlyph(draw.GlyphStyle{Color: l.color, Radius: 1.6, Shape: draw.CircleGlyph{}}, at)
			}
		}
	}
}
