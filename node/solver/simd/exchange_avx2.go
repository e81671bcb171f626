// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// exchange256 swaps x and y, whole eights of numbers.
func exchange256(x, y []float64) {
	if len(x) == 0 {
		return
	}
	p, q := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	for i := range len(x) / width256 {
		v, w := at256(p, i), at256(q, i)
		put256(w, p, i)
		put256(v, q, i)
	}
	done256()
}
