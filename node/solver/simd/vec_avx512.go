//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

const width512 = 8

type (
	vec512  = archsimd.Float64x8
	mask512 = archsimd.Mask64x8
)

// at512 loads the i-th vector from p, put512 stores it, all512 broadcasts the i-th float64 from p.
func at512(p unsafe.Pointer, i int) vec512 {
	return archsimd.LoadFloat64x8((*[8]float64)(unsafe.Add(p, 64*i)))
}
func put512(v vec512, p unsafe.Pointer, i int) { v.Store((*[8]float64)(unsafe.Add(p, 64*i))) }
func all512(p unsafe.Pointer, i int) vec512 {
	return archsimd.BroadcastFloat64x8(*(*float64)(unsafe.Add(p, 8*i)))
}

// set512 fills a vector with x.
func set512(x float64) vec512 { return archsimd.BroadcastFloat64x8(x) }

// abs512 clears the signs.
func abs512(v vec512) vec512 {
	return v.AsInt64x8().And(archsimd.BroadcastInt64x8(math.MaxInt64)).AsFloat64x8()
}

// done512 spares the SSE code that follows a false dependency on the vectors' upper parts.
func done512() { archsimd.ClearAVXUpperBits() }
