package solver

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// choleskyBlock is the order of the diagonal blocks that are factorised element by element; the
// rest is matrix products.
const choleskyBlock = 32

// cholesky is the decomposition Z = L Lᵀ of a positive definite m x m matrix, with the inverses of
// L's diagonal blocks.
type cholesky struct {
	ws      *workspace
	m       int
	l       []float64 // in the memory of Z; entries above the diagonal are undefined
	inverse []float64 // by block, choleskyBlock rows of as many columns
	panel   []float64 // a copy of some columns of at most n rows
}

func newCholesky(n, m int, ws *workspace) *cholesky {
	blocks := (m + choleskyBlock - 1) / choleskyBlock
	return &cholesky{
		ws:      ws,
		m:       m,
		inverse: ws.take(blocks * choleskyBlock * choleskyBlock),
		panel:   ws.take(max(n, m) * choleskyBlock),
	}
}

// part is rows x columns of a from (i, j) on, with a's stride.
func part(a []float64, stride, i, j, rows, columns int) blas64.General {
	return blas64.General{Rows: rows, Cols: columns, Stride: stride, Data: a[i*stride+j : (i+rows-1)*stride+j+columns]}
}

// factorise replaces z by its L. It returns false where z is not positive definite.
func (f *cholesky) factorise(z []float64) bool {
	m := f.m
	f.l = z
	for j := 0; j < m; j += choleskyBlock {
		w := min(choleskyBlock, m-j)
		if j > 0 {
			f.ws.products.Gemm(
				blas.NoTrans,
				blas.Trans,
				-1,
				part(z, m, j, 0, m-j, j),
				part(z, m, j, 0, w, j),
				1,
				part(z, m, j, j, m-j, w),
			)
		}
		if !f.diagonal(j, w) {
			return false
		}
		if below := m - j - w; below > 0 {
			f.scaleColumns(z, j+w, j, below, w, blas.Trans)
		}
	}
	return true
}

// diagonal factorises the block at j and inverts it.
func (f *cholesky) diagonal(j, w int) bool {
	inverse := f.block(j)
	for i := range w {
		row := f.l[(j+i)*f.m+j:]
		for k := range i + 1 {
			other := f.l[(j+k)*f.m+j:]
			sum := row[k]
			for s := range k {
				sum -= float64(row[s] * other[s])
			}
			if k < i {
				row[k] = sum / other[k]
				continue
			}
			if !(sum > 0) || !finite(sum) {
				return false
			}
			row[k] = math.Sqrt(sum)
		}
	}
	clear(inverse)
	for i := range w {
		row := f.l[(j+i)*f.m+j:]
		for k := range i {
			sum := 0.0
			for s := k; s < i; s++ {
				sum -= float64(row[s] * inverse[s*choleskyBlock+k])
			}
			inverse[i*choleskyBlock+k] = sum / row[i]
		}
		inverse[i*choleskyBlock+i] = 1 / row[i]
	}
	return true
}

// block is the inverse of the diagonal block at j.
func (f *cholesky) block(j int) []float64 {
	return f.inverse[j*choleskyBlock:][:choleskyBlock*choleskyBlock]
}

// scaleColumns multiplies columns j..j+w of rows i..i+n of a from the right with the inverse of the
// diagonal block at j or its transpose.
func (f *cholesky) scaleColumns(a []float64, i, j, n, w int, t blas.Transpose) {
	for r := range n {
		copy(f.panel[r*w:(r+1)*w], a[(i+r)*f.m+j:])
	}
	f.ws.products.Gemm(
		blas.NoTrans,
		t,
		1,
		general(f.panel, n, w),
		part(f.block(j), choleskyBlock, 0, 0, w, w),
		0,
		part(a, f.m, i, j, n, w),
	)
}

// inverseTransposed stores L^-ᵀ, m x m, in x.
func (f *cholesky) inverseTransposed(x []float64) {
	clear(x)
	for i := range f.m {
		x[i*f.m+i] = 1
	}
	f.solveRows(x, func(j, w int) int { return j + w }) // what is below stays zero
}

// solveTransposed replaces X, n x m, by X L^-ᵀ.
func (f *cholesky) solveTransposed(x []float64, n int) {
	f.solveRows(x, func(int, int) int { return n })
}

// solveRows is X <- X L^-ᵀ on as many rows as columns j..j+w of X have.
func (f *cholesky) solveRows(x []float64, rows func(j, w int) int) {
	m := f.m
	for j := 0; j < m; j += choleskyBlock {
		w := min(choleskyBlock, m-j)
		n := rows(j, w)
		if j > 0 {
			f.ws.products.Gemm(
				blas.NoTrans,
				blas.Trans,
				-1,
				part(x, m, 0, 0, n, j),
				part(f.l, m, j, 0, w, j),
				1,
				part(x, m, 0, j, n, w),
			)
		}
		f.scaleColumns(x, 0, j, n, w, blas.Trans)
	}
}

// solve replaces X, n x m, by X L^-1.
func (f *cholesky) solve(x []float64, n int) {
	m := f.m
	for j := (m - 1) / choleskyBlock * choleskyBlock; j >= 0; j -= choleskyBlock {
		w := min(choleskyBlock, m-j)
		if k := m - j - w; k > 0 {
			f.ws.products.Gemm(
				blas.NoTrans,
				blas.NoTrans,
				-1,
				part(x, m, 0, j+w, n, k),
				part(f.l, m, j+w, j, k, w),
				1,
				part(x, m, 0, j, n, w),
			)
		}
		f.scaleColumns(x, 0, j, n, w, blas.NoTrans)
	}
}
