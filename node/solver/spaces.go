package solver

import "math"

// spaces is the algebra of the reduced representation: matrices Σ g_i P_i, where P_i projects on n_i dimensions.
type spaces struct {
	n    []float64
	rtol float64
	d    int
	l    []float64 // Shampoo's accumulator, ε + Σ g², the same for L and R
}

var _ algebra = (*spaces)(nil)

func (s *spaces) size() int { return len(s.n) }

func (s *spaces) shape() (rows, columns int) { return s.d, s.d }

func (s *spaces) norm(g []float64) float64 {
	var sum octet
	for i, x := range g {
		sum[i&7] += float64(s.n[i] * float64(x*x))
	}
	return math.Sqrt(sum.total())
}

// largest is max |g_i|, NaN if one is.
func largest(g []float64) float64 {
	top := 0.0
	for _, x := range g {
		top = max(top, math.Abs(x))
	}
	return top
}

func (s *spaces) polar(dst, g []float64) (nuclear float64, err error) {
	top := largest(g)
	if !finite(top) {
		fill(dst, math.NaN())
		return math.NaN(), nil
	}
	zero := s.rtol * top
	var sum octet
	for i, x := range g {
		size := math.Abs(x)
		sum[i&7] += float64(s.n[i] * size)
		if size > zero {
			dst[i] = sign(x)
		} else {
			dst[i] = 0
		}
	}
	return sum.total(), nil
}

func (s *spaces) spectral(dst, g []float64, phi func(s, smax float64) float64) error {
	top := largest(g)
	if !finite(top) {
		fill(dst, math.NaN())
		return nil
	}
	zero := s.rtol * top
	for i, x := range g {
		if size := math.Abs(x); size > zero {
			dst[i] = float64(sign(x) * phi(size, top))
		} else {
			dst[i] = 0
		}
	}
	return nil
}

func (s *spaces) quintic(x []float64, a, b, c float64) {
	for i, v := range x {
		y := float64(v * v)
		x[i] = float64(v * (a + float64(y*(b+float64(y*c)))))
	}
}

func (s *spaces) preconditioner(epsilon float64) preconditioner {
	fill(s.l, epsilon)
	return (*coefficientPreconditioner)(s)
}

// coefficientPreconditioner is Shampoo where everything commutes: U = g/√(ε + Σ g²).
type coefficientPreconditioner spaces

func (s *coefficientPreconditioner) apply(dst, g []float64) error {
	for i, x := range g {
		s.l[i] += float64(x * x)
		dst[i] = x / math.Sqrt(s.l[i])
	}
	return nil
}

func fill(dst []float64, x float64) {
	for i := range dst {
		dst[i] = x
	}
}
