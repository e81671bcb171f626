package plot

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/results"
)

// colors maps numbers to shades.
type colors struct{ scale scale }

// colorScale returns the scale of colours that panels share: [0, 1] for fractions, otherwise the
// range of the data, logarithmic if it is wide.
func colorScale(name string, panels []*phasePanel) colors {
	low, high := math.Inf(1), math.Inf(-1)
	for _, panel := range panels {
		for _, row := range panel.grid.z {
			for _, z := range row {
				if !math.IsNaN(z) {
					low, high = math.Min(low, z), math.Max(high, z)
				}
			}
		}
	}
	if low > high {
		low, high = 0, 1
	}
	s := scaleOf([]float64{low, high}, "")
	s.ticks = nil
	if low >= 0 && high <= 1 && !s.log || isFraction(name) {
		s = scale{min: 0, max: 1}
	}
	return colors{s}
}

// isFraction reports whether the values of a column are in [0, 1].
func isFraction(name string) bool { return name == "diverged" || results.IsFraction(name) }

// heat is a plotter that fills the cells of a grid.
type heat struct {
	grid   *grid
	colors colors
	cells  []cell
}

// cell is one rectangle: column i of row j, between x[0] and x[1], y[0] and y[1].
type cell struct {
	i, j int
	x, y [2]float64
	size float64 // area in the spaces of the scales
}

// newHeat extends each cell halfway to its neighbours in its own row and column. So the cells of a
// coarse grid keep their size if a union adds single points between them, which are drawn on top.
func newHeat(g *grid, c colors, sx, sy scale) *heat {
	h := &heat{grid: g, colors: c}
	allX, allY := sx.edges(g.x), sy.edges(g.y)
	rows, columns := make([]map[int][2]float64, len(g.y)), make([]map[int][2]float64, len(g.x))
	for j := range g.y {
		rows[j] = extents(sx, g.x, allX, func(i int) bool { return g.present[j][i] })
	}
	for i := range g.x {
		columns[i] = extents(sy, g.y, allY, func(j int) bool { return g.present[j][i] })
	}
	for j := range g.y {
		for i := range g.x {
			if g.present[j][i] {
				k := cell{i: i, j: j, x: rows[j][i], y: columns[i][j]}
				k.size = (sx.forward(k.x[1]) - sx.forward(k.x[0])) * (sy.forward(k.y[1]) - sy.forward(k.y[0]))
				h.cells = append(h.cells, k)
			}
		}
	}
	slices.SortStableFunc(h.cells, func(a, b cell) int { return cmp.Compare(b.size, a.size) })
	return h
}

// extents returns the borders between the present values; those of a single one are its borders
// among all values.
func extents(s scale, values, all []float64, present func(int) bool) map[int][2]float64 {
	var some []float64
	var index []int
	for i, x := range values {
		if present(i) {
			some, index = append(some, x), append(index, i)
		}
	}
	extents := map[int][2]float64{}
	if len(some) == 1 {
		extents[index[0]] = [2]float64{all[index[0]], all[index[0]+1]}
		return extents
	}
	if len(some) > 1 {
		edges := s.edges(some)
		for k, i := range index {
			extents[i] = [2]float64{edges[k], edges[k+1]}
		}
	}
	return extents
}

// bounds returns the bounds of all cells.
func (h *heat) bounds() (xMin, xMax, yMin, yMax float64) {
	xMin, xMax, yMin, yMax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, k := range h.cells {
		xMin, xMax = math.Min(xMin, k.x[0]), math.Max(xMax, k.x[1])
		yMin, yMax = math.Min(yMin, k.y[0]), math.Max(yMax, k.y[1])
	}
	return xMin, xMax, yMin, yMax
}

// at returns the shade of a number.
func (c colors) at(z float64) color.NRGBA {
	low, high := c.scale.forward(c.scale.min), c.scale.forward(c.scale.max)
	if high <= low {
		return shade(0.5)
	}
	return shade((c.scale.forward(z) - low) / (high - low))
}

// colorBar returns the scale of colours as a panel.
func colorBar(c colors, text string) *panel {
	p := newPanel("", "", text)
	p.HideX()
	const steps = 128
	g := &grid{x: []float64{0}}
	low, high := c.scale.forward(c.scale.min), c.scale.forward(c.scale.max)
	for i := range steps {
		g.y = append(g.y, c.scale.back(low+(high-low)*(float64(i)+0.5)/steps))
		g.z = append(g.z, []float64{g.y[i]})
		g.diverged, g.present = append(g.diverged, []bool{false}), append(g.present, []bool{true})
	}
	p.Add(newHeat(g, c, scale{}, c.scale))
	p.X.Min, p.X.Max = -0.5, 0.5
	c.scale.apply(&p.Y, c.scale.min, c.scale.max)
	return p
}

// Plot implements plot.Plotter.
func (h *heat) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, k := range h.cells {
		x0, x1, y0, y1 := tx(k.x[0]), tx(k.x[1]), ty(k.y[0]), ty(k.y[1])
		fill := censoredColor
		if h.grid.diverged[k.j][k.i] {
			fill = divergedColor
		} else if z := h.grid.z[k.j][k.i]; !math.IsNaN(z) {
			fill = h.colors.at(z)
		}
		const overlap = 0.15 // hides the seams between neighbours
		c.FillPolygon(
			fill,
			c.ClipPolygonXY([]vg.Point{{X: x0 - overlap, Y: y0 - overlap}, {X: x1 + overlap, Y: y0 - overlap},
				{X: x1 + overlap, Y: y1 + overlap}, {X: x0 - overlap, Y: y1 + overlap}}),
		)
		if h.grid.diverged[k.j][k.i] && x1-x0 > 4 && y1-y0 > 4 {
			c.StrokeLine2(draw.LineStyle{Color: white, Width: 0.5}, x0, y0, x1, y1)
			c.StrokeLine2(draw.LineStyle{Color: white, Width: 0.5}, x0, y1, x1, y0)
		}
	}
}
