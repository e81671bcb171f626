//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

const (
	width512 = 8
	all1s512 = 0xff // as many bits as a vector has lanes
)

type (
	vec512  = archsimd.Float64x8
	mask512 = archsimd.Mask64x8
)

// row512 is as much of a row as the kernel takes at once.
type row512 struct{ v vec512 }

// at512 loads the i-th vector from p, put512 stores it, all512 broadcasts the float64 at p. Loads
// and stores are pointer casts because archsimd's take arrays in Go 1.26 and slices in Go 1.27.
func at512(p unsafe.Pointer, i int) vec512     { return *(*vec512)(unsafe.Add(p, 64*i)) }
func put512(v vec512, p unsafe.Pointer, i int) { *(*vec512)(unsafe.Add(p, 64*i)) = v }

// set512 fills a vector with x.
func set512(x float64) vec512 { return archsimd.BroadcastFloat64x8(x) }

// abs512 clears the signs.
func abs512(v vec512) vec512 {
	return v.AsInt64x8().And(archsimd.BroadcastInt64x8(math.MaxInt64)).AsFloat64x8()
}

// done512 spares the SSE code that follows a false dependency on the vectors' upper parts.
func done512() { archsimd.ClearAVXUpperBits() }

// and512 keeps the bits of x that are set in mask.
func and512(x, mask vec512) vec512 {
	return x.AsInt64x8().And(mask.AsInt64x8()).AsFloat64x8()
}

// or512 joins the bits, negative512 reports where the sign bit is set.
func or512(x, y vec512) vec512 {
	return x.AsInt64x8().Or(y.AsInt64x8()).AsFloat64x8()
}

func negative512(x vec512) mask512 {
	var zero archsimd.Int64x8
	return x.AsInt64x8().Less(zero)
}

// flip512 is x with its sign changed where y's is set.
func flip512(x, y vec512) vec512 {
	return x.AsInt64x8().Xor(y.AsInt64x8().And(archsimd.BroadcastInt64x8(math.MinInt64))).AsFloat64x8()
}

// exponent512 is the e and mantissa512 the m of x = 2^e m, 1 <= m < 2, for normal x > 0.
func exponent512(x vec512) vec512 {
	const magic = 1 << 52
	e := x.AsUint64x8().ShiftAllRight(52).Or(set512(magic).AsUint64x8()).AsFloat64x8()
	return e.Sub(set512(magic + 1023))
}

func mantissa512(x vec512) vec512 {
	return x.AsUint64x8().And(archsimd.BroadcastUint64x8(1<<52 - 1)).Or(set512(1).AsUint64x8()).AsFloat64x8()
}

// round512 rounds |x| < 2^51 to an integer, half to even.
func round512(x vec512) vec512 {
	const magic = 3 << 51
	return x.Add(set512(magic)).Sub(set512(magic))
}

// twoTo512 is 2^k for integers -1022 <= k <= 1023.
func twoTo512(k vec512) vec512 {
	const magic = 3 << 51
	return k.Add(set512(magic + 1023)).AsUint64x8().ShiftAllLeft(52).AsFloat64x8()
}
