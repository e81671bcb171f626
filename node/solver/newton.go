package solver

import "math"

// newton computes the polar factor of square matrices: Newton's iteration X <- (ζX + X⁻ᵀ/ζ)/2 takes
// singular values in [1/√κ, √κ], where ζ puts them, to [1, (√κ + 1/√κ)/2]: from κ = 10⁷ four
// inverses come down to 1.1. A few terms of (XᵀX)^-½ finish, by products alone. Scaled so, and with
// inverses by elimination with pivots, it is backward stable (Nakatsukasa and Higham 2012).
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
	// newtonCondition is the condition number beyond which singular values are computed instead.
	newtonCondition = 1e9
	// newtonEnd is the b below which products cost less than another inverse.
	newtonEnd = 1.02
)

// polar stores P, for a finite g, and returns ‖G‖_*. It returns false for a G that is not well
// conditioned.
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
		copy(s.e, s.x)
		order, ok := s.ws.products.InvertTransposed(general(s.y, s.n, s.n), general(s.e, s.n, s.n))
		if !ok {
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
		for i, to := range order {
			row := s.x[to*s.n:][:s.n]
			k.Combine(row, 0.5*zeta, row, 0.5/zeta, s.y[i*s.n:])
		}
		b = 0.5 * (math.Sqrt(b) + 1/math.Sqrt(b))
	}
	k.Scale(math.Sqrt(2/(1+float64(b*b))), s.x)
	if !s.finish(dst) {
		return 0, false
	}
	copy(dst, s.x)
	return k.Dot(dst, g), true
}

// largest is about the largest singular value of a, seldom less than nine tenths of it: too small a
// one costs a little speed.
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

// finish makes X orthogonal: X <- X (I - E)^-½ with E = I - XᵀX, as many terms of the series at a
// time as ‖E‖ asks for: 2, 5 or 7, the rest of which is less than ½‖E‖², ¼‖E‖⁵ or ¼‖E‖⁷. It returns
// false where that does not converge.
func (s *newton) finish(scratch []float64) bool {
	const rounds, negligible = 5, 5e-16
	k, n := s.ws.kernel, s.n
	for range rounds {
		s.ws.gram(s.e, s.x, s.x, n, n)
		k.Scale(-1, s.e)
		addDiagonal(s.e, n, 1)
		rest := 0.5 * k.SumSquares(s.e) // by ‖E‖_F >= ‖E‖₂
		if rest < negligible {
			k.Scale(0.5, s.e)
		} else {
			s.ws.gram(s.e2, s.e, s.e, n, n)
			size2 := math.Sqrt(k.SumSquares(s.e2)) // a closer bound of ‖E‖₂²
			if rest = 0.25 * size2 * size2 * math.Sqrt(size2); rest < negligible {
				s.fiveTerms(scratch)
			} else {
				size3 := s.sevenTerms(scratch)
				rest = 0.25 * size3 * size3 * cbrt(size3)
			}
		}
		addDiagonal(s.e, n, 1)
		s.ws.multiply(s.y, s.x, s.e, n, n, n)
		if s.x, s.y = s.y, s.x; rest < negligible {
			return true
		}
	}
	return false
}

// fiveTerms stores E/2 + E² (3/8 + 5/16 E + 35/128 E²) in E.
func (s *newton) fiveTerms(scratch []float64) {
	k, n := s.ws.kernel, s.n
	k.Combine(s.y, 5.0/16, s.e, 35.0/128, s.e2)
	addDiagonal(s.y, n, 3.0/8)
	s.ws.gram(scratch, s.y, s.e2, n, n)
	k.Combine(s.e, 0.5, s.e, 1, scratch)
}

// sevenTerms stores E/2 + 3/8 E² + E³ (5/16 + 35/128 E + 63/256 E² + 231/1024 E³) in E. It returns
// a bound of ‖E‖₂³.
func (s *newton) sevenTerms(scratch []float64) (size3 float64) {
	k, n := s.ws.kernel, s.n
	s.ws.gram(s.y, s.e, s.e2, n, n)
	k.Combine(scratch, 35.0/128, s.e, 63.0/256, s.e2)
	k.Combine(scratch, 1, scratch, 231.0/1024, s.y)
	addDiagonal(scratch, n, 5.0/16)
	k.Combine(s.e, 0.5, s.e, 3.0/8, s.e2)
	s.ws.gram(s.e2, s.y, scratch, n, n)
	k.Combine(s.e, 1, s.e, 1, s.e2)
	return math.Sqrt(k.SumSquares(s.y))
}

func addDiagonal(a []float64, n int, x float64) {
	for i := range n {
		a[i*n+i] += x
	}
}
