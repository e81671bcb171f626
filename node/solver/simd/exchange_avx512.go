//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// exchange512 swaps x and y, whole eights of numbers.
func exchange512(x, y []float64) {
	if len(x) == 0 {
		return
	}
	p, q := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	for i := range len(x) / width512 {
		v, w := at512(p, i), at512(q, i)
		put512(w, p, i)
		put512(v, q, i)
	}
	done512()
}
