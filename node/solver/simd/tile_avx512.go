//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// tiles512 is n times the AVX-512 form of tile256, in assembly: archsimd can neither load one
// number into all lanes without the port that the second multiplier needs, nor add to an
// accumulator in place, and the compiler uses half of the 32 registers. That is half of the speed.
// The tiles lie below each other; from one to the next A moves on by next bytes, and a KiB from
// ahead on, if not nil, is fetched into the second-level cache meanwhile.
//
//go:noescape
func tiles512(
	n, depth int, a operand, next int, b operand, c unsafe.Pointer, stride int, add bool, ahead unsafe.Pointer,
)
