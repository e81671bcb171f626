package simd

// Kernel names the instruction set that a computation uses. All kernels give the same bits.
type Kernel uint8

const (
	Scalar Kernel = iota // plain Go
	AVX2                 // 4 float64 a vector, with FMA
	AVX512               // 8 float64 a vector
)

var names = [...]string{Scalar: "scalar", AVX2: "avx2", AVX512: "avx512"}

// String returns scalar, avx2 or avx512.
func (k Kernel) String() string { return names[k] }

// Best returns the fastest kernel that this program was built with and this CPU has. GODEBUG's
// cpu.avx512=off and cpu.avx2=off are obeyed.
func Best() Kernel { return best() }
