package solver

// lanes8 holds the partial sums p_j over indices ≡ j mod 8.
type lanes8 [8]float64

// total is the fixed tree over the partial sums: a sum does not depend on the number of lanes.
func (p *lanes8) total() float64 {
	return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
}

// dot is Σ x_i y_i.
func dot(x, y []float64) float64 {
	var sum lanes8
	y = y[:len(x)]
	i := 0
	for ; i+8 <= len(x); i += 8 {
		a, b := x[i:i+8:i+8], y[i:i+8:i+8]
		sum[0] += float64(a[0] * b[0])
		sum[1] += float64(a[1] * b[1])
		sum[2] += float64(a[2] * b[2])
		sum[3] += float64(a[3] * b[3])
		sum[4] += float64(a[4] * b[4])
		sum[5] += float64(a[5] * b[5])
		sum[6] += float64(a[6] * b[6])
		sum[7] += float64(a[7] * b[7])
	}
	for ; i < len(x); i++ {
		sum[i&7] += float64(x[i] * y[i])
	}
	return sum.total()
}

func fill(dst []float64, x float64) {
	for i := range dst {
		dst[i] = x
	}
}
