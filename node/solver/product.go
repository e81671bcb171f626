package solver

import "math"

// Matrices are slices by rows. An element of a product is one fused chain over k in order, whatever the loops.

// multiply stores C = A B, with A n x k, B k x m.
func multiply(c, a, b []float64, n, k, m int) {
	for i := range n {
		row := c[i*m : (i+1)*m]
		clear(row)
		for l := range k {
			axpy(row, a[i*k+l], b[l*m:(l+1)*m])
		}
	}
}

// multiplyTransposed stores C = Aᵀ B, with A k x n, B k x m.
func multiplyTransposed(c, a, b []float64, n, k, m int) {
	clear(c[:n*m])
	for l := range k {
		from := b[l*m : (l+1)*m]
		for i, x := range a[l*n : (l+1)*n] {
			axpy(c[i*m:(i+1)*m], x, from)
		}
	}
}

// gram stores C = AᵀB, m x m, for A and B k x m whose product is symmetric: the upper half is computed and mirrored.
func gram(c, a, b []float64, k, m int) {
	clear(c[:m*m])
	for l := range k {
		from := b[l*m : (l+1)*m]
		for i, x := range a[l*m : (l+1)*m] {
			axpy(c[i*m+i:(i+1)*m], x, from[i:])
		}
	}
	for i := range m {
		for j := range i {
			c[i*m+j] = c[j*m+i]
		}
	}
}

// combine stores y = Aᵀx, with A k x m.
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

// gramRows stores C = A Bᵀ, n x n, for A and B n x m whose product is symmetric: the upper half is computed and mirrored.
func gramRows(c, a, b []float64, n, m int) {
	for i := range n {
		x := a[i*m : (i+1)*m]
		for j := i; j < n; j++ {
			sum := 0.0
			for l, y := range b[j*m : (j+1)*m] {
				sum = math.FMA(x[l], y, sum)
			}
			c[i*n+j], c[j*n+i] = sum, sum
		}
	}
}
