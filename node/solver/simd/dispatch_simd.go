//go:build goexperiment.simd && amd64

package simd

import (
	"os"
	"simd/archsimd"
	"strings"
	"unsafe"
)

func best() Kernel {
	switch x := archsimd.X86; {
	case !x.AVX2() || !x.FMA():
		return Scalar
	case !x.AVX512() || avx512Off(os.Getenv("GODEBUG")):
		return AVX2
	}
	return AVX512
}

// avx512Off reads GODEBUG itself: the runtime decides on AVX-512 as a whole before it reads the
// setting.
func avx512Off(godebug string) bool {
	off := false
	for setting := range strings.SplitSeq(godebug, ",") {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "cpu.avx512", "cpu.avx512f", "cpu.all":
			off = value == "off"
		}
	}
	return off
}

func dot(k Kernel, sum *lanes8, x, y []float64) {
	switch k {
	case AVX512:
		dot512(sum, x, y)
	case AVX2:
		dot256(sum, x, y)
	default:
		dot64(sum, x, y)
	}
}

func largest(k Kernel, x []float64) float64 {
	switch k {
	case AVX512:
		return largest512(x)
	case AVX2:
		return largest256(x)
	}
	return largest64(x)
}

func scale(k Kernel, a float64, x []float64) {
	switch k {
	case AVX512:
		scale512(a, x)
	case AVX2:
		scale256(a, x)
	default:
		scale64(a, x)
	}
}

func combine(k Kernel, dst []float64, a float64, x []float64, b float64, y []float64) {
	switch k {
	case AVX512:
		combine512(dst, a, x, b, y)
	case AVX2:
		combine256(dst, a, x, b, y)
	default:
		combine64(dst, a, x, b, y)
	}
}

func boxMuller(k Kernel, p *pairs) {
	switch k {
	case AVX512:
		boxMuller512(p)
	case AVX2:
		boxMuller256(p)
	default:
		boxMuller64(p)
	}
}

func tiles(
	k Kernel, n, depth int, a operand, next int, b operand,
	c unsafe.Pointer, stride int, add bool, ahead unsafe.Pointer,
) {
	if k == AVX512 {
		tiles512(n, depth, a, next, b, c, stride, add, ahead)
		return
	}
	for i := range n {
		at, to := operand{unsafe.Add(a.at, i*next), a.lane, a.step}, unsafe.Add(c, i*tileRows*stride)
		if k == AVX2 {
			tile256(depth, at, b, to, stride, add)
		} else {
			tile64(depth, at, b, to, stride, add)
		}
	}
}

func advance(k Kernel, l *Lanes, end int) {
	switch k {
	case AVX512:
		l.advance512(end)
	case AVX2:
		l.advance256(end)
	default:
		l.advance64(end)
	}
}

func width(k Kernel) uintptr {
	switch k {
	case AVX512:
		return width512
	case AVX2:
		return width256
	}
	return width64
}

func eliminate(k Kernel, strip []float64, pivot, column int) {
	switch k {
	case AVX512:
		eliminate512(strip, pivot, column)
	case AVX2:
		eliminate256(strip, pivot, column)
	default:
		eliminate64(strip, pivot, column)
	}
}

func transpose(k Kernel, dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride int) {
	if k == AVX512 {
		transpose512(dst, dstStride, src, srcStride)
		return
	}
	transpose64(dst, dstStride, src, srcStride)
}

func copyRows(k Kernel, dst *float64, dstStride int, src *float64, srcStride, columns, rows int) {
	if k == AVX512 {
		copyRows512(dst, dstStride, src, srcStride, columns, rows)
		return
	}
	copyRows64(dst, dstStride, src, srcStride, columns, rows)
}

func exchange(k Kernel, x, y []float64) {
	switch k {
	case AVX512:
		exchange512(x, y)
	case AVX2:
		exchange256(x, y)
	default:
		exchange64(x, y)
	}
}
