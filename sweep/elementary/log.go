package elementary

import "math"

// 2/n for n = 3, 5, 7.
var (
	twoThirds   = double{0x1.5555555555555p-1, 0x1.5555555555555p-55}
	twoFifths   = double{0x1.999999999999ap-2, -0x1.999999999999ap-56}
	twoSevenths = double{0x1.2492492492492p-2, 0x1.2492492492492p-56}
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
	return log(x).value()
}

// log is the logarithm of a finite x > 0: x = 2ᵏ m with √½ <= m < √2, and ln m = 2 artanh s for s =
// (m-1)/(m+1), whose first terms are doubles.
func log(x float64) double {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = float64(2*m), k-1
	}
	s := double{m - 1, 0}.over(exactSum(m, 1))
	s2 := s.times(s)
	tail := 0.0
	for n := 33.0; n >= 9; n -= 2 {
		tail = 2/n + float64(tail*s2.high)
	}
	t := double{float64(tail * s2.high), 0}.add(twoSevenths)
	t = t.times(s2).add(twoFifths).times(s2).add(twoThirds).times(s2).add(double{2, 0}).times(s)
	if k == 0 {
		return t
	}
	whole := float64(k)
	high := double{float64(whole * ln2First), float64(whole * ln2Third)}
	return high.add(double{float64(whole * ln2Second), 0}).add(t)
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
	y := exp(log(math.Abs(x)).times(double{max(-huge, min(p, huge)), 0}))
	if x < 0 && math.Abs(p) < 1<<53 && math.Mod(p, 2) != 0 {
		return -y
	}
	return y
}
