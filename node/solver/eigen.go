package solver

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// eigenWork returns the workspace of symmetricEigen for an n x n matrix.
func eigenWork(n int, ws *workspace) []float64 {
	var size [1]float64
	empty := blas64.Symmetric{N: n, Stride: n, Uplo: blas.Upper}
	lapack64.Syev(lapack.EVCompute, empty, nil, size[:], -1)
	return ws.take(int(size[0]))
}

// symmetricEigen overwrites a with its eigenvectors as columns, in increasing order of the
// eigenvalues. It returns false if the iteration does not converge.
func symmetricEigen(a blas64.Symmetric, values, work []float64) bool {
	return lapack64.Syev(lapack.EVCompute, a, values, work, len(work))
}
