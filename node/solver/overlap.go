package solver

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// overlap measures the top eigenspace of WWᵀ through the m x m matrix WᵀW: its eigenvector v with eigenvalue s² gives Wv/s.
type overlap struct {
	m      int
	ws     *workspace
	a      []float64 // WᵀW, then its eigenvectors as columns; made when first needed
	values []float64
	work   []float64
}

// measure returns uᵀP u / rank P and ‖W‖₂², given Wᵀu, where P projects on the eigenvectors with eigenvalues within topMargin of the
// largest. WWᵀ has the eigenvalue c2 on rest directions more, orthogonal to u. Both are NaN where they cannot be had.
func (o *overlap) measure(w, wu []float64, c2, rest float64) (share, largest float64) {
	m := o.m
	if o.a == nil {
		o.a, o.values, o.work = o.ws.take(m*m), o.ws.take(m), eigenWork(m, o.ws)
	}
	o.ws.gram(o.a, w, w, len(w)/m, m)
	if !symmetricEigen(blas64.Symmetric{N: m, Stride: m, Uplo: blas.Upper, Data: o.a}, o.values, o.work) {
		return math.NaN(), math.NaN()
	}
	largest = max(o.values[m-1], c2)
	rank, sum := 0.0, 0.0
	if c2 >= largest*(1-topMargin) {
		rank = rest
	}
	for j := m - 1; j >= 0 && o.values[j] >= largest*(1-topMargin); j-- {
		along := 0.0
		for i, x := range wu {
			along = math.FMA(x, o.a[i*m+j], along)
		}
		sum += float64(along*along) / o.values[j]
		rank++
	}
	return sum / rank, largest
}
