package elementary

import "math"

// Double is the number High + Low, |Low| at most half an ulp of High, with about 104 bits: sums and
// products of Dekker, A floating-point technique for extending the available precision, 1971.
type Double struct{ High, Low float64 }

// sum is a + b for |a| >= |b|, or a = 0.
func sum(a, b float64) Double {
	s := a + b
	return Double{s, b - (s - a)}
}

// Sum is a + b, exactly (Knuth).
func Sum(a, b float64) Double {
	s := a + b
	t := s - a
	return Double{s, (a - (s - t)) + (b - t)}
}

// product is a·b.
func product(a, b float64) Double {
	p := float64(a * b)
	return Double{p, math.FMA(a, b, -p)}
}

// Add is x + y.
func (x Double) Add(y Double) Double {
	s := Sum(x.High, y.High)
	return sum(s.High, s.Low+(x.Low+y.Low))
}

// Times is x·y.
func (x Double) Times(y Double) Double {
	p := product(x.High, y.High)
	return sum(p.High, p.Low+(float64(x.High*y.Low)+float64(x.Low*y.High)))
}

// Over is x/y.
func (x Double) Over(y Double) Double {
	q := x.High / y.High
	p := Double{q, 0}.Times(y)
	rest := ((x.High - p.High) - p.Low) + x.Low
	return sum(q, rest/y.High)
}

// Minus is -x.
func (x Double) Minus() Double { return Double{-x.High, -x.Low} }

// Sqrt is the square root of x > 0.
func (x Double) Sqrt() Double {
	r := math.Sqrt(x.High)
	p := product(r, r)
	return sum(r, ((x.High-p.High)-p.Low+x.Low)/(2*r))
}

// Log is the natural logarithm of x > 0, to about 70 bits.
func (x Double) Log() Double {
	return log(x.High).Add(Double{x.Low / x.High, 0})
}

// Exp is e^x for |x| < 700, to about 70 bits.
func (x Double) Exp() Double {
	e, k := expDouble(x)
	return Double{math.Ldexp(e.High, k), math.Ldexp(e.Low, k)}
}

// Value rounds to a float64.
func (x Double) Value() float64 { return x.High + x.Low }
