package simd

import "math"

var infinity = math.Inf(1)

// artanhTerms are those of (2 artanh(s) - 2s)/s³ in powers of s², expTerms those of (eˣ - 1 -
// x)/x². Constants of the kernels, never written. The heap aligns them: a row of a global variable
// may straddle two cache lines, which takes powers half as long again.
var (
	artanhTerms = series(func(k float64) float64 { return 2 / (2*k + 3) })
	expTerms    = series(func(k float64) float64 { return 1 / math.Gamma(k+3) })
)

func series(term func(k float64) float64) *[12]row {
	c := new([12]row)
	for k := range c {
		c[k] = broadcast(term(float64(k)))
	}
	return c
}
