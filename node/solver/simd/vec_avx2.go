//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

const (
	width256 = 4
	all1s256 = 0x0f // as many bits as a vector has lanes
)

type (
	vec256  = archsimd.Float64x4
	mask256 = archsimd.Mask64x4
)

// row256 is as much of a row as the kernel takes at once.
type row256 struct {
	v vec256
	_ [4]float64
}

// at256 loads the i-th vector from p, put256 stores it, all256 broadcasts the float64 at p. Loads
// and stores are pointer casts because archsimd's take arrays in Go 1.26 and slices in Go 1.27.
func at256(p unsafe.Pointer, i int) vec256     { return *(*vec256)(unsafe.Add(p, 32*i)) }
func put256(v vec256, p unsafe.Pointer, i int) { *(*vec256)(unsafe.Add(p, 32*i)) = v }
func all256(p unsafe.Pointer) vec256           { return archsimd.BroadcastFloat64x4(*(*float64)(p)) }

// set256 fills a vector with x.
func set256(x float64) vec256 { return archsimd.BroadcastFloat64x4(x) }

// abs256 clears the signs.
func abs256(v vec256) vec256 {
	return v.AsInt64x4().And(archsimd.BroadcastInt64x4(math.MaxInt64)).AsFloat64x4()
}

// done256 spares the SSE code that follows a false dependency on the vectors' upper parts.
func done256() { archsimd.ClearAVXUpperBits() }

// and256 keeps the bits of x that are set in mask.
func and256(x, mask vec256) vec256 {
	return x.AsInt64x4().And(mask.AsInt64x4()).AsFloat64x4()
}

// or256 joins the bits, negative256 reports where the sign bit is set.
func or256(x, y vec256) vec256 {
	return x.AsInt64x4().Or(y.AsInt64x4()).AsFloat64x4()
}

func negative256(x vec256) mask256 {
	var zero archsimd.Int64x4
	return x.AsInt64x4().Less(zero)
}

// flip256 is x with its sign changed where y's is set.
func flip256(x, y vec256) vec256 {
	return x.AsInt64x4().Xor(y.AsInt64x4().And(archsimd.BroadcastInt64x4(math.MinInt64))).AsFloat64x4()
}

// exponent256 is the e and mantissa256 the m of x = 2^e m, 1 <= m < 2, for normal x > 0.
func exponent256(x vec256) vec256 {
	const magic = 1 << 52
	e := x.AsUint64x4().ShiftAllRight(52).Or(set256(magic).AsUint64x4()).AsFloat64x4()
	return e.Sub(set256(magic + 1023))
}

func mantissa256(x vec256) vec256 {
	return x.AsUint64x4().And(archsimd.BroadcastUint64x4(1<<52 - 1)).Or(set256(1).AsUint64x4()).AsFloat64x4()
}

// round256 rounds |x| < 2^51 to an integer, half to even.
func round256(x vec256) vec256 {
	const magic = 3 << 51
	return x.Add(set256(magic)).Sub(set256(magic))
}

// twoTo256 is 2^k for integers -1022 <= k <= 1023.
func twoTo256(k vec256) vec256 {
	const magic = 3 << 51
	return k.Add(set256(magic + 1023)).AsUint64x4().ShiftAllLeft(52).AsFloat64x4()
}
