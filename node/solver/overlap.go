package solver

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// overlap measures the top eigenspace of WWᵀ through the m x m matrix A = WᵀW, whose eigenvector v
// with eigenvalue s² gives Wv/s.
//
// Where the largest eigenvalue is separated, A/tr A, squared and normalised a few times, converges
// to vvᵀ at the cost of matrix products alone. Elsewhere all eigenvalues are computed and counted.
type overlap struct {
	m      int
	ws     *workspace
	a      []float64 // WᵀW; made, like the rest, when first needed
	p, q   []float64 // a power of A and the next, or eigenvectors as columns
	values []float64
	work   []float64
}

const (
	squarings = 14    // suffice where the second eigenvalue is below the first by 0.2 %
	impurity  = 1e-13 // tolerance of 1 - tr(P²), which is 0 for P = vvᵀ
)

// measure returns uᵀP u / rank P and ‖W‖₂², given Wᵀu, where P projects on the eigenvectors with
// eigenvalues within topMargin of the largest. WWᵀ has the eigenvalue c2 on rest directions more,
// orthogonal to u. Both are NaN if the eigenvalues do not converge.
func (o *overlap) measure(w, wu []float64, c2, rest float64) (share, largest float64) {
	if o.a == nil {
		o.a, o.p, o.q = o.ws.take(o.m*o.m), o.ws.take(o.m*o.m), o.ws.take(o.m*o.m)
	}
	o.ws.gram(o.a, w, w, len(w)/o.m, o.m)
	if largest, ok := o.simple(); ok && c2 < largest*(1-topMargin) {
		for i, x := range wu {
			share += float64(x * o.ws.kernel.Dot(o.p[i*o.m:(i+1)*o.m], wu))
		}
		return share / largest, largest
	}
	return o.counted(wu, c2, rest)
}

// simple stores vvᵀ in p and returns the largest eigenvalue, if it is separated.
func (o *overlap) simple() (largest float64, ok bool) {
	copy(o.p, o.a)
	o.normalise(o.p)
	for range squarings {
		o.ws.gram(o.q, o.p, o.p, o.m, o.m)
		o.normalise(o.q)
		o.p, o.q = o.q, o.p
		if o.ws.kernel.SumSquares(o.p) >= 1-impurity {
			return o.ws.kernel.Dot(o.p, o.a), true
		}
	}
	return 0, false
}

// normalise divides by the trace.
func (o *overlap) normalise(a []float64) {
	trace := 0.0
	for i := range o.m {
		trace += a[i*o.m+i]
	}
	o.ws.kernel.Scale(1/trace, a)
}

// counted sums over the eigenvalues within the margin.
func (o *overlap) counted(wu []float64, c2, rest float64) (share, largest float64) {
	m := o.m
	if o.values == nil {
		o.values, o.work = o.ws.take(m), eigenWork(m, o.ws)
	}
	copy(o.p, o.a)
	if !symmetricEigen(blas64.Symmetric{N: m, Stride: m, Uplo: blas.Upper, Data: o.p}, o.values, o.work) {
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
			along = math.FMA(x, o.p[i*m+j], along)
		}
		sum += float64(along*along) / o.values[j]
		rank++
	}
	return sum / rank, largest
}
