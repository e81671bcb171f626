package solver

import "math"

// matrices is the algebra of n x m matrices. Constants depend on the problem's own shape, which may be larger (subspace).
type matrices struct {
	n, m    int
	d       int // the problem's shape
	width   int
	rtol    float64
	memory  *arena
	svd     *decomposition // made when first needed
	gram    []float64      // workspace of quintic
	square  []float64
	product []float64
	one     func(s, smax float64) float64
}

var _ algebra = (*matrices)(nil)

func newMatrices(n, m int, p *Problem, memory *arena) *matrices {
	return &matrices{n: n, m: m, d: p.Dimension, width: p.Width, rtol: relativeZero(p.Dimension, p.Width), memory: memory,
		one: func(float64, float64) float64 { return 1 }}
}

func (a *matrices) size() int { return a.n * a.m }

func (a *matrices) shape() (rows, columns int) { return a.d, a.width }

func (a *matrices) norm(g []float64) float64 { return math.Sqrt(dot(g, g)) }

func (a *matrices) spectral(dst, g []float64, phi func(s, smax float64) float64) error {
	_, _, err := a.decomposed(dst, g, 0, phi)
	return err
}

// decomposed maps the singular values of g and returns their sum, and the largest one of them and other. What is not finite stays so:
// the run has diverged.
func (a *matrices) decomposed(dst, g []float64, other float64, phi func(s, smax float64) float64) (nuclear, smax float64, err error) {
	if !finite(largest(g)) || !finite(other) {
		fill(dst, math.NaN())
		return math.NaN(), math.NaN(), nil
	}
	if a.svd == nil {
		a.svd = newDecomposition(a.n, a.m, a.memory)
	}
	if err := a.svd.decompose(g); err != nil {
		return 0, 0, err
	}
	var sum octet
	for i, s := range a.svd.s {
		sum[i&7] += s
	}
	smax = max(a.svd.s[0], other)
	a.svd.compose(dst, phi, smax, a.rtol*smax)
	return sum.total(), smax, nil
}

// quintic works on the smaller side: with A = XᵀX, X <- X(aI + bA + cA²); for n < m with A = XXᵀ from the left.
func (a *matrices) quintic(x []float64, c0, c1, c2 float64) {
	k := min(a.n, a.m)
	if a.gram == nil {
		a.gram, a.square, a.product = a.memory.take(k*k), a.memory.take(k*k), a.memory.take(a.n*a.m)
	}
	if a.n < a.m {
		gramRows(a.gram, x, x, a.n, a.m)
	} else {
		gram(a.gram, x, x, a.n, a.m)
	}
	gram(a.square, a.gram, a.gram, k, k)
	for i, y := range a.gram {
		a.gram[i] = float64(c1*y) + float64(c2*a.square[i])
	}
	for i := range k {
		a.gram[i*k+i] += c0
	}
	if a.n < a.m {
		multiply(a.product, a.gram, x, k, k, a.m)
	} else {
		multiply(a.product, x, a.gram, a.n, k, k)
	}
	copy(x, a.product)
}
