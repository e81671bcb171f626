package elementary

import "math"

// double is the number high + low, |low| at most half an ulp of high, with about 104 bits: sums and
// products of Dekker, A floating-point technique for extending the available precision, 1971.
type double struct{ high, low float64 }

// sum is a + b for |a| >= |b|, or a = 0.
func sum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

// exactSum is a + b (Knuth).
func exactSum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

// product is a·b.
func product(a, b float64) double {
	p := float64(a * b)
	return double{p, math.FMA(a, b, -p)}
}

func (x double) add(y double) double {
	s := exactSum(x.high, y.high)
	return sum(s.high, s.low+(x.low+y.low))
}

func (x double) times(y double) double {
	p := product(x.high, y.high)
	return sum(p.high, p.low+(float64(x.high*y.low)+float64(x.low*y.high)))
}

func (x double) over(y double) double {
	q := x.high / y.high
	p := double{q, 0}.times(y)
	rest := ((x.high - p.high) - p.low) + x.low
	return sum(q, rest/y.high)
}

// value rounds to a float64.
func (x double) value() float64 { return x.high + x.low }
