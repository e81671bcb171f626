package solver

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// The matrix W = U diag(s) of known singular values, U the first columns of a reflection, has the
// top eigenspace span(u_i: s_i = s_max).
func TestOverlapOfKnownSingularValues(t *testing.T) {
	const d = 12
	for name, s := range map[string][]float64{
		"one":            {3},
		"apart":          {1, 5, 2, 0.1},
		"close":          {2, 2 * (1 - 1e-6), 1},
		"closer":         {2, 2 * (1 - 1e-7), 1},
		"equal":          {2, 1, 2, 2, 0.5},
		"within margin":  {2, 2 * (1 + 1e-13), 1},
		"all equal":      {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
		"small":          {1e-150, 1e-151},
		"rank deficient": {0, 0, 4, 0},
	} {
		ws, m := newWorkspace(simd.Best()), len(s)
		h := newReflection(d, m, ws)
		frame := make([]float64, d*d)
		for i := range d {
			frame[i*d+i] = 1
		}
		newReflection(d, d, ws).apply(frame, frame, d)
		w, u, wu := make([]float64, d*m), make([]float64, d), make([]float64, m)
		for i := range d {
			u[i] = h.h[(i*5)%d]
			for j := range m {
				w[i*m+j] = frame[i*d+j] * s[j]
			}
		}
		combine(wu, u, w, m)
		top, rank, sum := simd.Scalar.Largest(s), 0.0, 0.0
		for j := range m {
			if s[j]*s[j] >= top*top*(1-1e-9) {
				along := 0.0
				for i := range d {
					along += u[i] * frame[i*d+j]
				}
				sum += along * along
				rank++
			}
		}
		o := overlap{m: m, ws: ws}
		share, square := o.measure(w, wu, 0, 0)
		if math.Abs(share-sum/rank) > 1e-9 || math.Abs(square/(top*top)-1) > 1e-12 {
			t.Errorf("%s: overlap %v of %v, want %v of %v", name, share, square, sum/rank, top*top)
		}
		for _, c := range []struct{ c2, share, square float64 }{
			{top * top / 2, sum / rank, top * top},
			{top * top, sum / (rank + 7), top * top},
			{top * top * 2, 0, top * top * 2},
		} {
			if share, square := o.measure(w, wu, c.c2, 7); math.Abs(share-c.share) > 1e-9 ||
				math.Abs(square/c.square-1) > 1e-12 {
				t.Errorf(
					"%s, beside %v seven times: overlap %v of %v, want %v of %v",
					name,
					c.c2,
					share,
					square,
					c.share,
					c.square,
				)
			}
		}
	}
}
