package solver

// secondLayer is D = diag(1, ..., 1, -1, ..., -1) of m units, of which the last ones are negative.
type secondLayer struct{ m, negative int }

// sum is xᵀDx.
func (l secondLayer) sum(x []float64) float64 {
	var sum lanes8
	for j, y := range x {
		sum[j&7] += l.signed(j, float64(y*y))
	}
	return sum.total()
}

// trace is tr DS.
func (l secondLayer) trace(s []float64) float64 {
	var sum lanes8
	for i := range l.m {
		sum[i&7] += l.signed(i, s[i*l.m+i])
	}
	return sum.total()
}

// square is tr DSDS for a symmetric S.
func (l secondLayer) square(s []float64) float64 {
	var sum lanes8
	for i, x := range s {
		sum[i&7] += l.signed(i/l.m, l.signed(i%l.m, float64(x*x)))
	}
	return sum.total()
}

// signed is D_jj x.
func (l secondLayer) signed(j int, x float64) float64 {
	if j >= l.m-l.negative {
		return -x
	}
	return x
}

// flipRows stores DA in place of A, m x m.
func (l secondLayer) flipRows(a []float64) { negate(a[(l.m-l.negative)*l.m:]) }

// flipColumns stores AD in place of A, n x m.
func (l secondLayer) flipColumns(a []float64) {
	if l.negative == 0 {
		return
	}
	for at := l.m - l.negative; at < len(a); at += l.m {
		negate(a[at : at+l.negative])
	}
}

func negate(x []float64) {
	for i := range x {
		x[i] = -x[i]
	}
}
