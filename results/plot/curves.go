package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/results"
)

// maxNumbers and maxWords bound the lines of a panel: more cannot be distinguished.
const (
	maxNumbers = 6
	maxWords   = 2 * len(hues)
)

// line is one curve: medians and the band between two quantiles.
type line struct {
	color             color.NRGBA
	dashes            []vg.Length
	x, low, mid, high []float64 // mid is NaN where the curve is censored
}

// asymptotic are the optimizers that reach 90 % alignment at learning rate times step = 0.949 from
// a small start, for any anisotropy.
var asymptotic = []string{"specgd", "muon", "nucspec"}

// curves draws a metric against a parameter. If several learning rates compete for a first-passage
// time, it draws the best one.
func curves(f *frame, o Options) (*Figure, error) {
	keys := []string{o.Facet, o.Color, o.X}
	best := results.IsCensored(o.Y) && f.columns["learning_rate"] != nil &&
		f.free("learning_rate", append(keys, "seed")...)
	if best {
		f.slice(keys, "learning_rate", "steps")
		f.notes = append(f.notes, "best learning rate")
	} else {
		f.slice(keys)
	}
	f.noteBands()
	colors := f.lineValues(o.Color)
	figure := &Figure{legend: lineLegend(o.Color, colors)}
	facets := f.lineValues(o.Facet)
	censored, asymptote := false, false
	for _, facet := range facets {
		p := newPanel(facetTitle(o.Facet, facet), label(o.X), label(o.Y))
		var lines []*line
		var theories []*theory
		for i, v := range colors {
			rows := f.rowsOf(o, facet, v)
			l := f.curve(rows, o, best)
			l.color, l.dashes = lineStyle(colors, i)
			lines = append(lines, l)
			if o.Y == "steps_to_90" && o.X == "anisotropy" && o.Color == "optimizer" &&
				slices.Contains(asymptotic, v.word) {
				theories = append(theories, &theory{points: f.asymptote(rows, l)})
				asymptote = asymptote || len(theories[len(theories)-1].points) > 0
			}
			censored = censored || slices.ContainsFunc(l.mid, math.IsNaN)
		}
		sx, sy, ok := frameLines(p.Plot, lines, o)
		if !ok {
			return nil, fmt.Errorf("plot: draw %s over %s: no row has both", o.Y, o.X)
		}
		if o.X == "anisotropy" && p.X.Min < 2 && p.X.Max > 2 {
			theories = append(theories, &theory{points: [][2]float64{{2, p.Y.Min}, {2, p.Y.Max}}})
		}
		for _, l := range lines {
			p.Add(l)
		}
		for _, t := range theories {
			p.Add(t)
		}
		sx.apply(&p.X, p.X.Min, p.X.Max)
		sy.apply(&p.Y, p.Y.Min, p.Y.Max)
		figure.panels = append(figure.panels, p)
	}
	if o.X == "anisotropy" {
		text := "theory: λ = 2"
		if asymptote {
			text = "theory: λ = 2, 0.949/η"
		}
		figure.legend = append(figure.legend, legendEntry{text: text, color: theoryColor, dashes: dashes})
	}
	if censored {
		figure.legend = append(figure.legend, legendEntry{text: "not reached", color: ink, cross: true})
	}
	return figure, nil
}

// noteBands explains the bands in the caption, if there are replicates.
func (f *frame) noteBands() {
	if f.varies("seed") {
		f.notes = append(f.notes, "median and 10-90 % band over seeds")
	}
}

// lineValues returns the values of a column that become lines or panels, evenly spread if there are
// too many; without a column, one null.
func (f *frame) lineValues(name string) []value {
	if name == "" {
		return []value{{null: true}}
	}
	all, most := f.distinct(name), maxNumbers
	if f.columns[name].isWord() {
		most = maxWords
	}
	if len(all) <= most {
		return all
	}
	var some []value
	for i := range most {
		some = append(some, all[i*(len(all)-1)/(most-1)])
	}
	return some
}

// facetTitle is the title of a panel or line.
func facetTitle(name string, v value) string {
	switch {
	case name == "":
		return ""
	case v.word != "":
		return v.word
	}
	return symbol(name) + " = " + v.String()
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

// rowsOf returns the rows of one line of one panel.
func (f *frame) rowsOf(o Options, facet, color value) []int {
	var rows []int
	for row := range f.rows {
		if (o.Facet == "" || f.columns[o.Facet].at(row) == facet) &&
			(o.Color == "" || f.columns[o.Color].at(row) == color) {
			rows = append(rows, row)
		}
	}
	return rows
}

// curve returns the line through the rows: median, 10 % and 90 % quantiles over replicates at each
// x; if best, at the learning rate with the smallest median.
func (f *frame) curve(rows []int, o Options, best bool) *line {
	type at struct{ x, rate float64 }
	values := map[at][]float64{}
	xs := map[float64]bool{}
	for _, row := range rows {
		k := at{x: f.columns[o.X].numbers[row]}
		if math.IsNaN(k.x) {
			continue
		}
		if best {
			k.rate = f.columns["learning_rate"].numbers[row]
		}
		y := f.columns[o.Y].numbers[row]
		if results.IsCensored(o.Y) && f.columns["status"].words[row] == results.StatusDiverged {
			y = math.NaN()
		}
		xs[k.x] = true
		values[k] = append(values[k], y)
	}
	l := &line{x: sorted(xs)}
	for _, x := range l.x {
		var chosen []float64
		for k, v := range values {
			if k.x == x && (chosen == nil || earlier(v, chosen)) {
				chosen = v
			}
		}
		if !results.IsCensored(o.Y) {
			chosen = slices.DeleteFunc(chosen, math.IsNaN)
		}
		l.low = append(l.low, censoredQuantile(chosen, 0.1))
		l.mid = append(l.mid, censoredQuantile(chosen, 0.5))
		l.high = append(l.high, censoredQuantile(chosen, 0.9))
	}
	return l
}

// earlier reports whether the median of a is less than that of b; a censored one is later than all
// others.
func earlier(a, b []float64) bool {
	x, y := censoredQuantile(a, 0.5), censoredQuantile(b, 0.5)
	return !math.IsNaN(x) && (math.IsNaN(y) || x < y)
}

// asymptote returns 0.949/eta at the anisotropies of a line that have one learning rate.
func (f *frame) asymptote(rows []int, l *line) [][2]float64 {
	if f.columns["learning_rate"] == nil {
		return nil
	}
	rates := map[float64]map[float64]bool{}
	for _, row := range rows {
		x := f.columns["anisotropy"].numbers[row]
		if rates[x] == nil {
			rates[x] = map[float64]bool{}
		}
		rates[x][f.columns["learning_rate"].numbers[row]] = true
	}
	var points [][2]float64
	for _, x := range l.x {
		for rate := range rates[x] {
			if len(rates[x]) == 1 && rate > 0 {
				points = append(points, [2]float64{x, 0.949 / rate})
			}
		}
	}
	return points
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
