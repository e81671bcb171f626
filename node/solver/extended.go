package solver

import "math"

// extended is the algebra of B C Bᵀ + c(I - BBᵀ): an n x n matrix followed by the coefficient c, of
// multiplicity rest.
type extended struct {
	*matrices
	rest float64
	l    float64 // Shampoo's accumulator on the rest
}

var _ algebra = (*extended)(nil)

func (e *extended) split(g []float64) (block []float64, c float64) {
	n := len(g) - 1
	return g[:n], g[n]
}

func (e *extended) size() int { return e.matrices.size() + 1 }

func (e *extended) norm(g []float64) float64 {
	block, c := e.split(g)
	if norm := math.Sqrt(dot(block, block) + float64(e.rest*float64(c*c))); norm > leastNorm {
		return norm
	}
	return length([]float64{length(block), math.Sqrt(e.rest) * c})
}

func (e *extended) polar(dst, g []float64) (nuclear float64, err error) {
	return e.mapped(dst, g, e.one)
}

func (e *extended) spectral(dst, g []float64, phi func(s, smax float64) float64) error {
	_, err := e.mapped(dst, g, phi)
	return err
}

// mapped applies φ to the singular values of the whole matrix, of which |c| is one.
func (e *extended) mapped(dst, g []float64, phi func(s, smax float64) float64) (nuclear float64, err error) {
	block, c := e.split(g)
	size := math.Abs(c)
	nuclear, smax, err := e.decomposed(dst[:len(block)], block, size, phi)
	if err != nil {
		return 0, err
	}
	switch {
	case !finite(smax):
		c = math.NaN()
	case size > e.rtol*smax:
		c = float64(sign(c) * phi(size, smax))
	default:
		c = 0
	}
	dst[len(block)] = c
	return nuclear + float64(e.rest*size), nil
}

func (e *extended) quintic(x []float64, a, b, c float64) {
	block, v := e.split(x)
	e.matrices.quintic(block, a, b, c)
	y := float64(v * v)
	x[len(block)] = float64(v * (a + float64(y*(b+float64(y*c)))))
}

func (e *extended) preconditioner(epsilon float64) preconditioner {
	e.l = epsilon
	return &extendedPreconditioner{e.matrices.preconditioner(epsilon), e}
}

// extendedPreconditioner is Shampoo's on the matrix and, commuting, on the coefficient.
type extendedPreconditioner struct {
	block preconditioner
	*extended
}

func (s *extendedPreconditioner) apply(dst, g []float64) error {
	block, c := s.split(g)
	s.l += float64(c * c)
	dst[len(block)] = c / math.Sqrt(s.l)
	return s.block.apply(dst[:len(block)], block)
}
