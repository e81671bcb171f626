package solver

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// shampoo (Gupta et al. 2018): L <- L + GGᵀ, R <- R + GᵀG, U = L^-¼ G R^-¼, from L = R = εI.
type shampoo struct{ preconditioner }

func newShampoo(p *Problem, a algebra, _ [][]float64) rule {
	return shampoo{a.preconditioner(p.Epsilon)}
}

func (o shampoo) update(u, g []float64, _ int) error { return o.apply(u, g) }

// matrixPreconditioner is Shampoo's on n x m matrices. Eigenvalues of L and R are floored at ε.
type matrixPreconditioner struct {
	*matrices
	epsilon     float64
	left, right accumulator
	product     []float64
}

// accumulator is L or R with its inverse fourth root.
type accumulator struct {
	n            int
	sum          []float64
	fresh        []float64 // GGᵀ or GᵀG, then the eigenvectors
	values, work []float64
	scaled, root []float64
}

var errEigen = errors.New("eigenvalues of Shampoo's accumulator: no convergence")

func (a *matrices) preconditioner(epsilon float64) preconditioner {
	return &matrixPreconditioner{a, epsilon, newAccumulator(a.n, epsilon, a.ws), newAccumulator(a.m, epsilon, a.ws),
		a.ws.take(a.n * a.m)}
}

func newAccumulator(n int, epsilon float64, ws *workspace) accumulator {
	c := accumulator{n: n, sum: ws.take(n * n), fresh: ws.take(n * n), values: ws.take(n),
		scaled: ws.take(n * n), root: ws.take(n * n)}
	for i := range n {
		c.sum[i*n+i] = epsilon
	}
	c.work = eigenWork(n, ws)
	return c
}

// add adds the square in fresh to sum and updates root.
func (c *accumulator) add(ws *workspace, epsilon float64) error {
	for i, x := range c.fresh {
		c.sum[i] += x
	}
	copy(c.fresh, c.sum)
	if !symmetricEigen(blas64.Symmetric{N: c.n, Stride: c.n, Uplo: blas.Upper, Data: c.fresh}, c.values, c.work) {
		return errEigen
	}
	for j, x := range c.values {
		f := 1 / math.Sqrt(math.Sqrt(max(x, epsilon)))
		for i := range c.n {
			c.scaled[i*c.n+j] = float64(c.fresh[i*c.n+j] * f)
		}
	}
	ws.gramRows(c.root, c.scaled, c.fresh, c.n, c.n)
	return nil
}

func (s *matrixPreconditioner) apply(dst, g []float64) error {
	if !finite(s.ws.kernel.Largest(g)) {
		fill(dst, math.NaN())
		return nil
	}
	s.ws.gramRows(s.left.fresh, g, g, s.n, s.m)
	s.ws.gram(s.right.fresh, g, g, s.n, s.m)
	if err := s.left.add(s.ws, s.epsilon); err != nil {
		return err
	}
	if err := s.right.add(s.ws, s.epsilon); err != nil {
		return err
	}
	s.ws.multiply(s.product, s.left.root, g, s.n, s.n, s.m)
	s.ws.multiply(dst, s.product, s.right.root, s.n, s.m, s.m)
	return nil
}
