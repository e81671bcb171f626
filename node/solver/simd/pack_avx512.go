//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// copyRows512 is the AVX-512 form of copyRows64.
func copyRows512(dst unsafe.Pointer, size int, src unsafe.Pointer, stride, rows int) {
	if size == 128 {
		for range rows {
			x, y := at512(src, 0), at512(src, 1)
			put512(x, dst, 0)
			put512(y, dst, 1)
			dst, src = unsafe.Add(dst, 128), unsafe.Add(src, stride)
		}
	} else {
		for range rows {
			put512(at512(src, 0), dst, 0)
			dst, src = unsafe.Add(dst, 64), unsafe.Add(src, stride)
		}
	}
	done512()
}
