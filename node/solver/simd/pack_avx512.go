//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// copyRows512 is the AVX-512 form of copyRows64.
func copyRows512(dst *float64, dstStride int, src *float64, srcStride, columns, rows int) {
	for o := 0; o < columns; o += 16 {
		pair := columns-o >= 16
		for r := range rows {
			to := unsafe.Add(unsafe.Pointer(dst), 8*(r*dstStride+o))
			at := unsafe.Add(unsafe.Pointer(src), 8*(r*srcStride+o))
			put512(at512(at, 0), to, 0)
			if pair {
				put512(at512(at, 1), to, 1)
			}
		}
	}
	done512()
}
