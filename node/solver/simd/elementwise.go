package simd

import "math"

// lanes8 holds the partial sums p_j over indices ≡ j mod 8.
type lanes8 [8]float64

// total is the fixed tree over the partial sums: a sum does not depend on the width of vectors.
func (p *lanes8) total() float64 {
	return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
}

// Dot returns Σ x_i y_i: products rounded, eight strided partial sums, and the tree over them. y is
// at least as long as x.
func (k Kernel) Dot(x, y []float64) float64 {
	var sum lanes8
	y = y[:len(x)]
	n := len(x) &^ 7
	dot(k, &sum, x[:n], y[:n])
	for i := n; i < len(x); i++ {
		sum[i&7] += float64(x[i] * y[i])
	}
	return sum.total()
}

// SumSquares returns Σ x_i², summed as Dot sums.
func (k Kernel) SumSquares(x []float64) float64 { return k.Dot(x, x) }

// Largest returns max |x_i|, NaN if one is NaN, and 0 for no x.
func (k Kernel) Largest(x []float64) float64 {
	n := len(x) &^ 7
	top := largest(k, x[:n])
	for _, v := range x[n:] {
		top = max(top, math.Abs(v))
	}
	return top
}

// Scale stores a·x in x.
func (k Kernel) Scale(a float64, x []float64) {
	n := len(x) &^ 7
	scale(k, a, x[:n])
	for i := n; i < len(x); i++ {
		x[i] = float64(a * x[i])
	}
}

// Combine stores a·x + b·y in dst, each product rounded. dst may be x or y.
func (k Kernel) Combine(dst []float64, a float64, x []float64, b float64, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	n := len(dst) &^ 7
	combine(k, dst[:n], a, x, b, y)
	for i := n; i < len(dst); i++ {
		dst[i] = float64(a*x[i]) + float64(b*y[i])
	}
}

func dot64(sum *lanes8, x, y []float64) {
	for i := 0; i+8 <= len(x); i += 8 {
		a, b := (*[8]float64)(x[i:]), (*[8]float64)(y[i:])
		for j := range a {
			sum[j] += float64(a[j] * b[j])
		}
	}
}

func largest64(x []float64) float64 {
	top := 0.0
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	return top
}

func scale64(a float64, x []float64) {
	for i, v := range x {
		x[i] = float64(a * v)
	}
}

func combine64(dst []float64, a float64, x []float64, b float64, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = float64(a*x[i]) + float64(b*y[i])
	}
}
