package elementary

import "math"

// 2/n for n = 3, 5, 7.
var (
	twoThirds   = Double{0x1.5555555555555p-1, 0x1.5555555555555p-55}
	twoFifths   = Double{0x1.999999999999ap-2, -0x1.999999999999ap-56}
	twoSevenths = Double{0x1.2492492492492p-2, 0x1.2492492492492p-56}
)

// Log returns the natural logarithm.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	return log(x).Value()
}

// log is the logarithm of a finite x > 0: x = 2ᵏ m with √½ <= m < √2, and ln m = 2 artanh s for s =
// (m-1)/(m+1), whose first terms are doubles.
func log(x float64) Double {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = float64(2*m), k-1
	}
	s := Double{m - 1, 0}.Over(Sum(m, 1))
	s2 := s.Times(s)
	tail := 0.0
	for n := 33.0; n >= 9; n -= 2 {
		tail = 2/n + float64(tail*s2.High)
	}
	t := Double{float64(tail * s2.High), 0}.Add(twoSevenths)
	t = t.Times(s2).Add(twoFifths).Times(s2).Add(twoThirds).Times(s2).Add(Double{2, 0}).Times(s)
	if k == 0 {
		return t
	}
	whole := float64(k)
	high := Double{float64(whole * ln2First), float64(whole * ln2Third)}
	return high.Add(Double{float64(whole * ln2Second), 0}).Add(t)
}

// Pow returns xᵖ. Special cases are those of math.Pow.
func Pow(x, p float64) float64 {
	switch {
	case p == 0 || x == 1:
		return 1
	case x != x || p != p:
		return math.NaN()
	case x == 0 || math.Abs(x) > math.MaxFloat64 || math.Abs(p) > math.MaxFloat64:
		return math.Pow(x, p) // 0, 1 or infinite
	case x < 0 && p != math.Trunc(p):
		return math.NaN()
	}
	const huge = 0x1p70 // beyond it powers of all x but ±1 are 0 or infinite
	y := exp(log(math.Abs(x)).Times(Double{max(-huge, min(p, huge)), 0}))
	if x < 0 && math.Abs(p) < 1<<53 && math.Mod(p, 2) != 0 {
		return -y
	}
	return y
}
