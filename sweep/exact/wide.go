package exact

import (
	"math"
	"math/big"
	"math/bits"
)

// wide is an integer of 128 bits in two's complement. Axis entries are computed on it rather than
// on floating point: the bits of the result are the same on every architecture.
type wide struct{ high, low uint64 }

// newWide takes x, which must be below 2^127 in magnitude.
func newWide(x *big.Int) wide {
	var buffer [16]byte
	x.FillBytes(buffer[:]) // of the magnitude
	var w wide
	for _, b := range buffer {
		w = wide{w.high<<8 | w.low>>56, w.low<<8 | uint64(b)}
	}
	if x.Sign() < 0 {
		return wide{}.minus(w)
	}
	return w
}

func (w wide) plus(v wide) wide {
	low, carry := bits.Add64(w.low, v.low, 0)
	high, _ := bits.Add64(w.high, v.high, carry)
	return wide{high, low}
}

func (w wide) minus(v wide) wide {
	low, borrow := bits.Sub64(w.low, v.low, 0)
	high, _ := bits.Sub64(w.high, v.high, borrow)
	return wide{high, low}
}

// times is w·n modulo 2^128.
func (w wide) times(n uint64) wide {
	carry, low := bits.Mul64(w.low, n)
	return wide{w.high*n + carry, low}
}

// float is the float64 nearest to w·2^exp, ties to even; it is never a negative zero.
func (w wide) float(exp int) float64 {
	sign := w.high &^ math.MaxInt64
	if sign != 0 {
		w = wide{}.minus(w)
	}
	if w.high == 0 {
		w, exp = wide{w.low, 0}, exp-64
	}
	if w.high == 0 {
		return 0
	}
	shift := bits.LeadingZeros64(w.high)
	w = wide{w.high<<shift | w.low>>(64-shift), w.low << shift}
	exp += 127 - shift // the value is in [2^exp, 2^(exp+1))
	if exp > 1023 {
		return math.Inf(1 - 2*int(sign>>63))
	}
	// The 53 bits of a float64 stand in the upper word, fewer for a subnormal number.
	exponent, drop := uint64(1), 11
	if exp >= -1022 {
		exponent = uint64(exp + 1023)
	} else {
		drop += -1022 - exp
	}
	if drop > 64 {
		return 0 // below half the smallest number
	}
	kept, rest := w.high>>drop, w.high<<(64-drop)
	const half = 1 << 63
	if rest > half || rest == half && (w.low != 0 || kept&1 == 1) {
		kept++
	}
	if kept == 0 {
		return 0
	}
	// A kept of 53 bits adds 1 to the exponent, so does the carry out of them, up to that of
	// infinity.
	return math.Float64frombits(sign | ((exponent-1)<<52 + kept))
}

// between is the float64 that every number from low·2^exp to high·2^exp rounds to; decided is false
// where there is none. Rounding is monotone, so the ends decide.
func between(low, high wide, exp int) (f float64, decided bool) {
	f = low.float(exp)
	return f, f == high.float(exp)
}

// mantissaBits is the length of the mantissa of a wideFloat: two bits are left for sign and carry.
const mantissaBits = 126

// wideFloat is a positive number: mantissa·2^exp with a mantissa from 2^125 to 2^126 - 1.
type wideFloat struct {
	mantissa wide
	exp      int
}

// newWideFloat is the largest wideFloat up to x.
func newWideFloat(x *big.Float) wideFloat {
	var f big.Float
	exp := x.MantExp(&f) - mantissaBits
	mantissa, _ := f.SetMantExp(&f, mantissaBits).Int(nil)
	return wideFloat{newWide(mantissa), exp}
}

// times is the largest wideFloat up to the product, less than 1 unit of its mantissa below it.
func (f wideFloat) times(g wideFloat) wideFloat {
	x, y := f.mantissa, g.mantissa
	high, low := bits.Mul64(x.high, y.high)
	crossHigh, crossLow := bits.Mul64(x.high, y.low)
	otherHigh, otherLow := bits.Mul64(x.low, y.high)
	third, _ := bits.Mul64(x.low, y.low)
	third, carry := bits.Add64(third, crossLow, 0)
	product := wide{high, low}.plus(wide{0, crossHigh}).plus(wide{0, carry})
	third, carry = bits.Add64(third, otherLow, 0)
	product = product.plus(wide{0, otherHigh}).plus(wide{0, carry})
	// The product is in [2^250, 2^252): its upper 128 bits are in [2^122, 2^124).
	shift := bits.LeadingZeros64(product.high) - 2
	return wideFloat{
		wide{product.high<<shift | product.low>>(64-shift), product.low<<shift | third>>(64-shift)},
		f.exp + g.exp + 128 - shift,
	}
}
