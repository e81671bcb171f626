// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

// exchange64 swaps x and y, whole eights of numbers.
func exchange64(x, y []float64) {
	if len(x) == 0 {
		return
	}
	p, q := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	for range len(x) / width64 {
		v, w := at64(p, 0), at64(q, 0)
		put64(w, p, 0)
		put64(v, q, 0)
		p, q = unsafe.Add(p, 8*width64), unsafe.Add(q, 8*width64)
	}
	done64()
}
