//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// transpose512 is the AVX-512 form of transpose64, in assembly.
//
//go:noescape
func transpose512(dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride int)
