package simd

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Invert replaces the square A by its inverse: Gauss and Jordan's elimination in place, with row interchanges, a panel of columns at
// a time, so that nearly all of its 2n³ operations are those of products. It returns false, and A in pieces, where a pivot is 0 or
// not finite.
func (m *Multiplier) Invert(a blas64.General) bool {
	n := a.Rows
	width := 32 // a power of two times the width of a vector, chosen by n alone because it decides bits
	if n > 320 {
		width = 64
	}
	m.order = grow(m.order, n)
	for i := range m.order {
		m.order[i] = i
	}
	m.panel = grow(m.panel, n*width)
	m.rows = grow(m.rows, width*n)
	for k := 0; k < n; k += width {
		w := min(width, n-k)
		m.takePanel(a, k, w, width)
		if !m.eliminatePanel(a, k, w, width) {
			return false
		}
		m.updateBeside(a, k, w, width)
		for i := range n {
			copy(a.Data[i*a.Stride+k:][:w], m.panel[i*width:])
		}
	}
	m.restoreColumns(a)
	return true
}

// takePanel copies columns k..k+w of A into the panel, zero-padded to width.
func (m *Multiplier) takePanel(a blas64.General, k, w, width int) {
	clear(m.panel)
	for i := range a.Rows {
		copy(m.panel[i*width:][:w], a.Data[i*a.Stride+k:])
	}
}

// eliminatePanel turns the panel into what its columns' elimination does to the others: D⁻¹ in rows k..k+w, where D are the pivots'
// rows and columns, and -A D⁻¹ in the rest. The rows of A are interchanged with the panel's.
func (m *Multiplier) eliminatePanel(a blas64.General, k, w, width int) bool {
	for j := range w {
		pivot, largest := 0, -1.0
		for i := k + j; i < a.Rows; i++ {
			if x := math.Abs(m.panel[i*width+j]); x > largest {
				pivot, largest = i, x
			}
		}
		if !(largest > 0) || math.IsInf(largest, 1) {
			return false
		}
		if to := k + j; pivot != to {
			swap(m.panel[pivot*width:][:width], m.panel[to*width:][:width])
			swap(a.Data[pivot*a.Stride:][:a.Cols], a.Data[to*a.Stride:][:a.Cols])
			m.order[pivot], m.order[to] = m.order[to], m.order[pivot]
		}
		eliminate(m.kernel, m.panel, width, k+j, j)
	}
	return true
}

// updateBeside applies the panel to the columns left and right of it.
func (m *Multiplier) updateBeside(a blas64.General, k, w, width int) {
	n := a.Rows
	for r := range w {
		row := a.Data[(k+r)*a.Stride:][:n]
		copy(m.rows[r*n:][:n], row)
		clear(row)
	}
	panel := blas64.General{Rows: n, Cols: w, Stride: width, Data: m.panel}
	for _, side := range [2][2]int{{0, k}, {k + w, n}} {
		if from, to := side[0], side[1]; from < to {
			rows := blas64.General{Rows: w, Cols: to - from, Stride: n, Data: m.rows[from:]}
			m.Gemm(blas.NoTrans, blas.NoTrans, 1, panel, rows, 1, blas64.General{Rows: n, Cols: to - from, Stride: a.Stride, Data: a.Data[from:]})
		}
	}
}

// restoreColumns undoes the interchanges: the inverse of a matrix with its rows in another order has its columns in that order.
func (m *Multiplier) restoreColumns(a blas64.General) {
	row := m.rows[:a.Rows]
	for i := range a.Rows {
		from := a.Data[i*a.Stride:][:a.Cols]
		for j, to := range m.order {
			row[to] = from[j]
		}
		copy(from, row)
	}
}

func swap(x, y []float64) {
	for i, v := range x {
		x[i], y[i] = y[i], v
	}
}
