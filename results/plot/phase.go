package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/results"
)

// grid is one panel of a heat map: the median over replicates of a metric for each (x, y).
type grid struct {
	x, y     []float64
	z        [][]float64 // by y, x; NaN if there is no number
	diverged [][]bool    // more than half of the runs diverged
	present  [][]bool    // there are runs
}

// phase draws a heat map for each facet, with a shared colour scale.
func phase(f *frame, o Options) (*Figure, error) {
	f.slice([]string{o.Facet, o.X, o.Y})
	values := []value{{null: true}}
	if o.Facet != "" {
		values = f.distinct(o.Facet)
	}
	var grids []*grid
	low, high := math.Inf(1), math.Inf(-1)
	for _, facet := range values {
		g := f.grid(o, facet)
		if len(g.x) == 0 || len(g.y) == 0 {
			return nil, fmt.Errorf("plot: draw %s over %s: no point has both", o.Y, o.X)
		}
		grids = append(grids, g)
		for _, row := range g.z {
			for _, z := range row {
				if !math.IsNaN(z) {
					low, high = math.Min(low, z), math.Max(high, z)
				}
			}
		}
	}
	colors := colorScale(o.Color, low, high)
	figure := &Figure{bar: colorBar(colors, label(o.Color))}
	for i, g := range grids {
		title := ""
		if o.Facet != "" {
			title = values[i].String()
		}
		figure.panels = append(figure.panels, phasePanel(g, colors, o, title))
	}
	figure.legend = phaseLegend(grids, o)
	return figure, nil
}

// grid collects the rows of one facet.
func (f *frame) grid(o Options, facet value) *grid {
	cells := map[[2]float64][]float64{}
	diverged := map[[2]float64]int{}
	xs, ys := map[float64]bool{}, map[float64]bool{}
	for row := range f.rows {
		if o.Facet != "" && f.columns[o.Facet].at(row) != facet {
			continue
		}
		at := [2]float64{f.columns[o.X].numbers[row], f.columns[o.Y].numbers[row]}
		if math.IsNaN(at[0]) || math.IsNaN(at[1]) {
			continue
		}
		xs[at[0]], ys[at[1]] = true, true
		diverges := f.columns["status"].words[row] == results.StatusDiverged
		if diverges {
			diverged[at]++
		}
		z := math.NaN()
		switch {
		case o.Kind == Stability && diverges:
			z = 1
		case o.Kind == Stability:
			z = 0
		case !diverges:
			z = f.columns[o.Color].numbers[row]
		}
		cells[at] = append(cells[at], z)
	}
	g := &grid{x: sorted(xs), y: sorted(ys)}
	for _, y := range g.y {
		z, bad, there := make([]float64, len(g.x)), make([]bool, len(g.x)), make([]bool, len(g.x))
		for i, x := range g.x {
			at := [2]float64{x, y}
			runs := cells[at]
			there[i] = len(runs) > 0
			bad[i] = o.Kind != Stability && 2*diverged[at] > len(runs)
			switch {
			case bad[i]:
				z[i] = math.NaN()
			case o.Kind == Stability:
				z[i] = mean(runs)
			default:
				z[i] = censoredQuantile(runs, 0.5)
			}
		}
		g.z, g.diverged, g.present = append(g.z, z), append(g.diverged, bad), append(g.present, there)
	}
	return g
}

// sorted returns the numbers of a set in rising order.
func sorted(set map[float64]bool) []float64 {
	values := make([]float64, 0, len(set))
	for x := range set {
		values = append(values, x)
	}
	slices.Sort(values)
	return values
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// censoredQuantile returns the q-quantile of values. NaN stands for censored values, which are
// larger than all others; the result is NaN if the quantile is one of them.
func censoredQuantile(x []float64, q float64) float64 {
	known := slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	slices.Sort(known)
	at := q * float64(len(x)-1)
	low, high := int(math.Floor(at)), int(math.Ceil(at))
	switch {
	case len(x) == 0 || low >= len(known):
		return math.NaN()
	case high >= len(known):
		return known[low]
	}
	return known[low] + (at-float64(low))*(known[high]-known[low])
}

// phasePanel draws one facet of a heat map.
func phasePanel(g *grid, c colors, o Options, title string) *panel {
	p := newPanel(title, label(o.X), label(o.Y))
	sx, sy := scaleOf(g.x, o.XScale), scaleOf(g.y, o.YScale)
	g.keepScaled(sx, sy)
	h := newHeat(g, c, sx, sy)
	p.Add(h)
	if o.Kind == Phase && isFraction(o.Color) {
		p.Add(&contour{grid: g, level: o.Threshold, x: sx, y: sy})
	}
	xMin, xMax, yMin, yMax := h.bounds()
	if o.X == "anisotropy" {
		p.Add(&theory{points: phaseTheory(o, title, xMin, xMax, yMin, yMax)})
	}
	sx.apply(&p.X, xMin, xMax)
	sy.apply(&p.Y, yMin, yMax)
	return p
}

// phaseTheory returns the theoretical line over (anisotropy, y): the critical anisotropy 2 of
// gradient descent from a small start, or, if y is the learning rate, the stability limit of
// gradient descent, 1/max(3, 1 + lambda).
func phaseTheory(o Options, title string, xMin, xMax, yMin, yMax float64) [][2]float64 {
	if o.Y == "learning_rate" {
		if title != "gd" && o.Facet == "optimizer" {
			return nil
		}
		var line [][2]float64
		for i := range 101 {
			x := xMin + (xMax-xMin)*math.Pow(float64(i)/100, 3)
			line = append(line, [2]float64{x, 1 / math.Max(3, 1+x)})
		}
		return line
	}
	if xMin < 2 && xMax > 2 && (title == "gd" || o.Facet != "optimizer") {
		return [][2]float64{{2, yMin}, {2, yMax}}
	}
	return nil
}

// phaseLegend explains the marks in the panels.
func phaseLegend(grids []*grid, o Options) []legendEntry {
	var legend []legendEntry
	censored, diverged := false, false
	for _, g := range grids {
		for j := range g.z {
			for i := range g.z[j] {
				diverged = diverged || g.diverged[j][i]
				censored = censored || g.present[j][i] && !g.diverged[j][i] && math.IsNaN(g.z[j][i])
			}
		}
	}
	if diverged {
		legend = append(legend, legendEntry{text: "diverged", color: divergedColor, area: true})
	}
	if censored {
		legend = append(legend, legendEntry{text: "not reached", color: censoredColor, area: true})
	}
	if o.Kind == Phase && isFraction(o.Color) {
		legend = append(legend, legendEntry{text: symbol(o.Color) + " = " + number(o.Threshold), color: ink})
	}
	if o.X == "anisotropy" {
		text := "theory for gd: λ = 2"
		if o.Y == "learning_rate" {
			text = "theory for gd: 1/max(3, 1 + λ)"
		}
		legend = append(legend, legendEntry{text: text, color: theoryColor, dashes: dashes})
	}
	return legend
}

// keepScaled removes columns and rows that the scales cannot show.
func (g *grid) keepScaled(x, y scale) {
	for j := len(g.y) - 1; j >= 0; j-- {
		if !y.has(g.y[j]) {
			g.y, g.z = slices.Delete(g.y, j, j+1), slices.Delete(g.z, j, j+1)
			g.diverged, g.present = slices.Delete(g.diverged, j, j+1), slices.Delete(g.present, j, j+1)
		}
	}
	for i := len(g.x) - 1; i >= 0; i-- {
		if x.has(g.x[i]) {
			continue
		}
		g.x = slices.Delete(g.x, i, i+1)
		for j := range g.y {
			g.z[j] = slices.Delete(g.z[j], i, i+1)
			g.diverged[j] = slices.Delete(g.diverged[j], i, i+1)
			g.present[j] = slices.Delete(g.present[j], i, i+1)
		}
	}
}

var dashes = []vg.Length{3, 2}

// theory is a plotter of a dashed line.
type theory struct {
	points [][2]float64
}

// Plot implements plot.Plotter.
func (t *theory) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var line []vg.Point
	for _, point := range t.points {
		if point[0] <= 0 && p.X.Min > 0 || point[1] <= 0 && p.Y.Min > 0 { // not on a logarithmic axis
			continue
		}
		line = append(line, vg.Point{X: tx(point[0]), Y: ty(point[1])})
	}
	if len(line) > 1 {
		c.StrokeLines(draw.LineStyle{Color: theoryColor, Width: 1.2, Dashes: dashes}, c.ClipLinesXY(line)...)
	}
}

// contour is a plotter of the line at which a grid crosses a level. Squares with a missing corner
// have no line.
type contour struct {
	grid  *grid
	level float64
	x, y  scale
}

// Plot implements plot.Plotter.
func (k *contour) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, s := range k.segments() {
		line := []vg.Point{{X: tx(s[0][0]), Y: ty(s[0][1])}, {X: tx(s[1][0]), Y: ty(s[1][1])}}
		c.StrokeLines(draw.LineStyle{Color: white, Width: 2.2}, c.ClipLinesXY(line)...)
		c.StrokeLines(draw.LineStyle{Color: ink, Width: 1.2}, c.ClipLinesXY(line)...)
	}
}

// segments returns the pieces of the contour, by marching squares and interpolation in the spaces
// of the scales.
func (k *contour) segments() [][2][2]float64 {
	var segments [][2][2]float64
	for j := range len(k.grid.y) - 1 {
		for i := range len(k.grid.x) - 1 {
			corners := [5][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}, {i, j}}
			var crossings [][2]float64
			for side := range 4 {
				if at, ok := k.crossing(corners[side], corners[side+1]); ok {
					crossings = append(crossings, at)
				}
			}
			for n := 0; n+1 < len(crossings); n += 2 {
				segments = append(segments, [2][2]float64{crossings[n], crossings[n+1]})
			}
		}
	}
	return segments
}

// crossing returns the point between two neighbours at which the grid has the level, if there is
// one.
func (k *contour) crossing(a, b [2]int) (at [2]float64, ok bool) {
	za, zb := k.grid.z[a[1]][a[0]], k.grid.z[b[1]][b[0]]
	if math.IsNaN(za) || math.IsNaN(zb) || (za < k.level) == (zb < k.level) {
		return at, false
	}
	t := (k.level - za) / (zb - za)
	between := func(s scale, u, v float64) float64 { return s.back(s.forward(u) + t*(s.forward(v)-s.forward(u))) }
	return [2]float64{between(k.x, k.grid.x[a[0]], k.grid.x[b[0]]), between(k.y, k.grid.y[a[1]], k.grid.y[b[1]])}, true
}
