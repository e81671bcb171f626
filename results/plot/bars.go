package plot

import (
	"context"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/results"
)

// maxCategories bounds the groups of bars of a panel.
const maxCategories = 24

// bars draws a metric for each value of a column, with a bar for each color: medians, and the range
// between the 10 % and 90 % quantiles as a whisker. On a logarithmic axis, which has no zero to
// start from, it draws dots.
func bars(_ context.Context, _ *results.Set, f *frame, o options) (*Figure, error) {
	tuned, err := f.prepareCurves(o)
	if err != nil {
		return nil, err
	}
	facets, colors, categories := f.show(o.Facet, maxPanels), f.show(o.Color, maxLines), f.show(o.X, maxCategories)
	best, err := f.tune(o, tuned)
	if err != nil {
		return nil, err
	}
	f.noteCurves(o, best)
	x := map[value]float64{}
	for i, v := range categories {
		x[v] = float64(i)
	}
	metrics := o.metrics()
	picture := &Figure{legend: slices.Concat(f.lineLegend(o, colors, true), o.metricLegend(true))}
	var panels []*linePanel
	for _, facet := range facets {
		p := &linePanel{title: facetTitle(o.Facet, facet)}
		for i, paint := range f.paints(o, facet, colors) {
			for k, metric := range metrics {
				l := f.categoryLine(f.rowsOf(o, facet, &colors[i]), o.of(metric), x)
				l.color = o.metricPaint(paint, k).fill
				l.bar = barPlace{of: len(colors) * len(metrics), index: i*len(metrics) + k}
				if o.Color == "" && o.X == "optimizer" && len(metrics) == 1 {
					l.bar.fills = f.paints(options{Color: o.X}, facet, categories)
				}
				p.lines = append(p.lines, l)
			}
		}
		panels = append(panels, p)
	}
	o.XScale = "linear"
	if err := picture.addLinePanels(f, panels, o); err != nil {
		return nil, err
	}
	for _, p := range picture.panels {
		p.nameCategories(categories)
	}
	return picture, nil
}

// categoryLine returns the medians of rows at the places of their categories.
func (f *frame) categoryLine(rows []int, o options, x map[value]float64) *line {
	at := map[float64][]int{}
	xs := map[float64]bool{}
	for _, row := range rows {
		place := x[f.columns[o.X].at(row)]
		at[place], xs[place] = append(at[place], row), true
	}
	l := &line{x: sorted(xs)}
	for _, place := range l.x {
		l.add(f.median(at[place], o))
	}
	return l
}

// nameCategories labels the horizontal axis with words, slanted if they have no room.
func (p *panel) nameCategories(categories []value) {
	var ticks []plot.Tick
	widest := vg.Length(0)
	for i, v := range categories {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: v.String()})
		widest = max(widest, p.X.Tick.Label.Width(v.String()))
	}
	scale{}.over(-0.6, float64(len(categories)-1)+0.6).apply(&p.X)
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	if widest+4 > panelWidth*0.75/vg.Length(len(categories)) {
		p.X.Tick.Label.Rotation = math.Pi / 4
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	}
}

// barPlace is the place of a line's bars in their groups; the zero value is that of no bars.
type barPlace struct {
	of, index int
	dots      bool    // instead of bars, on a logarithmic axis
	fills     []paint // of each category; nil if they have one colour
}

// drawBars draws a bar, or on a logarithmic axis a dot, for each point of a line.
func (l *line) drawBars(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	width := 0.8 / float64(l.bar.of)
	for i, x := range l.x {
		left := x - 0.4 + width*float64(l.bar.index)
		from, to, middle := tx(left+width*0.05), tx(left+width*0.95), tx(left+width/2)
		fill := l.color
		if l.bar.fills != nil {
			fill = l.bar.fills[int(x)].fill
		}
		switch {
		case math.IsNaN(l.mid[i]):
			drawCross(c, fill, vg.Point{X: middle, Y: c.Max.Y - 3})
			continue
		case l.bar.dots:
			if at := (vg.Point{X: middle, Y: ty(l.mid[i])}); c.Contains(at) {
				c.DrawGlyph(draw.GlyphStyle{Color: fill, Radius: 3, Shape: draw.CircleGlyph{}}, at)
			}
		default:
			base, top := ty(0), ty(l.mid[i])
			c.FillPolygon(
				fill,
				c.ClipPolygonXY([]vg.Point{{X: from, Y: base}, {X: to, Y: base}, {X: to, Y: top}, {X: from, Y: top}}),
			)
		}
		high := c.Max.Y // a censored quantile is later than the end of the run
		if !math.IsNaN(l.high[i]) {
			high = ty(l.high[i])
		}
		if low := ty(l.low[i]); low != high {
			c.StrokeLines(
				whisker(fill, l.bar.dots),
				c.ClipLinesXY([]vg.Point{{X: middle, Y: low}, {X: middle, Y: high}})...)
		}
	}
}

// whisker is the style of the line between quantiles: that of the dot, or ink on a bar.
func whisker(of color.Color, dot bool) draw.LineStyle {
	if dot {
		return draw.LineStyle{Color: of, Width: 1}
	}
	return draw.LineStyle{Color: ink, Width: 0.8}
}

func drawCross(c draw.Canvas, color color.Color, at vg.Point) {
	c.DrawGlyph(draw.GlyphStyle{Color: color, Radius: 2.5, Shape: draw.CrossGlyph{}}, at)
}
