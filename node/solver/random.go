package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// random draws the numbers of a point.
type random struct{ *simd.Normals }

func newRandom(seed uint64, ws *workspace) random { return random{simd.NewNormals(ws.kernel, seed)} }

// bartlett writes the triangle R of the QR decomposition of a matrix of normals with the given rows
// and n <= rows columns: χ_(rows-j) at (j, j), normals above, zeros below.
func (r random) bartlett(dst []float64, n int, rows float64) {
	for i := range n {
		for j := range n {
			switch {
			case i == j:
				dst[i*n+j] = r.chi(rows - float64(i))
			case i < j:
				dst[i*n+j] = r.Next()
			default:
				dst[i*n+j] = 0
			}
		}
	}
}

// chi draws χ with ν >= 1 degrees of freedom: χ² is twice a gamma variate of shape ν/2 (Marsaglia
// and Tsang 2000).
func (r random) chi(nu float64) float64 {
	if nu < 2 {
		return math.Abs(r.Next())
	}
	d := float64(nu/2) - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.Next()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = float64(v * float64(v*v))
		if elementary.Log(r.Uniform()) < float64(0.5*float64(x*x))+float64(d*(1-v+elementary.Log(v))) {
			return math.Sqrt(2 * float64(d*v))
		}
	}
}
