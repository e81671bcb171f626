//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// copyRows512 is the AVX-512 form of copyRows64.
func copyRows512(dst *float64, dstStride int, src *float64, srcStride, columns, rows int) {
	for o := 0; o < columns; o += 16 {
		to, at := unsafe.Add(unsafe.Pointer(dst), 8*o), unsafe.Add(unsafe.Pointer(src), 8*o)
		if columns-o < 16 {
			for range rows {
				put512(at512(at, 0), to, 0)
				to, at = unsafe.Add(to, 8*dstStride), unsafe.Add(at, 8*srcStride)
			}
			break
		}
		for range rows {
			x, y := at512(at, 0), at512(at, 1)
			put512(x, to, 0)
			put512(y, to, 1)
			to, at = unsafe.Add(to, 8*dstStride), unsafe.Add(at, 8*srcStride)
		}
	}
	done512()
}
