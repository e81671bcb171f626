package plot

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// contour is a plotter of the line at which a grid crosses a level. Squares with a missing corner
// have no line.
type contour struct {
	grid  *grid
	level float64
	x, y  scale
}

// Plot implements plot.Plotter. The white rim of the whole line is below all of its ink: drawn
// piece by piece, the rim of each piece would cut its neighbours.
func (k *contour) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var lines [][]vg.Point
	for _, chain := range k.chains() {
		var line []vg.Point
		for _, at := range chain {
			line = append(line, vg.Point{X: tx(at[0]), Y: ty(at[1])})
		}
		lines = append(lines, c.ClipLinesXY(line)...)
	}
	c.StrokeLines(draw.LineStyle{Color: white, Width: 2.2}, lines...)
	c.StrokeLines(draw.LineStyle{Color: ink, Width: 1.2}, lines...)
}

// edge is a side of a square of the grid: from a grid point to the next one in x or y.
type edge struct {
	i, j int
	up   bool
}

// piece is the part of the contour within a square, between two of its sides.
type piece [2]edge

// chains joins the pieces of the contour at their common edges into lines, open ones first.
func (k *contour) chains() [][][2]float64 {
	pieces := k.pieces()
	at := map[edge][]int{}
	for n, p := range pieces {
		at[p[0]], at[p[1]] = append(at[p[0]], n), append(at[p[1]], n)
	}
	used := make([]bool, len(pieces))
	var chains [][][2]float64
	follow := func(n int, from edge) {
		chain := [][2]float64{k.crossing(from)}
		for n >= 0 {
			used[n] = true
			to := pieces[n][0]
			if to == from {
				to = pieces[n][1]
			}
			chain, from, n = append(chain, k.crossing(to)), to, -1
			for _, next := range at[to] {
				if !used[next] {
					n = next
				}
			}
		}
		chains = append(chains, chain)
	}
	for n, p := range pieces {
		for _, end := range p {
			if !used[n] && len(at[end]) == 1 {
				follow(n, end)
			}
		}
	}
	for n, p := range pieces {
		if !used[n] {
			follow(n, p[0])
		}
	}
	return chains
}

// pieces finds the contour in each square by marching squares. Where all four sides are crossed,
// the mean of the corners decides which of them are connected.
func (k *contour) pieces() (pieces []piece) {
	for j := range len(k.grid.y) - 1 {
		for i := range len(k.grid.x) - 1 {
			z := [4]float64{k.grid.z[j][i], k.grid.z[j][i+1], k.grid.z[j+1][i+1], k.grid.z[j+1][i]}
			mean := (z[0] + z[1] + z[2] + z[3]) / 4
			if math.IsNaN(mean) {
				continue
			}
			sides := [4]edge{{i, j, false}, {i + 1, j, true}, {i, j + 1, false}, {i, j, true}}
			var crossed []edge
			for s := range sides {
				if (z[s] < k.level) != (z[(s+1)%4] < k.level) {
					crossed = append(crossed, sides[s])
				}
			}
			switch {
			case len(crossed) == 2:
				pieces = append(pieces, piece{crossed[0], crossed[1]})
			case len(crossed) == 4 && (mean < k.level) == (z[0] < k.level):
				pieces = append(pieces, piece{sides[0], sides[1]}, piece{sides[2], sides[3]})
			case len(crossed) == 4:
				pieces = append(pieces, piece{sides[3], sides[0]}, piece{sides[1], sides[2]})
			}
		}
	}
	return pieces
}

// crossing returns the point of an edge at which the grid has the level, by interpolation in the
// spaces of the scales.
func (k *contour) crossing(e edge) [2]float64 {
	i, j := e.i+1, e.j
	if e.up {
		i, j = e.i, e.j+1
	}
	za, zb := k.grid.z[e.j][e.i], k.grid.z[j][i]
	t := (k.level - za) / (zb - za)
	between := func(s scale, u, v float64) float64 {
		if u == v {
			return u
		}
		return s.back(s.forward(u) + t*(s.forward(v)-s.forward(u)))
	}
	return [2]float64{between(k.x, k.grid.x[e.i], k.grid.x[i]), between(k.y, k.grid.y[e.j], k.grid.y[j])}
}
