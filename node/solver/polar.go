package solver

import "math"

// polar stores the polar factor of g, the partial isometry where g has singular values that count as zero. Inverses and matrix
// products do where they can, singular values where g is small, rank-deficient or ill-conditioned.
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
	// polarByProductsFrom is the number of columns from which products are faster than singular values.
	polarByProductsFrom = 12
	// certain is the least l whose bound can be trusted: its square stands out of the round-off of GᵀG. Below, conceivable is taken
	// and the outcome is verified.
	certain     = 2e-6
	conceivable = 2e-8
	// From invertible on an inverse by Cholesky's decomposition of A can be refined to full accuracy; up to worthInverting it costs less
	// than the quintics that it spares.
	invertible     = 1e-5
	worthInverting = 0.014
	// orthogonal is how close to 1 the bound on the smallest singular value must come.
	orthogonal = 5e-15
)

// polarizer computes P = U Vᵀ of G = U S Vᵀ, n x m, by iterations X <- X f(XᵀX) on X = G/u, u >= s_1, whose singular values lie in
// [l, 1]. From a small l a step of Newton's iteration with the inverse Y = X A^-1 of Xᵀ, A = XᵀX,
//
//	X <- (X/√l + √l Y)/2
//
// takes l to 2√l/(1+l), and X(aI + bA + cA²) with the best a, b, c for l lifts it about fourfold (arXiv 2505.16932); then three steps
//
//	X <- b/c X + (a - b/c) X (I + cA)^-1
//
// (QDWH, Nakatsukasa, Bai and Gygi 2010) finish. The inverse goes by Cholesky's decomposition, which is as accurate as it needs to be
// for c <= 100 only; three steps suffice from l = 0.09 on, where c is 46.
type polarizer struct {
	ws         *workspace
	n, m       int  // n >= m
	turned     bool // G is m x n
	x, y, z    []float64
	a, b, temp []float64
	factor     *cholesky
}

func newPolarizer(n, m int, ws *workspace) *polarizer {
	p := &polarizer{ws: ws, n: n, m: m}
	if n < m {
		p.n, p.m, p.turned = m, n, true
	}
	n, m = p.n, p.m
	p.x, p.y, p.z = ws.take(n*m), ws.take(n*m), ws.take(n*m)
	p.a, p.b, p.temp = ws.take(m*m), ws.take(m*m), ws.take(m*m)
	p.factor = newCholesky(n, m, ws)
	return p
}

// polar stores P and returns ‖G‖_*. It returns false for a G that is not finite or not well conditioned.
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
	fresh := true // A is of this X
	if l >= invertible && l <= worthInverting {
		l = p.newton(l)
		fresh = false
	}
	for 1-l > orthogonal {
		if !fresh {
			p.ws.gram(p.a, p.x, p.x, p.n, p.m)
		}
		fresh = false
		if qdwhResidual(l, 3) > orthogonal && qdwhResidual(l, 2) > orthogonal {
			l = p.lift(l)
			continue
		}
		if l, ok = p.whiten(l); !ok {
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

// normalise divides X by a bound of its largest singular value, u⁴ = ‖A‖_F² = Σ s⁴, and returns a bound of the smallest,
// l^-2 = tr A^-1 = ‖L^-ᵀ‖_F², 0 where A has no Cholesky decomposition. A is left that of the new X.
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
	p.factor.inverseTransposed(p.temp)
	return 1 / math.Sqrt(k.SumSquares(p.temp))
}

// verified tells whether XᵀX is I, up to what one step X(3I - A)/2 mends.
func (p *polarizer) verified() bool {
	p.ws.gram(p.a, p.x, p.x, p.n, p.m)
	for i := range p.m {
		p.a[i*p.m+i]--
	}
	if off := p.ws.kernel.SumSquares(p.a); !(off < 1e-12) {
		return false
	}
	p.ws.kernel.Scale(-0.5, p.a)
	for i := range p.m {
		p.a[i*p.m+i]++
	}
	p.ws.multiply(p.y, p.x, p.a, p.n, p.m, p.m)
	p.x, p.y = p.y, p.x
	return true
}

// newton is one step of Newton's iteration, with the decomposition that normalise left. The inverse has lost the square of the condition
// number; one step Y <- Y(2I - XᵀY) squares that loss.
func (p *polarizer) newton(l float64) float64 {
	k, m := p.ws.kernel, p.m
	copy(p.y, p.x)
	p.factor.solveTransposed(p.y, p.n)
	p.factor.solve(p.y, p.n)
	p.ws.multiplyTransposed(p.temp, p.x, p.y, m, p.n, m)
	k.Scale(-1, p.temp)
	for i := range m {
		p.temp[i*m+i] += 2
	}
	p.ws.multiply(p.z, p.y, p.temp, p.n, m, m)
	root := math.Sqrt(l)
	top := (1 + l) / (2 * root)
	k.Combine(p.x, 1/(2*root*top), p.x, root/(2*top), p.z)
	return 1 / top
}

// lift is one step of the polynomial.
func (p *polarizer) lift(l float64) float64 {
	c, off := bestQuintic(l)
	k, m := p.ws.kernel, p.m
	p.ws.gram(p.b, p.a, p.a, m, m)
	top := 1 + off
	k.Combine(p.b, c[2]/top, p.b, c[1]/top, p.a)
	for i := range m {
		p.b[i*m+i] += c[0] / top
	}
	p.ws.multiply(p.y, p.x, p.b, p.n, m, m)
	p.x, p.y = p.y, p.x
	return (1 - off) / top
}

// whiten is one step of QDWH.
func (p *polarizer) whiten(l float64) (float64, bool) {
	a, b, c, next := qdwh(l)
	k, m := p.ws.kernel, p.m
	copy(p.b, p.a)
	k.Scale(c, p.b)
	for i := range m {
		p.b[i*m+i]++
	}
	if !p.factor.factorise(p.b) {
		return 0, false
	}
	copy(p.y, p.x)
	p.factor.solveTransposed(p.y, p.n)
	p.factor.solve(p.y, p.n)
	k.Combine(p.x, b/c, p.x, a-b/c, p.y)
	return min(1, next), true
}

// qdwh returns the weights of a step and where it takes l.
func qdwh(l float64) (a, b, c, next float64) {
	l2 := l * l
	d := cbrt(4 * (1 - l2) / (l2 * l2))
	root := math.Sqrt(1 + d)
	a = root + 0.5*math.Sqrt(8-4*d+8*(2-l2)/(l2*root))
	b = (a - 1) * (a - 1) / 4
	c = a + b - 1
	return a, b, c, l * (a + b*l2) / (1 + c*l2)
}

// qdwhResidual is 1 - l after so many steps.
func qdwhResidual(l float64, steps int) float64 {
	for range steps {
		_, _, _, l = qdwh(min(l, 1))
	}
	return 1 - l
}

// cbrt is the cube root of x >= 0 by Newton's method.
func cbrt(x float64) float64 {
	if x == 0 {
		return 0
	}
	y := math.Ldexp(1, (math.Ilogb(x)+2)/3)
	for range 8 {
		y = (2*y + x/(y*y)) / 3
	}
	return y
}

// bestQuintic returns a, b, c of the odd polynomial ax + bx³ + cx⁵ that is nearest to 1 on [l, 1], and its distance, by Remez' exchange:
// the error alternates at l, the two points where the derivative vanishes, and 1.
func bestQuintic(l float64) (c [3]float64, off float64) {
	q, r := (3*l+1)/4, (l+3)/4
	for range 60 {
		var system [4][5]float64
		for i, x := range [4]float64{l, q, r, 1} {
			x3 := x * x * x
			system[i] = [5]float64{x, x3, x3 * x * x, float64(1 - 2*(i&1)), 1}
		}
		s := eliminate(system)
		c = [3]float64{s[0], s[1], s[2]}
		last := off
		off = math.Abs(s[3])
		discriminant := 9*c[1]*c[1] - 20*c[0]*c[2]
		if !(discriminant > 0) || math.Abs(off-last) <= 1e-15 {
			break
		}
		root := math.Sqrt(discriminant)
		q, r = math.Sqrt((-3*c[1]-root)/(10*c[2])), math.Sqrt((-3*c[1]+root)/(10*c[2]))
	}
	return c, off
}

// eliminate solves four equations, [matrix | right side], by Gauss and Jordan's elimination with pivots.
func eliminate(s [4][5]float64) (x [4]float64) {
	for k := range s {
		pivot := k
		for i := k + 1; i < len(s); i++ {
			if math.Abs(s[i][k]) > math.Abs(s[pivot][k]) {
				pivot = i
			}
		}
		s[k], s[pivot] = s[pivot], s[k]
		for i := range s {
			if i == k {
				continue
			}
			f := s[i][k] / s[k][k]
			for j := k; j < 5; j++ {
				s[i][j] -= float64(f * s[k][j])
			}
		}
	}
	for i := range s {
		x[i] = s[i][4] / s[i][i]
	}
	return x
}

// transpose stores Aᵀ, with A n x m.
func transpose(dst, a []float64, n, m int) {
	for i := range n {
		for j := range m {
			dst[j*n+i] = a[i*m+j]
		}
	}
}
