package solver

import "math"

// initialise writes W_0 (d x m, zeros on entry). Random entries are the first numbers drawn.
func initialise(w []float64, p *Problem, rng random, ws *workspace) {
	d, m := p.Dimension, p.Width
	switch p.Init {
	case Identity:
		for i := range d {
			w[i*m+i] = p.InitScale
		}
	case Gaussian:
		scale := p.InitScale / math.Sqrt(float64(m))
		rng.Fill(w)
		ws.kernel.Scale(scale, w)
	case Sphere:
		rng.Fill(w)
		ws.kernel.Scale(p.InitScale/math.Sqrt(ws.kernel.SumSquares(w)), w)
	case Orthonormal:
		h := newReflection(d, 1, ws)
		for i := range d {
			for j := range m {
				w[i*m+j] = -p.InitScale * float64(h.twoh[i]*h.h[j])
			}
			if i < m {
				w[i*m+i] += p.InitScale
			}
		}
	}
}
