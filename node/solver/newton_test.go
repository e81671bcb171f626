package solver

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

func TestNewton(t *testing.T) {
	for _, n := range []int{1, 2, 12, 33, 64, 130, 200} {
		for _, condition := range []float64{1, 1.5, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8} {
			if n == 1 && condition > 1 {
				continue
			}
			g, want := conditioned(n, n, condition, 1)
			p := newNewton(n, newWorkspace(simd.Best()))
			got := make([]float64, n*n)
			nuclear, ok := p.polar(got, g)
			if !ok {
				t.Errorf("n = %d, condition %g: refused", n, condition)
				continue
			}
			sum := 0.0
			for j := range n {
				sum += math.Pow(condition, -float64(j)/float64(max(1, n-1)))
			}
			if math.Abs(nuclear-sum) > 1e-12*sum {
				t.Errorf("n = %d, condition %g: nuclear norm %v, want %v", n, condition, nuclear, sum)
			}
			gram := make([]float64, n*n)
			p.ws.gram(gram, got, got, n, n)
			addDiagonal(gram, n, -1)
			if orth := spectralNorm(gram, n, n); orth > 1e-13 {
				t.Errorf("n = %d, condition %g: ‖PᵀP - I‖ = %.1e", n, condition, orth)
			}
			for i := range got {
				got[i] -= want[i]
			}
			last, before := 1/condition, math.Pow(condition, -float64(n-2)/float64(max(1, n-1)))
			bound := 1e-13 + 50*2.2e-16*2/(last+before)
			if off := spectralNorm(got, n, n); off > bound {
				t.Errorf("n = %d, condition %g: ‖P - UVᵀ‖ = %.1e, want at most %.1e", n, condition, off, bound)
			}
		}
	}
}

// What Newton's iteration cannot do is refused, so that singular values are asked.
func TestNewtonRefuses(t *testing.T) {
	const n = 20
	deficient, _ := conditioned(n, n, 10, 2)
	copy(deficient[n:2*n], deficient[:n])
	hard, _ := conditioned(n, n, 1e12, 2)
	for name, g := range map[string][]float64{
		"zero": make([]float64, n*n), "rank-deficient": deficient, "ill-conditioned": hard,
	} {
		if _, ok := newNewton(n, newWorkspace(simd.Best())).polar(make([]float64, n*n), g); ok {
			t.Errorf("a %s matrix is taken", name)
		}
	}
}
