package simd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

func TestInvertTransposed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 7, 31, 32, 33, 100, 325} {
		a := matrix(r, n, n)
		var first []float64
		for _, k := range simd.Available() {
			p := simd.NewMultiplier(k)
			pieces, rows, inverse, product := matrix(r, n, n), matrix(r, n, n), matrix(r, n, n), matrix(r, n, n)
			copy(pieces.Data, a.Data)
			order, ok := p.InvertTransposed(rows, pieces)
			if !ok {
				t.Fatalf("n = %d, %v: no inverse", n, k)
			}
			for i, to := range order {
				copy(inverse.Data[to*n:][:n], rows.Data[i*n:])
			}
			p.Gemm(blas.NoTrans, blas.Trans, 1, a, inverse, 0, product)
			norm := math.Sqrt(k.SumSquares(a.Data)) * math.Sqrt(k.SumSquares(inverse.Data))
			for i := range n {
				product.Data[i*n+i]--
			}
			if off := k.Largest(product.Data); off > 1e-15*norm {
				t.Errorf("n = %d, %v: |A A⁻¹ - I| = %.1e with ‖A‖‖A⁻¹‖ = %.1e", n, k, off, norm)
			}
			if first == nil {
				first = inverse.Data
			}
			for i := range first {
				if first[i] != inverse.Data[i] {
					t.Fatalf("n = %d: %v gives %v for element %d, the scalar kernel %v",
						n, k, inverse.Data[i], i, first[i])
				}
			}
		}
	}
}

func TestSingularMatricesHaveNoInverse(t *testing.T) {
	for _, x := range []float64{0, math.NaN(), math.Inf(1)} {
		a := blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: []float64{x, x, x, x}}
		if _, ok := simd.NewMultiplier(simd.Best()).InvertTransposed(matrix(rand.New(rand.NewPCG(1, 2)), 2, 2), a); ok {
			t.Errorf("a matrix of %v has an inverse: %v", x, a.Data)
		}
	}
}
