package solver

import "math"

// The standard library's Exp, and Pow through it, depend on whether the CPU has FMA; these
// functions do not.

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// exp is eˣ to about an ulp: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp(x float64) float64 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	switch {
	case x != x:
		return x
	case x > 709.79:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := (x - float64(k*ln2High)) - float64(k*ln2Low)
	sum := 1.0
	for n := 14.0; n >= 1; n-- {
		sum = 1 + float64(sum*(r/n))
	}
	return math.Ldexp(sum, int(k))
}

// pow is xᵖ for x > 0: the nearest integer power by squaring, the rest by exp and log.
func pow(x, p float64) float64 {
	if p == 0.5 {
		return math.Sqrt(x)
	}
	whole := math.Floor(math.Abs(p) + 0.5)
	rest := math.Abs(p) - whole
	if whole > 64 {
		whole, rest = 0, math.Abs(p)
	}
	y := 1.0
	if rest != 0 {
		y = exp(rest * math.Log(x))
	}
	for n, square := int(whole), x; n > 0; n, square = n>>1, square*square {
		if n&1 == 1 {
			y *= square
		}
	}
	if p < 0 {
		return 1 / y
	}
	return y
}

// sign is -1, 0 or 1, and NaN of NaN.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
