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
	third  = Double{0x1.5555555555555p-3, 0x1.5555555555555p-57}
	fourth = Double{0x1.5555555555555p-5, 0x1.5555555555555p-59}
	fifth  = Double{0x1.1111111111111p-7, 0x1.1111111111111p-63}
)

// Exp returns eˣ.
func Exp(x float64) float64 { return exp(Double{x, 0}) }

// Expm1 returns eˣ - 1.
func Expm1(x float64) float64 {
	switch {
	case x == 0:
		return x
	case math.Abs(x) < 0.34:
		return lessOne(Double{x, 0}).Value()
	case !(math.Abs(x) < 64):
		return Exp(x) - 1
	}
	return Double{x, 0}.Exp().Add(Double{-1, 0}).Value()
}

// exp returns eˣ.
func exp(x Double) float64 {
	switch {
	case x.High != x.High:
		return x.High
	case x.High > 709.8:
		return math.Inf(1)
	case x.High < -745.2:
		return 0
	}
	e, k := expDouble(x)
	return math.Ldexp(e.Value(), k)
}

// expDouble returns eˣ as e·2ᵏ: x = k ln 2 + r with |r| <= ln(2)/2.
func expDouble(x Double) (e Double, power int) {
	k := math.Floor(float64(x.High*math.Log2E) + 0.5)
	r := Sum(x.High-float64(k*ln2First), -float64(k*ln2Second))
	r = r.Add(Double{x.Low, -float64(k * ln2Third)})
	return Double{1, 0}.Add(lessOne(r)), int(k)
}

// lessOne returns eʳ - 1 for |r| < 0.35 by its Taylor series, whose first terms are doubles.
func lessOne(r Double) Double {
	tail := 0.0
	for n := 19.0; n >= 6; n-- {
		tail = (1 + float64(tail*r.High)) / n
	}
	// tail is (r⁰/6! + r¹/7! + ...)·5!
	s := Double{float64(tail * r.High), 0}.Times(fifth).Add(fifth)
	s = s.Times(r).Add(fourth).Times(r).Add(third).Times(r)
	s = s.Add(Double{0.5, 0}).Times(r).Add(Double{1, 0})
	return s.Times(r)
}
