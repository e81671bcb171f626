// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

// exchange64 swaps x and y, whole eights of numbers.
func exchange64(x, y []float64) {
	if len(x) == 0 {
		return
	}
	p, q := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	for i := range len(x) / width64 {
		v, w := at64(p, i), at64(q, i)
		put64(w, p, i)
		put64(v, q, i)
	}
	done64()
}
