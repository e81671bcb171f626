package solver

import "math"

// newton computes the polar factor of square matrices: Newton's iteration X <- (ζX + X⁻ᵀ/ζ)/2 takes singular values in [1/√κ, √κ],
// where ζ puts them, to [1, (√κ + 1/√κ)/2]: from κ = 10⁷ four inverses come down to 1.1. A few terms of (XᵀX)^-½ finish, by products
// alone. Scaled so, and with inverses by elimination with pivots, it is backward stable (Nakatsukasa and Higham 2012).
type newton struct {
	ws    *workspace
	n     int
	x, y  []float64
	e, e2 []float64
	v, w  []float64
}

func newNewton(n int, ws *workspace) *newton {
	take := func() []float64 { return ws.take(n * n) }
	return &newton{ws: ws, n: n, x: take(), y: take(), e: take(), e2: take(), v: ws.take(n), w: ws.take(n)}
}

const (
	// newtonCondition is the condition number beyond which singular values are asked.
	newtonCondition = 1e9
	// newtonEnd is the b from which products cost less than another inverse.
	newtonEnd = 1.02
)

// polar stores P, for a finite g, and returns ‖G‖_*. It returns false for a G that is not well conditioned.
func (s *newton) polar(dst, g []float64) (nuclear float64, ok bool) {
	k := s.ws.kernel
	copy(s.x, g)
	size := k.Largest(g)
	if !(size > 0) || !finite(1/size) {
		return 0, false
	}
	k.Scale(1/size, s.x)
	b := 0.0
	for b == 0 || b > newtonEnd {
		copy(s.y, s.x)
		if !s.ws.products.Invert(general(s.y, s.n, s.n)) {
			return 0, false
		}
		zeta := 1 / math.Sqrt(b)
		if b == 0 {
			large, small := s.largest(s.x), s.largest(s.y) // s_1 and 1/s_n
			if b = large * small; !(b < newtonCondition) {
				return 0, false
			}
			zeta = math.Sqrt(small / large)
		}
		s.average(zeta)
		b = 0.5 * (math.Sqrt(b) + 1/math.Sqrt(b))
	}
	k.Scale(math.Sqrt(2/(1+b*b)), s.x)
	if !s.finish(dst) {
		return 0, false
	}
	copy(dst, s.x)
	return k.Dot(dst, g), true
}

// largest is about the largest singular value of a, seldom less than nine tenths of it: too small a one costs a little speed.
func (s *newton) largest(a []float64) float64 {
	k, n := s.ws.kernel, s.n
	for i := range s.v {
		s.v[i] = 1 - 2*float64(i&1) + float64(i)/float64(n)
	}
	norm := 0.0
	for range 3 {
		k.Scale(1/math.Sqrt(k.SumSquares(s.v)), s.v)
		clear(s.w)
		for i := range n {
			row := a[i*n : (i+1)*n]
			k.Combine(s.w, k.Dot(row, s.v), row, 1, s.w)
		}
		norm = math.Sqrt(k.SumSquares(s.w)) // ‖AᵀA v‖
		s.v, s.w = s.w, s.v
	}
	return math.Sqrt(norm)
}

// average stores (ζX + Yᵀ/ζ)/2 in X, Y being X⁻¹.
func (s *newton) average(zeta float64) {
	const block = 16
	n, p, q := s.n, 0.5*zeta, 0.5/zeta
	for i0 := 0; i0 < n; i0 += block {
		for j0 := 0; j0 < n; j0 += block {
			for i := i0; i < min(i0+block, n); i++ {
				row := s.x[i*n:][:n]
				for j := j0; j < min(j0+block, n); j++ {
					row[j] = float64(p*row[j]) + float64(q*s.y[j*n+i])
				}
			}
		}
	}
}

// finish makes X orthogonal: X <- X (I - E)^-½ with E = I - XᵀX, five terms of the series at a time, of which the rest is less than
// ¼‖E‖⁵, or two where those are enough, whose rest is less than ½‖E‖². It returns false where that does not converge.
func (s *newton) finish(scratch []float64) bool {
	const rounds, negligible = 5, 5e-16
	k, n := s.ws.kernel, s.n
	for range rounds {
		s.ws.gram(s.e, s.x, s.x, n, n)
		k.Scale(-1, s.e)
		addDiagonal(s.e, n, 1)
		size2 := k.SumSquares(s.e) // of ‖E‖_F
		last := 0.5*size2 < negligible
		if last {
			k.Scale(0.5, s.e)
			addDiagonal(s.e, n, 1)
			s.ws.multiply(s.y, s.x, s.e, n, n, n)
		} else {
			s.ws.gram(s.e2, s.e, s.e, n, n)
			size2 = math.Sqrt(k.SumSquares(s.e2)) // a closer bound of ‖E‖₂²
			last = 0.25*size2*size2*math.Sqrt(size2) < negligible
			k.Combine(s.y, 5.0/16, s.e, 35.0/128, s.e2)
			addDiagonal(s.y, n, 3.0/8)
			s.ws.gram(scratch, s.y, s.e2, n, n)
			k.Combine(scratch, 0.5, s.e, 1, scratch)
			addDiagonal(scratch, n, 1)
			s.ws.multiply(s.y, s.x, scratch, n, n, n)
		}
		if s.x, s.y = s.y, s.x; last {
			return true
		}
	}
	return false
}

func addDiagonal(a []float64, n int, x float64) {
	for i := range n {
		a[i*n+i] += x
	}
}
