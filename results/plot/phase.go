package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// grid is one panel of a heat map: the median over replicates of a metric for each (x, y).
type grid struct {
	x, y     []float64
	z        [][]float64 // by y, x; NaN where there is no number
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
			return nil, fmt.Errorf("plot: no points with both %s and %s", o.X, o.Y)
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
		lost := f.columns["status"].words[row] == "diverged"
		if lost {
			diverged[at]++
		}
		z := math.NaN()
		switch {
		case o.Kind == Stability && lost:
			z = 1
		case o.Kind == Stability:
			z = 0
		case !lost:
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

// censoredQuantile is the q-quantile of values of which those that are NaN are larger than all
// others; NaN where it falls among these.
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

// phaseTheory is what theory says over (anisotropy, y): the critical anisotropy 2 of gradient
// descent from a small start, and, where y is the step size, gradient descent's limit 1/max(3, 1 +
// lambda).
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

// phaseLegend explains the marks that the panels have.
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

// keepScaled drops columns and rows that the scales cannot show.
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
			g.z[j], g.diverged[j], g.present[j] = slices.Delete(
				g.z[j],
				i,
				i+1,
			), slices.Delete(
				g.diverged[j],
				i,
				i+1,
			), slices.Delete(
				g.present[j],
				i,
				i+1,
			)
		}
	}
}

var dashes = []vg.Length{3, 2}

// theory is a dashed line.
type theory struct {
	points [][2]float64
}

// Plot implements plot.Plotter.
func (t *theory) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var line []vg.Point
	for _, point := range t.points {
		if point[0] <= 0 && p.X.Min > 0 || point[1] <= 0 && p.Y.Min > 0 { // a logarithmic axis has no place for it
			continue
		}
		line = append(line, vg.Point{X: tx(point[0]), Y: ty(point[1])})
	}
	if len(line) > 1 {
		c.StrokeLines(draw.LineStyle{Color: theoryColor, Width: 1.2, Dashes: dashes}, c.ClipLinesXY(line)...)
	}
}

// contour is the line where a grid crosses a level, square by square; squares with a missing corner
// have none.
type contour struct {
	*grid
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

// segments are the pieces of the contour by marching squares, interpolated in the scales' spaces.
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

// crossing is where the level lies between two neighbours.
func (k *contour) crossing(a, b [2]int) (at [2]float64, ok bool) {
	za, zb := k.z[a[1]][a[0]], k.z[b[1]][b[0]]
	if math.IsNaN(za) || math.IsNaN(zb) || (za < k.level) == (zb < k.level) {
		return at, false
	}
	t := (k.level - za) / (zb - za)
	between := func(s scale, u, v float64) float64 { return s.back(s.forward(u) + t*(s.forward(v)-s.forward(u))) }
	return [2]float64{between(k.x, k.grid.x[a[0]], k.grid.x[b[0]]), between(k.y, k.grid.y[a[1]], k.grid.y[b[1]])}, true
}
