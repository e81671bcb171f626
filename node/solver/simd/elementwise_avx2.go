// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// Slices come in whole eights.

func dot256(sum *lanes8, x, y []float64) {
	for o := 0; o < len(sum); o += width256 {
		s := at256(unsafe.Pointer(&sum[o]), 0)
		for i := o; i < len(x); i += len(sum) {
			s = s.Add(at256(unsafe.Pointer(&x[i]), 0).Mul(at256(unsafe.Pointer(&y[i]), 0)))
		}
		put256(s, unsafe.Pointer(&sum[o]), 0)
	}
	done256()
}

func largest256(x []float64) float64 {
	var top [width256]float64
	at := unsafe.Pointer(&top)
	t, nan := at256(at, 0), at256(at, 0)
	for i := 0; i < len(x); i += width256 {
		v := abs256(at256(unsafe.Pointer(&x[i]), 0))
		t = v.Max(t)
		nan = nan.Add(v)
	}
	put256(t, at, 0)
	largest := 0.0
	for _, v := range top {
		largest = max(largest, v)
	}
	put256(nan, at, 0)
	done256()
	for _, v := range top {
		if v != v {
			largest = math.NaN()
		}
	}
	return largest
}

func scale256(a float64, x []float64) {
	f := set256(a)
	for i := 0; i < len(x); i += width256 {
		at := unsafe.Pointer(&x[i])
		put256(f.Mul(at256(at, 0)), at, 0)
	}
	done256()
}

func combine256(dst []float64, a float64, x []float64, b float64, y []float64) {
	f, g := set256(a), set256(b)
	for i := 0; i < len(dst); i += width256 {
		s := f.Mul(at256(unsafe.Pointer(&x[i]), 0)).Add(g.Mul(at256(unsafe.Pointer(&y[i]), 0)))
		put256(s, unsafe.Pointer(&dst[i]), 0)
	}
	done256()
}
