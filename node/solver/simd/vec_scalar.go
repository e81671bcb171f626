package simd

import (
	"math"
	"unsafe"
)

const width64 = 1

// vec64 is a vector of one: the scalar twin of the vector types, with the same methods. Conversions keep the compiler from
// fusing a product into a sum.
type vec64 float64

func at64(p unsafe.Pointer, i int) vec64     { return *(*vec64)(unsafe.Add(p, 8*i)) }
func put64(v vec64, p unsafe.Pointer, i int) { *(*vec64)(unsafe.Add(p, 8*i)) = v }
func all64(p unsafe.Pointer, i int) vec64    { return at64(p, i) }
func set64(x float64) vec64                  { return vec64(x) }

func (x vec64) Add(y vec64) vec64 { return vec64(float64(x) + float64(y)) }
func (x vec64) Sub(y vec64) vec64 { return vec64(float64(x) - float64(y)) }
func (x vec64) Mul(y vec64) vec64 { return vec64(float64(x) * float64(y)) }
func (x vec64) Div(y vec64) vec64 { return vec64(float64(x) / float64(y)) }
func (x vec64) Sqrt() vec64       { return vec64(math.Sqrt(float64(x))) }

// MulAdd returns x·y + z, rounded once.
func (x vec64) MulAdd(y, z vec64) vec64 { return vec64(math.FMA(float64(x), float64(y), float64(z))) }

func done64() {}
