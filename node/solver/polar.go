package solver

import "math"

// polar stores the polar factor of g, the partial isometry where g has singular values that count
// as zero. It is computed by inverses and matrix products where possible, by singular values where
// g is small, rank-deficient or ill-conditioned.
func (a *matrices) polar(dst, g []float64) (nuclear float64, err error) {
	switch {
	case min(a.n, a.m) < polarByProductsFrom || !finite(a.ws.kernel.Largest(g)):
	case a.n == a.m:
		if a.newton == nil {
			a.newton = newNewton(a.n, a.ws)
		}
		if nuclear, ok := a.newton.polar(dst, g); ok {
			return nuclear, nil
		}
	default:
		if a.polarizer == nil {
			a.polarizer = newPolarizer(a.n, a.m, a.ws)
		}
		if nuclear, ok := a.polarizer.polar(dst, g); ok {
			return nuclear, nil
		}
	}
	nuclear, _, err = a.decomposed(dst, g, 0, a.one)
	return nuclear, err
}

const (
	// polarByProductsFrom is the number of columns from which products are faster than singular
	// values.
	polarByProductsFrom = 12
	// certain is the least l whose bound can be trusted: its square exceeds the round-off of GᵀG.
	// Below, conceivable is used and the result is verified.
	certain     = 2e-6
	conceivable = 2e-8
	// accurate is the largest weight c with which Cholesky's decomposition of I + cA is accurate
	// enough as it is.
	accurate = 100
	// orthogonal is how close to 1 the bound on the smallest singular value must come.
	orthogonal = 5e-15
)

// polarizer computes P = U Vᵀ of G = U S Vᵀ, n x m, by QDWH (Nakatsukasa, Bai and Gygi 2010): on X
// = G/u, u >= s_1, whose singular values lie in [l, 1], with A = XᵀX and the weights that suit l
// best,
//
//	X <- b/c X + (a - b/c) X (I + cA)^-1
//
// until l is 1. The inverse goes by Cholesky's decomposition; where c is large, one matrix of
// corrections makes it as good as the QR decomposition of [√c X; I] that the method asks for there.
type polarizer struct {
	ws         *workspace
	n, m       int  // n >= m
	turned     bool // G is m x n
	x, y, z    []float64
	a, b, d, e []float64
	factor     *cholesky
}

func newPolarizer(n, m int, ws *workspace) *polarizer {
	p := &polarizer{ws: ws, n: n, m: m}
	if n < m {
		p.n, p.m, p.turned = m, n, true
	}
	n, m = p.n, p.m
	p.x, p.y, p.z = ws.take(n*m), ws.take(n*m), ws.take(n*m)
	p.a, p.b, p.d, p.e = ws.take(m*m), ws.take(m*m), ws.take(m*m), ws.take(m*m)
	p.factor = newCholesky(n, m, ws)
	return p
}

// polar stores P and returns ‖G‖_*. It returns false for a G that is not finite or not well
// conditioned.
func (p *polarizer) polar(dst, g []float64) (nuclear float64, ok bool) {
	k := p.ws.kernel
	size := k.Largest(g)
	if !(size > 0) || !finite(1/size) || !finite(size) {
		return 0, false
	}
	if p.turned {
		transpose(p.x, g, p.m, p.n)
	} else {
		copy(p.x, g)
	}
	k.Scale(1/size, p.x)
	l := p.normalise()
	verify := l < certain
	if verify {
		l = conceivable
	}
	for first := true; 1-l > orthogonal; first = false {
		if !first {
			p.ws.gram(p.a, p.x, p.x, p.n, p.m)
		}
		if l, ok = p.step(l); !ok {
			return 0, false
		}
	}
	if verify && !p.verified() {
		return 0, false
	}
	if p.turned {
		transpose(dst, p.x, p.n, p.m)
	} else {
		copy(dst, p.x)
	}
	return k.Dot(dst, g), true
}

// normalise divides X by a bound of its largest singular value, u⁴ = ‖A‖_F² = Σ s⁴, and returns a
// bound of the smallest, l^-2 = tr A^-1 = ‖L^-ᵀ‖_F², 0 where A has no Cholesky decomposition. A is
// left that of the new X.
func (p *polarizer) normalise() (l float64) {
	k := p.ws.kernel
	p.ws.gram(p.a, p.x, p.x, p.n, p.m)
	u2 := math.Sqrt(k.SumSquares(p.a)) * (1 + 1e-13)
	k.Scale(1/math.Sqrt(u2), p.x)
	k.Scale(1/u2, p.a)
	copy(p.b, p.a)
	if !p.factor.factorise(p.b) {
		return 0
	}
	p.factor.inverseTransposed(p.d)
	return 1 / math.Sqrt(k.SumSquares(p.d))
}

// verified reports whether XᵀX is I, up to what one step X(3I - A)/2 mends.
func (p *polarizer) verified() bool {
	p.ws.gram(p.a, p.x, p.x, p.n, p.m)
	addDiagonal(p.a, p.m, -1)
	if off := p.ws.kernel.SumSquares(p.a); !(off < 1e-12) {
		return false
	}
	p.ws.kernel.Scale(-0.5, p.a)
	addDiagonal(p.a, p.m, 1)
	p.ws.multiply(p.y, p.x, p.a, p.n, p.m, p.m)
	p.x, p.y = p.y, p.x
	return true
}

// step is one step of the iteration from l, and returns where it takes l.
func (p *polarizer) step(l float64) (next float64, ok bool) {
	a, b, c, next := qdwh(l)
	k := p.ws.kernel
	copy(p.b, p.a)
	k.Scale(c, p.b)
	addDiagonal(p.b, p.m, 1)
	if !p.factor.factorise(p.b) {
		return 0, false
	}
	copy(p.y, p.x)
	p.factor.solveTransposed(p.y, p.n)
	if c > accurate {
		p.refine(c)
	}
	p.factor.solve(p.y, p.n)
	k.Combine(p.x, b/c, p.x, a-b/c, p.y)
	return min(1, next), true
}

// refine multiplies Y = X L^-ᵀ by (QᵀQ)^-1 = I - E + E², up to E³, where Q = [√c Y; L^-ᵀ] would be
// orthonormal if L were exact. That makes the step the one of a QR decomposition of [√c X; I].
func (p *polarizer) refine(c float64) {
	k, m := p.ws.kernel, p.m
	p.factor.inverseTransposed(p.d)
	p.ws.gram(p.e, p.d, p.d, m, m)
	p.ws.gram(p.d, p.y, p.y, p.n, m)
	k.Combine(p.e, 1, p.e, c, p.d)
	addDiagonal(p.e, m, -1)
	p.ws.gram(p.d, p.e, p.e, m, m)
	k.Combine(p.d, 1, p.d, -1, p.e)
	addDiagonal(p.d, m, 1)
	p.ws.multiply(p.z, p.y, p.d, p.n, m, m)
	p.y, p.z = p.z, p.y
}

// qdwh returns the weights of a step and where it takes l.
func qdwh(l float64) (a, b, c, next float64) {
	l2 := float64(l * l)
	d := cbrt(4 * (1 - l2) / float64(l2*l2))
	root := math.Sqrt(1 + d)
	a = root + float64(0.5*math.Sqrt(8-float64(4*d)+float64(8*(2-l2))/float64(l2*root)))
	b = float64(float64((a-1)*(a-1)) / 4)
	c = a + b - 1
	return a, b, c, l * (a + float64(b*l2)) / (1 + float64(c*l2))
}

// cbrt is the cube root of x >= 0 by Newton's method.
func cbrt(x float64) float64 {
	if x == 0 {
		return 0
	}
	y := math.Ldexp(1, (math.Ilogb(x)+2)/3)
	for range 8 {
		y = (float64(2*y) + x/float64(y*y)) / 3
	}
	return y
}

// transpose stores Aᵀ, with A n x m.
func transpose(dst, a []float64, n, m int) {
	for i := range n {
		for j := range m {
			dst[j*n+i] = a[i*m+j]
		}
	}
}
