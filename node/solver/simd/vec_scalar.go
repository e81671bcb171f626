package simd

import (
	"math"
	"unsafe"
)

const (
	width64 = 1
	all1s64 = 1
)

// vec64 is a vector of one: the scalar twin of the vector types, with the same methods. Conversions
// keep the compiler from fusing a product into a sum.
type vec64 float64

// row64 is as much of a row as the kernel takes at once.
type row64 struct {
	v vec64
	_ [7]float64
}

func at64(p unsafe.Pointer, i int) vec64     { return *(*vec64)(unsafe.Add(p, 8*i)) }
func put64(v vec64, p unsafe.Pointer, i int) { *(*vec64)(unsafe.Add(p, 8*i)) = v }
func all64(p unsafe.Pointer) vec64           { return *(*vec64)(p) }
func set64(x float64) vec64                  { return vec64(x) }

func (x vec64) Add(y vec64) vec64 { return vec64(float64(x) + float64(y)) }
func (x vec64) Sub(y vec64) vec64 { return vec64(float64(x) - float64(y)) }
func (x vec64) Mul(y vec64) vec64 { return vec64(float64(x) * float64(y)) }
func (x vec64) Div(y vec64) vec64 { return vec64(float64(x) / float64(y)) }
func (x vec64) Sqrt() vec64       { return vec64(math.Sqrt(float64(x))) }

// MulAdd returns x·y + z, rounded once.
func (x vec64) MulAdd(y, z vec64) vec64 { return vec64(math.FMA(float64(x), float64(y), float64(z))) }

// Max is x where x > y, else y.
func (x vec64) Max(y vec64) vec64 {
	if x > y {
		return x
	}
	return y
}

// Min is x where x < y, else y.
func (x vec64) Min(y vec64) vec64 {
	if x < y {
		return x
	}
	return y
}

func (x vec64) Greater(y vec64) mask64      { return x > y }
func (x vec64) GreaterEqual(y vec64) mask64 { return x >= y }
func (x vec64) Less(y vec64) mask64         { return x < y }
func (x vec64) NotEqual(y vec64) mask64     { return x != y }

// Masked is x, or 0 where the mask is not set.
func (x vec64) Masked(m mask64) vec64 {
	if m {
		return x
	}
	return 0
}

// Merge is x, or y where the mask is not set.
func (x vec64) Merge(y vec64, m mask64) vec64 {
	if m {
		return x
	}
	return y
}

type mask64 bool

func (m mask64) And(n mask64) mask64 { return m && n }

func (m mask64) ToBits() uint8 {
	if m {
		return 1
	}
	return 0
}

func (x vec64) bits() uint64    { return math.Float64bits(float64(x)) }
func fromBits(b uint64) vec64   { return vec64(math.Float64frombits(b)) }
func abs64(x vec64) vec64       { return vec64(math.Abs(float64(x))) }
func and64(x, mask vec64) vec64 { return fromBits(x.bits() & mask.bits()) }
func or64(x, y vec64) vec64     { return fromBits(x.bits() | y.bits()) }
func negative64(x vec64) mask64 { return x.bits()>>63 != 0 }
func flip64(x, y vec64) vec64   { return fromBits(x.bits() ^ y.bits()&(1<<63)) }
func exponent64(x vec64) vec64  { return vec64(int(x.bits()>>52) - 1023) }
func mantissa64(x vec64) vec64  { return fromBits(x.bits()&(1<<52-1) | vec64(1).bits()) }

func round64(x vec64) vec64 {
	const magic = 3 << 51
	return x.Add(magic).Sub(magic)
}

func twoTo64(k vec64) vec64 {
	const magic = 3 << 51
	return fromBits(k.Add(magic+1023).bits() << 52)
}

func done64() {}
