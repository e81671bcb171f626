package solver

import (
	"errors"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
)

var errSVD = errors.New("singular value decomposition: no convergence")

// decomposition is the thin SVD G = U diag(s) Vᵀ of n x m matrices, in memory of its own.
type decomposition struct {
	n, m    int
	a, u, v blas64.General // v holds Vᵀ
	s       []float64
	work    []float64
}

func newDecomposition(n, m int, ws *workspace) *decomposition {
	k := min(n, m)
	take := func(rows, columns int) blas64.General { return general(ws.take(rows*columns), rows, columns) }
	d := &decomposition{n: n, m: m, a: take(n, m), u: take(n, k), v: take(k, m), s: ws.take(k)}
	var size [1]float64
	lapack64.Gesvd(lapack.SVDStore, lapack.SVDStore, d.a, d.u, d.v, d.s, size[:], -1)
	d.work = ws.take(int(size[0]))
	return d
}

// decompose computes the decomposition of a finite g.
func (d *decomposition) decompose(g []float64) error {
	copy(d.a.Data, g)
	if !lapack64.Gesvd(lapack.SVDStore, lapack.SVDStore, d.a, d.u, d.v, d.s, d.work, len(d.work)) {
		return errSVD
	}
	return nil
}

// compose stores U diag(φ) Vᵀ, overwriting U. φ is 0 up to zero.
func (d *decomposition) compose(ws *workspace, dst []float64, phi func(s, smax float64) float64, smax, zero float64) {
	k := len(d.s)
	for j, s := range d.s {
		f := 0.0
		if s > zero {
			f = phi(s, smax)
		}
		for i := range d.n {
			d.u.Data[i*k+j] *= f
		}
	}
	ws.multiply(dst, d.u.Data, d.v.Data, d.n, k, d.m)
}
