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
type colors struct {
	scale scale
	cmap  cmap
}

// colorScale returns the scale of colours that panels share: [0, 1] for fractions, otherwise the
// range of the data, logarithmic if it is wide.
func colorScale(o options, panels []*phasePanel) colors {
	name := o.Color
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
	return colors{s, cmapOf(o.Cmap)}
}

// isFraction reports whether the values of a column are in [0, 1].
func isFraction(name string) bool { return name == "diverged" || results.IsFraction(name) }

// heat is a plotter that fills the cells of a grid.
type heat struct {
	axes  panelAxes
	under []cell // reach over places of absent cells, where others may be drawn on top; largest first
	cells []cell // do not overlap
}

// cell is a rectangle between x[0] and x[1], y[0] and y[1], in the spaces of the scales.
type cell struct {
	x, y    [2]float64
	fill    color.NRGBA
	crossed bool
}

// newHeat extends each cell halfway to its neighbours in its own row and column. So the cells of a
// coarse grid keep their size if a union adds single points between them, which are drawn on top.
func newHeat(g *grid, c colors, sx, sy scale) *heat {
	h := &heat{}
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
			if !g.present[j][i] {
				continue
			}
			k := cell{x: rows[j][i], y: columns[i][j], fill: g.fill(i, j, c), crossed: g.diverged[j][i]}
			if k.x == [2]float64(allX[i:i+2]) && k.y == [2]float64(allY[j:j+2]) {
				h.cells = append(h.cells, k)
			} else {
				h.under = append(h.under, k)
			}
		}
	}
	size := func(k cell) float64 { return (k.x[1] - k.x[0]) * (k.y[1] - k.y[0]) }
	slices.SortStableFunc(h.under, func(a, b cell) int { return cmp.Compare(size(b), size(a)) })
	return h
}

// fill is the colour of column i in row j.
func (g *grid) fill(i, j int, c colors) color.NRGBA {
	switch z := g.z[j][i]; {
	case g.diverged[j][i]:
		return divergedColor
	case math.IsNaN(z):
		return censoredColor
	default:
		return c.at(z)
	}
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

// bounds returns the axes around cells of several panels.
func bounds(heats []*heat, x, y scale) panelAxes {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, h := range heats {
		for _, k := range slices.Concat(h.under, h.cells) {
			low[0], high[0] = math.Min(low[0], k.x[0]), math.Max(high[0], k.x[1])
			low[1], high[1] = math.Min(low[1], k.y[0]), math.Max(high[1], k.y[1])
		}
	}
	return panelAxes{x.between(low[0], high[0]), y.between(low[1], high[1])}
}

// shades is the number of colours of a map: few enough that cells of equal colour are drawn as one.
const shades = 200

// at returns the shade of a number.
func (c colors) at(z float64) color.NRGBA {
	low, high := c.scale.forward(c.scale.min), c.scale.forward(c.scale.max)
	if high <= low {
		return c.cmap.shade(0.5)
	}
	return c.cmap.shade(math.Round((c.scale.forward(z)-low)/(high-low)*shades) / shades)
}

// colorBar returns the scale of colours as a panel.
func colorBar(c colors, text string) *panel {
	p := newPanel("", "", text)
	h := &heat{axes: panelAxes{scale{}.between(-0.5, 0.5), c.scale.padded(0)}}
	y := h.axes.y
	for i := range shades {
		from, to := float64(i)/shades, float64(i+1)/shades
		k := cell{x: [2]float64{-0.5, 0.5}, y: [2]float64{y.low + (y.high-y.low)*from, y.low + (y.high-y.low)*to}}
		k.fill = c.at(y.back((k.y[0] + k.y[1]) / 2))
		h.cells = append(h.cells, k)
	}
	p.Add(h)
	h.axes.x.apply(&p.X)
	p.X.Tick.Marker = plot.ConstantTicks(nil)
	y.apply(&p.Y)
	p.HideX()
	return p
}

// Plot implements plot.Plotter. Cells of equal colour are one path: a map of ten thousand cells is
// a small file.
func (h *heat) Plot(c draw.Canvas, _ *plot.Plot) {
	for _, k := range h.under {
		h.fill(c, k.fill, []cell{k})
		h.cross(c, k)
	}
	var order []color.NRGBA
	areas := map[color.NRGBA][]cell{}
	for _, k := range merged(h.cells) {
		if areas[k.fill] == nil {
			order = append(order, k.fill)
		}
		areas[k.fill] = append(areas[k.fill], k)
	}
	// Lighter shades overlap darker ones along a whole border, as those of viridis are greener.
	slices.SortStableFunc(order, func(a, b color.NRGBA) int { return cmp.Compare(a.G, b.G) })
	for _, fill := range order {
		h.fill(c, fill, areas[fill])
	}
	for _, k := range h.cells {
		h.cross(c, k)
	}
}

// merged joins cells of equal colour: neighbours in a row, given from left to right, and rows of
// equal ends above each other.
func merged(cells []cell) []cell {
	var rows, areas []cell
	for _, k := range cells {
		if n := len(rows) - 1; n >= 0 && rows[n].fill == k.fill && rows[n].y == k.y && rows[n].x[1] == k.x[0] {
			rows[n].x[1] = k.x[1]
		} else {
			rows = append(rows, k)
		}
	}
	type top struct {
		x    [2]float64
		y    float64
		fill color.NRGBA
	}
	under := map[top]int{}
	for _, k := range rows {
		n, ok := under[top{k.x, k.y[0], k.fill}]
		if ok {
			areas[n].y[1] = k.y[1]
		} else {
			n, areas = len(areas), append(areas, k)
		}
		under[top{k.x, k.y[1], k.fill}] = n
	}
	return areas
}

// place returns the rectangle of a cell within the canvas.
func (h *heat) place(c draw.Canvas, k cell) vg.Rectangle {
	x := func(u float64) vg.Length { return min(max(c.X(h.axes.x.at(u)), c.Min.X), c.Max.X) }
	y := func(u float64) vg.Length { return min(max(c.Y(h.axes.y.at(u)), c.Min.Y), c.Max.Y) }
	return vg.Rectangle{Min: vg.Point{X: x(k.x[0]), Y: y(k.y[0])}, Max: vg.Point{X: x(k.x[1]), Y: y(k.y[1])}}
}

// fill fills cells as one path.
func (h *heat) fill(c draw.Canvas, fill color.NRGBA, cells []cell) {
	const overlap = 0.15 // hides the seams between neighbours
	var path vg.Path
	for _, k := range cells {
		r := h.place(c, k)
		left, right := max(r.Min.X-overlap, c.Min.X), min(r.Max.X+overlap, c.Max.X)
		bottom, top := max(r.Min.Y-overlap, c.Min.Y), min(r.Max.Y+overlap, c.Max.Y)
		path.Move(vg.Point{X: left, Y: bottom})
		path.Line(vg.Point{X: right, Y: bottom})
		path.Line(vg.Point{X: right, Y: top})
		path.Line(vg.Point{X: left, Y: top})
		path.Close()
	}
	c.SetColor(fill)
	c.Fill(path)
}

// cross marks a diverged cell that has room for it.
func (h *heat) cross(c draw.Canvas, k cell) {
	r := h.place(c, k)
	side := min(r.Max.X-r.Min.X, r.Max.Y-r.Min.Y)
	if !k.crossed || side < 6 {
		return
	}
	middle, arm := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}, min(side/4, 3)
	style := draw.LineStyle{Color: white, Width: 0.5}
	c.StrokeLine2(style, middle.X-arm, middle.Y-arm, middle.X+arm, middle.Y+arm)
	c.StrokeLine2(style, middle.X-arm, middle.Y+arm, middle.X+arm, middle.Y-arm)
}
