//go:build !(goexperiment.simd && amd64)

package simd

import "unsafe"

func best() Kernel { return Scalar }

func dot(_ Kernel, sum *lanes8, x, y []float64) { dot64(sum, x, y) }

func largest(_ Kernel, x []float64) float64 { return largest64(x) }

func scale(_ Kernel, a float64, x []float64) { scale64(a, x) }

func combine(_ Kernel, dst []float64, a float64, x []float64, b float64, y []float64) {
	combine64(dst, a, x, b, y)
}

func boxMuller(_ Kernel, p *pairs) { boxMuller64(p) }

func tiles(
	_ Kernel, n, depth int, a operand, next int, b operand, c unsafe.Pointer, stride int, add bool, _ unsafe.Pointer,
) {
	for i := range n {
		at := operand{unsafe.Add(a.at, i*next), a.lane, a.step}
		tile64(depth, at, b, unsafe.Add(c, i*tileRows*stride), stride, add)
	}
}

func advance(_ Kernel, l *Lanes, end int) { l.advance64(end) }

func width(Kernel) uintptr { return width64 }

func eliminate(_ Kernel, strip []float64, pivot, column int) {
	eliminate64(strip, pivot, column)
}

func transpose(_ Kernel, dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride int) {
	transpose64(dst, dstStride, src, srcStride)
}

func copyRows(_ Kernel, dst *float64, dstStride int, src *float64, srcStride, columns, rows int) {
	copyRows64(dst, dstStride, src, srcStride, columns, rows)
}

func exchange(_ Kernel, x, y []float64) { exchange64(x, y) }
