package elementary

import "math"

// ln 2 to 150 bits; products of the first part with integers up to 2^11 are exact.
const (
	ln2First  = 0x1.62e42fefa38p-1
	ln2Second = 0x1.ef35793c76p-45
	ln2Third  = 0x1.cc01f97b57a08p-87
)

// 1/n! for n = 3, 4, 5: where the leading part stops short.
var (
	third  = double{0x1.5555555555555p-3, 0x1.5555555555555p-57}
	fourth = double{0x1.5555555555555p-5, 0x1.5555555555555p-59}
	fifth  = double{0x1.1111111111111p-7, 0x1.1111111111111p-63}
)

// Exp returns eˣ.
func Exp(x float64) float64 { return exp(double{x, 0}) }

// Expm1 returns eˣ - 1.
func Expm1(x float64) float64 {
	switch {
	case x == 0:
		return x
	case math.Abs(x) < 0.34:
		return lessOne(double{x, 0}).value()
	case !(math.Abs(x) < 64):
		return Exp(x) - 1
	}
	e, k := expDouble(double{x, 0})
	return double{math.Ldexp(e.high, k), math.Ldexp(e.low, k)}.add(double{-1, 0}).value()
}

// exp returns eˣ.
func exp(x double) float64 {
	switch {
	case x.high != x.high:
		return x.high
	case x.high > 709.8:
		return math.Inf(1)
	case x.high < -745.2:
		return 0
	}
	e, k := expDouble(x)
	return math.Ldexp(e.value(), k)
}

// expDouble returns eˣ as e·2ᵏ: x = k ln 2 + r with |r| <= ln(2)/2.
func expDouble(x double) (e double, power int) {
	k := math.Floor(float64(x.high*math.Log2E) + 0.5)
	r := exactSum(x.high-float64(k*ln2First), -float64(k*ln2Second))
	r = r.add(double{x.low, -float64(k * ln2Third)})
	return double{1, 0}.add(lessOne(r)), int(k)
}

// lessOne returns eʳ - 1 for |r| < 0.35 by its Taylor series, whose first terms are doubles.
func lessOne(r double) double {
	tail := 0.0
	for n := 19.0; n >= 6; n-- {
		tail = (1 + float64(tail*r.high)) / n
	}
	// tail is (r⁰/6! + r¹/7! + ...)·5!
	s := double{float64(tail * r.high), 0}.times(fifth).add(fifth)
	s = s.times(r).add(fourth).times(r).add(third).times(r)
	s = s.add(double{0.5, 0}).times(r).add(double{1, 0})
	return s.times(r)
}
