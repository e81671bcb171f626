//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

const width256 = 4

type (
	vec256  = archsimd.Float64x4
	mask256 = archsimd.Mask64x4
)

// at256 loads the i-th vector from p, put256 stores it, all256 broadcasts the i-th float64 from p.
func at256(p unsafe.Pointer, i int) vec256 {
	return archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(p, 32*i)))
}
func put256(v vec256, p unsafe.Pointer, i int) { v.Store((*[4]float64)(unsafe.Add(p, 32*i))) }
func all256(p unsafe.Pointer, i int) vec256 {
	return archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p, 8*i)))
}

// set256 fills a vector with x.
func set256(x float64) vec256 { return archsimd.BroadcastFloat64x4(x) }

// abs256 clears the signs.
func abs256(v vec256) vec256 {
	return v.AsInt64x4().And(archsimd.BroadcastInt64x4(math.MaxInt64)).AsFloat64x4()
}

// done256 spares the SSE code that follows a false dependency on the vectors' upper parts.
func done256() { archsimd.ClearAVXUpperBits() }
