package main

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

func measureNetwork(m *measurement) {
	fewest := math.Inf(1)
	for _, r := range m.paths("two-layer-network", nil) {
		n := newNetwork(r)
		worst := 0.0
		for _, t := range r.trajectory {
			for n.steps < int(t.Step) {
				n.step()
			}
			signal, norm2 := n.alignment()
			worst = max(worst, math.Abs(signal/t.SignalAlignment-1), math.Abs(norm2/t.WeightNorm2-1))
		}
		digits := math.Min(12, math.Floor(-math.Log10(worst))) // what is beyond is round-off
		m.expect(r.word("optimizer")+", second_layer "+number{}.text(r.number("second_layer"))+
			": digits to which network and run agree, of 12", digits, 12, 12, "the identity W = √a [w_1 ... w_m]")
		fewest = min(fewest, digits)
	}
	m.says("two-layer-network", "at least %.0f digits agree", fewest)
}

// network is f(x) = a Σ_j (w_jᵀx)², trained on ¼ mean (f(x_i) - y_i)².
type network struct {
	weights  *mat.Dense // column j is w_j
	second   float64    // a
	rate     float64
	spectral bool // steps along the polar factor of the gradient
	x        [][]float64
	y        []float64
	steps    int
}

// newNetwork draws start and pairs of a run as docs/model.md says: SplitMix64 and Box-Muller, first
// the start, then the inputs, row by row.
func newNetwork(r run) *network {
	d, width, samples := int(r.number("dimension")), int(r.number("width")), int(r.number("samples"))
	n := &network{
		second: r.number("second_layer"), rate: r.number("network_rate"), spectral: r.word("optimizer") == "specgd",
		weights: mat.NewDense(d, width, nil),
	}
	normals := gaussian{state: uint64(r.number("seed"))}
	scale := r.number("init_scale") / math.Sqrt(n.second*float64(width))
	for i := range d {
		for j := range width {
			n.weights.Set(i, j, scale*normals.next())
		}
	}
	for range samples {
		x := make([]float64, d)
		for i := range x {
			x[i] = normals.next()
		}
		x[1] *= math.Sqrt(1 + r.number("anisotropy"))
		n.x, n.y = append(n.x, x), append(n.y, x[0]*x[0])
	}
	return n
}

// step is one update of the first layer.
func (n *network) step() {
	d, width := n.weights.Dims()
	gradient := mat.NewDense(d, width, nil)
	for i, x := range n.x {
		hidden, f := make([]float64, width), 0.0
		for j := range width {
			for k := range d {
				hidden[j] += x[k] * n.weights.At(k, j)
			}
			f += n.second * hidden[j] * hidden[j]
		}
		for j := range width {
			for k := range d {
				slope := (f - n.y[i]) * n.second * hidden[j] * x[k] / float64(len(n.x))
				gradient.Set(k, j, gradient.At(k, j)+slope)
			}
		}
	}
	if n.spectral {
		gradient = polarFactor(gradient)
	}
	gradient.Scale(n.rate, gradient)
	n.weights.Sub(n.weights, gradient)
	n.steps++
}

// alignment returns signal_alignment and weight_norm2 of W = √a [w_1 ... w_m]; the teacher is e_0.
func (n *network) alignment() (signal, norm2 float64) {
	d, width := n.weights.Dims()
	for k := range d {
		for j := range width {
			square := n.second * n.weights.At(k, j) * n.weights.At(k, j)
			norm2 += square
			if k == 0 {
				signal += square
			}
		}
	}
	return signal / norm2, norm2
}

// polarFactor returns U Vᵀ of G = U S Vᵀ; nil where the decomposition fails.
func polarFactor(gradient *mat.Dense) *mat.Dense {
	var svd mat.SVD
	if !svd.Factorize(gradient, mat.SVDThin) {
		return nil
	}
	var u, v, polar mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	polar.Mul(&u, v.T())
	return &polar
}

// gaussian is the generator of docs/model.md.
type gaussian struct {
	state  uint64
	second float64 // of the pair, if full
	full   bool
}

func (g *gaussian) next() float64 {
	if g.full {
		g.full = false
		return g.second
	}
	radius, angle := math.Sqrt(-2*math.Log(g.uniform())), 2*math.Pi*g.uniform()
	g.second, g.full = radius*math.Sin(angle), true
	return radius * math.Cos(angle)
}

func (g *gaussian) uniform() float64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (float64((z^z>>31)>>11) + 0.5) / (1 << 53)
}
