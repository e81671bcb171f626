//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// exchange512 swaps x and y, whole eights of numbers.
func exchange512(x, y []float64) {
	if len(x) == 0 {
		return
	}
	p, q := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	for range len(x) / width512 {
		v, w := at512(p, 0), at512(q, 0)
		put512(w, p, 0)
		put512(v, q, 0)
		p, q = unsafe.Add(p, 8*width512), unsafe.Add(q, 8*width512)
	}
	done512()
}
