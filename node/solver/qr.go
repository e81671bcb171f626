package solver

import (
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// foldedQR computes R of the QR decomposition of a tall matrix that is added by rows.
type foldedQR struct {
	a    blas64.General // R on top, then fresh rows
	rows int            // in use
	tau  []float64
	work []float64
}

// newFoldedQR returns a decomposition that buffers the given number of rows.
func newFoldedQR(columns, fresh int, ws *workspace) *foldedQR {
	n := columns + fresh
	q := &foldedQR{
		a:   blas64.General{Rows: n, Cols: columns, Stride: columns, Data: ws.take(n * columns)},
		tau: ws.take(columns),
	}
	var size [1]float64
	lapack64.Geqrf(q.a, q.tau, size[:], -1)
	q.work = ws.take(int(size[0]))
	return q
}

// reset starts another matrix.
func (q *foldedQR) reset() { q.rows = 0 }

// add adds a row.
func (q *foldedQR) add(row []float64) {
	if q.rows == q.a.Rows {
		q.fold()
	}
	copy(q.a.Data[q.rows*q.a.Cols:], row)
	q.rows++
}

// fold replaces the rows by their R.
func (q *foldedQR) fold() {
	n, c := q.a.Rows, q.a.Cols
	clear(q.a.Data[q.rows*c:])
	lapack64.Geqrf(q.a, q.tau, q.work, len(q.work))
	for i := 1; i < n; i++ {
		clear(q.a.Data[i*c : i*c+min(i, c)])
	}
	q.rows = c
}

// factor returns R, columns x columns, of all rows. It is valid until the next add.
func (q *foldedQR) factor() []float64 {
	q.fold()
	return q.a.Data[:q.a.Cols*q.a.Cols]
}
