package solver

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"gonum.org/v1/gonum/mat"
)

// conditioned is an n x m matrix (n >= m) with singular values from 1 to 1/condition in equal
// ratios, and its polar factor.
func conditioned(n, m int, condition float64, seed uint64) (g, p []float64) {
	rng := newRandom(seed, newWorkspace(simd.Best()))
	orthonormal := func(rows int) *mat.Dense {
		data := make([]float64, rows*m)
		rng.Fill(data)
		var qr mat.QR
		qr.Factorize(mat.NewDense(rows, m, data))
		var q mat.Dense
		qr.QTo(&q)
		return mat.DenseCopyOf(q.Slice(0, rows, 0, m))
	}
	u, v := orthonormal(n), orthonormal(m)
	var polar, full mat.Dense
	polar.Mul(u, v.T())
	for j := range m {
		s := math.Pow(condition, -float64(j)/float64(max(1, m-1)))
		for i := range n {
			u.Set(i, j, u.At(i, j)*s)
		}
	}
	full.Mul(u, v.T())
	return full.RawMatrix().Data, polar.RawMatrix().Data
}

// spectralNorm is ‖a‖₂ of an n x m matrix.
func spectralNorm(a []float64, n, m int) float64 {
	var svd mat.SVD
	svd.Factorize(mat.NewDense(n, m, a), mat.SVDNone)
	return svd.Values(nil)[0]
}

func TestPolarByProducts(t *testing.T) {
	for _, shape := range [][2]int{{12, 12}, {33, 32}, {64, 64}, {130, 130}, {200, 40}, {97, 96}} {
		for _, condition := range []float64{1, 1.5, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7} {
			n, m := shape[0], shape[1]
			g, want := conditioned(n, m, condition, 1)
			p := newPolarizer(n, m, newWorkspace(simd.Best()))
			got := make([]float64, n*m)
			nuclear, ok := p.polar(got, g)
			if !ok {
				t.Errorf("%d x %d, condition %g: refused", n, m, condition)
				continue
			}
			sum := 0.0
			for j := range m {
				sum += math.Pow(condition, -float64(j)/float64(m-1))
			}
			if math.Abs(nuclear-sum) > 1e-12*sum {
				t.Errorf("%d x %d, condition %g: nuclear norm %v, want %v", n, m, condition, nuclear, sum)
			}
			gram := make([]float64, m*m)
			p.ws.gram(gram, got, got, n, m)
			for i := range m {
				gram[i*m+i]--
			}
			if off := spectralNorm(gram, m, m); off > 1e-13 {
				t.Errorf("%d x %d, condition %g: ‖PᵀP - I‖ = %.1e", n, m, condition, off)
			}
			for i := range got {
				got[i] -= want[i]
			}
			last := 1 / condition
			before := math.Pow(condition, -float64(m-2)/float64(m-1))
			bound := 1e-13 + 50*2.2e-16*2/(last+before)
			if off := spectralNorm(got, n, m); off > bound {
				t.Errorf("%d x %d, condition %g: ‖P - UVᵀ‖ = %.1e, want at most %.1e", n, m, condition, off, bound)
			}
		}
	}
}

// One tiny singular value far below the others does not turn the vectors of the others: the bound
// is that of the last but one.
func TestPolarWithOneSmallSingularValue(t *testing.T) {
	const n = 64
	for _, condition := range []float64{1e2, 1e3, 1e4, 1e5, 1e6, 1e7} {
		g, want := conditioned(n, n, 10, 1)
		var svd mat.SVD
		var u, v mat.Dense
		svd.Factorize(mat.NewDense(n, n, append([]float64(nil), g...)), mat.SVDFull)
		svd.UTo(&u)
		svd.VTo(&v)
		s := svd.Values(nil)
		for i := range n {
			for j := range n {
				g[i*n+j] += (1/condition - s[n-1]) * u.At(i, n-1) * v.At(j, n-1)
			}
		}
		bound := 1e-13 + 50*2.2e-16*2/(1/condition+s[n-2])
		for name, method := range map[string]interface {
			polar(dst, g []float64) (float64, bool)
		}{"qdwh": newPolarizer(n, n, newWorkspace(simd.Best())), "newton": newNewton(n, newWorkspace(simd.Best()))} {
			got := make([]float64, n*n)
			if _, ok := method.polar(got, g); !ok {
				t.Errorf("%s, condition %g: refused", name, condition)
				continue
			}
			for i := range got {
				got[i] -= want[i]
			}
			if off := spectralNorm(got, n, n); off > bound {
				t.Errorf("%s, condition %g: ‖P - UVᵀ‖ = %.1e, want at most %.1e", name, condition, off, bound)
			}
		}
	}
}

func TestPolarFallsBack(t *testing.T) {
	const n = 40
	for name, condition := range map[string]float64{"ill-conditioned": 1e10, "singular": 1e30} {
		g, _ := conditioned(n, n, condition, 2)
		a := newMatrices(n, n, &Problem{Dimension: n, Width: n}, newWorkspace(simd.Best()))
		got := make([]float64, n*n)
		if _, err := a.polar(got, g); err != nil {
			t.Fatal(err)
		}
		if a.svd == nil {
			t.Errorf("%s: products were trusted", name)
		}
	}
	a := newMatrices(n, n, &Problem{Dimension: n, Width: n}, newWorkspace(simd.Best()))
	got := make([]float64, n*n)
	for name, x := range map[string]float64{"zero": 0, "infinite": math.Inf(1), "not a number": math.NaN()} {
		g := make([]float64, n*n)
		g[5] = x
		if _, err := a.polar(got, g); err != nil {
			t.Fatal(err)
		}
		if (x == 0) != (got[0] == 0) {
			t.Errorf("%s: P begins with %v", name, got[0])
		}
	}
}

func TestPolarOfWideMatricesIsTheTransposed(t *testing.T) {
	const n, m = 30, 17
	g, _ := conditioned(n, m, 100, 3)
	ws := newWorkspace(simd.Best())
	tall, wide, gt := make([]float64, n*m), make([]float64, n*m), make([]float64, n*m)
	transpose(gt, g, n, m)
	if _, ok := newPolarizer(n, m, ws).polar(tall, g); !ok {
		t.Fatal("refused")
	}
	if _, ok := newPolarizer(m, n, ws).polar(wide, gt); !ok {
		t.Fatal("refused")
	}
	for i := range n {
		for j := range m {
			if tall[i*m+j] != wide[j*n+i] {
				t.Fatalf("P[%d][%d] is %v and %v", i, j, tall[i*m+j], wide[j*n+i])
			}
		}
	}
}
