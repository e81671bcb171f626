package simd

import (
	"math"
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Widths of the panels of an elimination. They decide bits: blocks depend on n alone, and a strip
// is as wide as a tile of a product.
const (
	stripWidth = tileCols
	fewRows    = 320 // up to which blocks of 32 columns are better than blocks of 64
)

// InvertTransposed stores the inverse of the transpose of the square A in dst, with its rows in
// another order: row i of dst is row order[i] of it. A is overwritten, order is the Multiplier's
// memory. The method is Gauss-Jordan elimination in place with row interchanges. Nearly all of its
// 2n³ operations are those of products: a strip of columns is eliminated one by one, the strips of
// a block by products within the block, the blocks by products within A. It returns false where a
// pivot is 0 or not finite.
func (m *Multiplier) InvertTransposed(dst, a blas64.General) (order []int, ok bool) {
	n, width := a.Rows, 32
	if n > fewRows {
		width = 64
	}
	m.order = grow(m.order, n)
	for i := range m.order {
		m.order[i] = i
	}
	m.strip = grow(m.strip, n*stripWidth)
	m.rows = grow(m.rows, width*n)
	for k := 0; k < n; k += width {
		w := min(width, n-k)
		for j := k; j < k+w; j += stripWidth {
			v := min(stripWidth, k+w-j)
			if !m.eliminateStrip(a, j, v) {
				return nil, false
			}
			m.apply(columns(a, j, j+v), j, columns(a, k, j), columns(a, j+v, k+w))
		}
		m.apply(columns(a, k, k+w), k, columns(a, 0, k), columns(a, k+w, n))
	}
	// The inverse of a matrix with its rows in another order has its columns in that order.
	transposeInto(m.kernel, dst.Data, dst.Stride, a.Data, a.Stride, n, n)
	return m.order, true
}

// eliminateStrip turns w columns of A from j on into what their elimination does to the others: D⁻¹
// in the rows of the pivots, where D is the pivots' rows and columns, and -A D⁻¹ in the rest. The
// other columns have their rows interchanged alone.
func (m *Multiplier) eliminateStrip(a blas64.General, j, w int) bool {
	strip := blas64.General{Rows: a.Rows, Cols: w, Stride: stripWidth, Data: m.strip}
	if w < stripWidth {
		clear(m.strip)
	}
	m.copyColumns(strip, columns(a, j, j+w))
	for c := range w {
		to := j + c
		pivot, largest := m.pivot(to, c)
		if !(largest > 0) || math.IsInf(largest, 1) {
			return false
		}
		if pivot != to {
			m.swap(strip, pivot, to)
			m.swap(a, pivot, to)
			m.order[pivot], m.order[to] = m.order[to], m.order[pivot]
		}
		eliminate(m.kernel, m.strip, to, c)
	}
	m.copyColumns(columns(a, j, j+w), strip)
	return true
}

// pivot finds the largest element of a column of the strip from a row on, NaN if there is one. The
// size of a number orders its bits, and two passes without a branch on data are faster than one
// that remembers where it was.
func (m *Multiplier) pivot(from, column int) (row int, largest float64) {
	const sign = 1 << 63
	const step = 8 * stripWidth
	first := unsafe.Pointer(&m.strip[from*stripWidth+column])
	rows := len(m.strip)/stripWidth - from
	var top uint64
	for i := range rows {
		top = max(top, *(*uint64)(unsafe.Add(first, i*step))&^sign)
	}
	i := 0
	for *(*uint64)(unsafe.Add(first, i*step))&^sign != top {
		i++
	}
	return from + i, math.Float64frombits(top)
}

// apply adds panel · R to each of the other columns, R being their rows from k on, as many as the
// panel has columns, which are then taken as 0.
func (m *Multiplier) apply(panel blas64.General, k int, others ...blas64.General) {
	for _, c := range others {
		if c.Cols == 0 {
			continue
		}
		r := blas64.General{Rows: panel.Cols, Cols: c.Cols, Stride: c.Cols, Data: m.rows}
		for i := range r.Rows {
			row := c.Data[(k+i)*c.Stride:][:c.Cols]
			copy(r.Data[i*r.Stride:], row)
			clear(row)
		}
		m.Gemm(blas.NoTrans, blas.NoTrans, 1, panel, r, 1, c)
	}
}

// columns is the part of A from one column to another.
func columns(a blas64.General, from, to int) blas64.General {
	if from == to {
		return blas64.General{}
	}
	return blas64.General{Rows: a.Rows, Cols: to - from, Stride: a.Stride, Data: a.Data[from:]}
}

func (m *Multiplier) copyColumns(dst, src blas64.General) {
	if w := dst.Cols; w%8 != 0 {
		for i := range dst.Rows {
			copy(dst.Data[i*dst.Stride:][:w], src.Data[i*src.Stride:])
		}
		return
	}
	copyRows(m.kernel, &dst.Data[0], dst.Stride, &src.Data[0], src.Stride, dst.Cols, dst.Rows)
}

func (m *Multiplier) swap(a blas64.General, i, j int) {
	x, y := a.Data[i*a.Stride:][:a.Cols], a.Data[j*a.Stride:][:a.Cols]
	n := len(x) &^ 7
	exchange(m.kernel, x[:n], y[:n])
	for l := n; l < len(x); l++ {
		x[l], y[l] = y[l], x[l]
	}
}
