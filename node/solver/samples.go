package solver

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// samples is the empirical gradient G = 1/n Σ (x_iᵀWDWᵀx_i - y_i) x_i x_iᵀ WD over n pairs: all
// that are drawn once, some of them, or fresh ones at each step (online).
type samples struct {
	p      *Problem
	ws     *workspace
	theta  []float64
	rng    random
	factor factor
	online bool
	drawn  pairs
	epochs *epochs   // nil but for minibatches
	now    pairs     // those of a step
	z      []float64 // XW, n x m
}

// pairs are inputs by rows and their labels.
type pairs struct{ x, y []float64 }

func newPairs(n, d int, ws *workspace) pairs { return pairs{ws.take(n * d), ws.take(n)} }

func newSamples(p *Problem, f *frame, rng random, ws *workspace) (*samples, error) {
	s := &samples{p: p, ws: ws, theta: f.theta, rng: rng, online: p.Model == Online,
		drawn: newPairs(p.Samples, p.Dimension, ws)}
	s.now = s.drawn
	if p.Model == Minibatch {
		s.epochs, s.now = newEpochs(p, rng, ws), newPairs(p.Batch, p.Dimension, ws)
	}
	s.z = ws.take(len(s.now.y) * p.Width)
	var err error
	if s.factor, err = newFactor(p, f, ws); err != nil {
		return nil, err
	}
	if !s.online {
		s.draw()
	}
	return s, nil
}

// draw draws n·d entries by rows, then n normals for the labels if label noise is positive.
func (s *samples) draw() {
	x, y := s.drawn.x, s.drawn.y
	s.p.Inputs.fill(x, s.rng)
	d := s.p.Dimension
	for i := range y {
		row := x[i*d : (i+1)*d]
		s.factor.apply(row)
		along := s.ws.kernel.Dot(row, s.theta)
		y[i] = float64(along * along)
	}
	if s.p.LabelNoise > 0 {
		for i := range y {
			y[i] += float64(s.p.LabelNoise * s.rng.Next())
		}
	}
}

// gradient stores G at w. An online run draws its batch here.
func (s *samples) gradient(g, w []float64) {
	switch {
	case s.online:
		s.draw()
	case s.epochs != nil:
		s.epochs.next(s.now, s.drawn)
	}
	n, d, m := len(s.now.y), s.p.Dimension, s.p.Width
	layer := secondLayer{m, s.p.NegativeUnits}
	s.ws.multiply(s.z, s.now.x, w, n, d, m)
	for i, y := range s.now.y {
		z := s.z[i*m : (i+1)*m]
		residual := s.ws.kernel.SumSquares(z) - y
		if layer.negative > 0 {
			residual = layer.sum(z) - y
		}
		for j := range z {
			z[j] *= residual
		}
	}
	layer.flipColumns(s.z)
	s.ws.multiplyTransposed(g, s.now.x, s.z, d, n, m)
	for i := range g {
		g[i] /= float64(n)
	}
}

// factor is R of x = Rz, RRᵀ = Q.
type factor interface {
	// apply overwrites z with Rz.
	apply(z []float64)
}

func newFactor(p *Problem, f *frame, ws *workspace) (factor, error) {
	switch {
	case f.h != nil:
		return newTriangular(p.Dimension, f.q, ws)
	case p.Covariance.AR1:
		return recursion{p.Covariance.Rho, math.Sqrt(1 - float64(p.Covariance.Rho*p.Covariance.Rho))}, nil
	}
	root := roots(ws.take(p.Dimension))
	for i, q := range f.values {
		root[i] = math.Sqrt(q)
	}
	return root, nil
}

// roots is R = diag(√q).
type roots []float64

func (r roots) apply(z []float64) {
	for i, x := range r {
		z[i] *= x
	}
}

// recursion is the Cholesky factor of ar1: x_0 = z_0, x_i = ρ x_(i-1) + √(1-ρ²) z_i.
type recursion struct{ rho, fresh float64 }

func (r recursion) apply(z []float64) {
	for i := 1; i < len(z); i++ {
		z[i] = float64(r.rho*z[i-1]) + float64(r.fresh*z[i])
	}
}

// triangular is the lower factor of a rotated covariance, stored transposed.
type triangular struct {
	upper []float64
	x     []float64
}

var errSingular = errors.New(
	"factor the rotated covariance (Cholesky): an eigenvalue is zero; use rotate: none",
)

func newTriangular(d int, q operator, ws *workspace) (*triangular, error) {
	c := &triangular{ws.take(d * d), ws.take(d)}
	unit := ws.take(d)
	for i := range d {
		unit[i] = 1
		q.apply(c.upper[i*d:(i+1)*d], unit, 1)
		unit[i] = 0
	}
	if _, ok := lapack64.Potrf(blas64.Symmetric{N: d, Stride: d, Uplo: blas.Upper, Data: c.upper}); !ok {
		return nil, errSingular
	}
	return c, nil
}

func (c *triangular) apply(z []float64) {
	d := len(z)
	clear(c.x)
	for l, s := range z {
		axpy(c.x[l:], s, c.upper[l*d+l:(l+1)*d])
	}
	copy(z, c.x)
}
