package solver

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Matrices are slices by rows. An element of a product is one fused chain over k in order, whatever
// computes it.

func general(a []float64, rows, columns int) blas64.General {
	return blas64.General{Rows: rows, Cols: columns, Stride: columns, Data: a[:rows*columns]}
}

// multiply stores C = A B, with A n x k, B k x m.
func (ws *workspace) multiply(c, a, b []float64, n, k, m int) {
	ws.products.Gemm(blas.NoTrans, blas.NoTrans, 1, general(a, n, k), general(b, k, m), 0, general(c, n, m))
}

// multiplyTransposed stores C = Aᵀ B, with A k x n, B k x m.
func (ws *workspace) multiplyTransposed(c, a, b []float64, n, k, m int) {
	ws.products.Gemm(blas.Trans, blas.NoTrans, 1, general(a, k, n), general(b, k, m), 0, general(c, n, m))
}

// gram stores C = AᵀB, m x m, for A and B k x m whose product is symmetric.
func (ws *workspace) gram(c, a, b []float64, k, m int) {
	ws.products.Symmetric(blas.Trans, blas.NoTrans, 1, general(a, k, m), general(b, k, m), 0, general(c, m, m))
}

// gramRows stores C = A Bᵀ, n x n, for A and B n x m whose product is symmetric.
func (ws *workspace) gramRows(c, a, b []float64, n, m int) {
	ws.products.Symmetric(blas.NoTrans, blas.Trans, 1, general(a, n, m), general(b, n, m), 0, general(c, n, n))
}

// combine stores y = Aᵀx, with A k x m. Rows that x does not take cost nothing.
func combine(y, x, a []float64, m int) {
	clear(y[:m])
	for l, s := range x {
		if s != 0 {
			axpy(y[:m], s, a[l*m:(l+1)*m])
		}
	}
}

// axpy continues the chains y_j <- fma(s, x_j, y_j).
func axpy(y []float64, s float64, x []float64) {
	x = x[:len(y)]
	for j := range y {
		y[j] = math.FMA(s, x[j], y[j])
	}
}
