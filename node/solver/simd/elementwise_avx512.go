//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// Slices come in whole eights.

func dot512(sum *lanes8, x, y []float64) {
	for o := 0; o < len(sum); o += width512 {
		s := at512(unsafe.Pointer(&sum[o]), 0)
		for i := o; i < len(x); i += len(sum) {
			s = s.Add(at512(unsafe.Pointer(&x[i]), 0).Mul(at512(unsafe.Pointer(&y[i]), 0)))
		}
		put512(s, unsafe.Pointer(&sum[o]), 0)
	}
	done512()
}

func largest512(x []float64) float64 {
	var top [width512]float64
	at := unsafe.Pointer(&top)
	t, nan := at512(at, 0), at512(at, 0)
	for i := 0; i < len(x); i += width512 {
		v := abs512(at512(unsafe.Pointer(&x[i]), 0))
		t = v.Max(t)
		nan = nan.Add(v)
	}
	put512(t, at, 0)
	largest := 0.0
	for _, v := range top {
		largest = max(largest, v)
	}
	put512(nan, at, 0)
	done512()
	for _, v := range top {
		if v != v {
			largest = math.NaN()
		}
	}
	return largest
}

func scale512(a float64, x []float64) {
	f := set512(a)
	for i := 0; i < len(x); i += width512 {
		at := unsafe.Pointer(&x[i])
		put512(f.Mul(at512(at, 0)), at, 0)
	}
	done512()
}

func combine512(dst []float64, a float64, x []float64, b float64, y []float64) {
	f, g := set512(a), set512(b)
	for i := 0; i < len(dst); i += width512 {
		s := f.Mul(at512(unsafe.Pointer(&x[i]), 0)).Add(g.Mul(at512(unsafe.Pointer(&y[i]), 0)))
		put512(s, unsafe.Pointer(&dst[i]), 0)
	}
	done512()
}
