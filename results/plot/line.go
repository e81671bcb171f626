package plot

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// line is one curve: medians and the band between two quantiles.
type line struct {
	color             color.NRGBA
	dashes            []vg.Length
	x, low, mid, high []float64 // mid is NaN where the curve is censored
}

// addLines adds lines and sets the axes to their scales.
func (p *panel) addLines(lines []*line, sx, sy scale) {
	for _, l := range lines {
		p.Add(l)
	}
	sx.apply(&p.X, p.X.Min, p.X.Max)
	sy.apply(&p.Y, p.Y.Min, p.Y.Max)
}

// lineLegend explains the colours of lines.
func lineLegend(name string, values []value) []legendEntry {
	var legend []legendEntry
	for i, v := range values {
		if name != "" {
			color, dashes := lineStyle(values, i)
			legend = append(legend, legendEntry{text: facetTitle(name, v), color: color, dashes: dashes})
		}
	}
	return legend
}

// lineStyle returns a hue for a word, dashed when the hues repeat, and a shade for a number.
func lineStyle(values []value, i int) (color.NRGBA, []vg.Length) {
	if values[i].word == "" && len(values) > 1 {
		return shade(0.9 * float64(i) / float64(len(values)-1)), nil
	}
	if i >= len(hues) {
		return hue(i), []vg.Length{5, 1.5}
	}
	return hue(i), nil
}

// frameLines fits a panel's axes to lines and removes from them what the scales cannot show; ok is
// false if nothing is left.
func frameLines(p *plot.Plot, lines []*line, o Options) (x, y scale, ok bool) {
	xs, ys := map[float64]bool{}, map[float64]bool{}
	for _, l := range lines {
		for i := range l.x {
			xs[l.x[i]] = true
			for _, v := range []float64{l.low[i], l.mid[i], l.high[i]} {
				if !math.IsNaN(v) {
					ys[v] = true
				}
			}
		}
	}
	if len(xs) == 0 || len(ys) == 0 {
		return x, y, false
	}
	choice := o.YScale
	if choice == "" && isFraction(o.Y) {
		choice = "linear"
	}
	x, y = scaleOf(sorted(xs), o.XScale), scaleOf(sorted(ys), choice)
	for _, l := range lines {
		l.keepScaled(x, y)
	}
	y.ticks = nil
	p.X.Min, p.X.Max = x.min, x.max
	if x.max == x.min {
		p.X.Min, p.X.Max = x.min-0.5, x.max+0.5
		x.log = false
	}
	margin := 0.06 * (y.forward(y.max) - y.forward(y.min))
	if margin == 0 {
		margin = 0.1
	}
	p.Y.Min, p.Y.Max = y.back(y.forward(y.min)-margin), y.back(y.forward(y.max)+margin)
	switch {
	case isFraction(o.Y) && !y.log:
		p.Y.Min, p.Y.Max = -0.03, 1.03
	case !y.log && y.min >= 0:
		p.Y.Min = 0
	}
	return x, y, true
}

// keepScaled removes the points that the scales cannot show.
func (l *line) keepScaled(x, y scale) {
	n := 0
	for i := range l.x {
		if !x.has(l.x[i]) || !math.IsNaN(l.mid[i]) && !y.has(l.mid[i]) {
			continue
		}
		l.x[n], l.low[n], l.mid[n], l.high[n] = l.x[i], l.low[i], l.mid[i], l.high[i]
		if !y.has(l.low[n]) {
			l.low[n] = y.min
		}
		n++
	}
	l.x, l.low, l.mid, l.high = l.x[:n], l.low[:n], l.mid[:n], l.high[:n]
}

// Plot implements plot.Plotter.
func (l *line) Plot(c draw.Canvas, p *plot.Plot) {
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
			c.DrawGlyph(
				draw.GlyphStyle{Color: l.color, Radius: 2.5, Shape: draw.CrossGlyph{}},
				vg.Point{X: tx(x), Y: c.Max.Y - 3},
			)
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
			c.DrawGlyph(draw.GlyphStyle{Color: l.color, Radius: 1.6, Shape: draw.CircleGlyph{}}, at)
		}
	}
}
