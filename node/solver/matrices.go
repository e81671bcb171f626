package solver

import "math"

// matrices is the algebra of n x m matrices. Constants depend on the problem's own shape, which may
// be larger (subspace).
type matrices struct {
	n, m      int
	d         int // the problem's shape
	width     int
	rtol      float64
	ws        *workspace
	svd       *decomposition // made when first needed
	newton    *newton        // made when first needed, as all of these
	polarizer *polarizer
	inner     []float64 // of quintic
	square    []float64
	product   []float64
	one       func(s, smax float64) float64
}

var _ algebra = (*matrices)(nil)

func newMatrices(n, m int, p *Problem, ws *workspace) *matrices {
	return &matrices{n: n, m: m, d: p.Dimension, width: p.Width, rtol: relativeZero(p.Dimension, p.Width), ws: ws,
		one: func(float64, float64) float64 { return 1 }}
}

func (a *matrices) size() int { return a.n * a.m }

func (a *matrices) shape() (rows, columns int) { return a.d, a.width }

func (a *matrices) norm(g []float64) float64 {
	if norm := math.Sqrt(a.ws.kernel.SumSquares(g)); norm > leastNorm {
		return norm
	}
	return length(g)
}

// leastNorm is a Frobenius norm in which no square of an entry that matters has underflowed.
const leastNorm = 1e-140

func (a *matrices) spectral(dst, g []float64, phi func(s, smax float64) float64) error {
	_, _, err := a.decomposed(dst, g, 0, phi)
	return err
}

// decomposed maps the singular values of g and returns their sum, and the largest one of them and
// other. What is not finite stays so: the run has diverged.
func (a *matrices) decomposed(
	dst, g []float64,
	other float64,
	phi func(s, smax float64) float64,
) (nuclear, smax float64, err error) {
	if !finite(a.ws.kernel.Largest(g)) || !finite(other) {
		fill(dst, math.NaN())
		return math.NaN(), math.NaN(), nil
	}
	if a.svd == nil {
		a.svd = newDecomposition(a.n, a.m, a.ws)
	}
	if err := a.svd.decompose(g); err != nil {
		return 0, 0, err
	}
	var sum lanes8
	for i, s := range a.svd.s {
		sum[i&7] += s
	}
	smax = max(a.svd.s[0], other)
	a.svd.compose(a.ws, dst, phi, smax, a.rtol*smax)
	return sum.total(), smax, nil
}

// quintic works on the smaller side: with A = XᵀX, X <- X(aI + bA + cA²); for n < m with A = XXᵀ
// from the left.
func (a *matrices) quintic(x []float64, c0, c1, c2 float64) {
	k := min(a.n, a.m)
	if a.inner == nil {
		a.inner, a.square, a.product = a.ws.take(k*k), a.ws.take(k*k), a.ws.take(a.n*a.m)
	}
	if a.n < a.m {
		a.ws.gramRows(a.inner, x, x, a.n, a.m)
	} else {
		a.ws.gram(a.inner, x, x, a.n, a.m)
	}
	a.ws.gram(a.square, a.inner, a.inner, k, k)
	a.ws.kernel.Combine(a.inner, c1, a.inner, c2, a.square)
	for i := range k {
		a.inner[i*k+i] += c0
	}
	if a.n < a.m {
		a.ws.multiply(a.product, a.inner, x, k, k, a.m)
	} else {
		a.ws.multiply(a.product, x, a.inner, a.n, k, k)
	}
	copy(x, a.product)
}
