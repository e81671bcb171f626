package simd

import (
	"unsafe"

	"gonum.org/v1/gonum/blas/blas64"
)

// transposeInto stores dst[j·dstStride+i] = src[i·srcStride+j] for i < rows and j < columns.
func transposeInto(k Kernel, dst []float64, dstStride int, src []float64, srcStride, rows, columns int) {
	const block = 8
	i := 0
	for ; i+block <= rows; i += block {
		j := 0
		for ; j+block <= columns; j += block {
			to, at := dst[j*dstStride+i:], src[i*srcStride+j:]
			_, _ = to[(block-1)*(dstStride+1)], at[(block-1)*(srcStride+1)]
			transpose(k, unsafe.Pointer(&to[0]), 8*dstStride, unsafe.Pointer(&at[0]), 8*srcStride)
		}
		transposeEdge(dst, dstStride, src, srcStride, i, i+block, j, columns)
	}
	transposeEdge(dst, dstStride, src, srcStride, i, rows, 0, columns)
}

// transposeEdge is transposeInto for rows i0 to i1 and columns j0 to j1 of the source.
func transposeEdge(dst []float64, dstStride int, src []float64, srcStride, i0, i1, j0, j1 int) {
	for j := j0; j < j1; j++ {
		for i := i0; i < i1; i++ {
			dst[j*dstStride+i] = src[i*srcStride+j]
		}
	}
}

// mirror copies the upper triangle of the square C onto the lower.
func mirror(k Kernel, c blas64.General) {
	const block = 8
	for i0 := 0; i0 < c.Rows; i0 += block {
		i1 := min(i0+block, c.Rows)
		rows := c.Data[i0*c.Stride:]
		for j0 := 0; j0 < i0; j0 += block {
			transposeInto(k, rows[j0:], c.Stride, c.Data[j0*c.Stride+i0:], c.Stride, block, i1-i0)
		}
		for i := range i1 - i0 {
			for j := range i {
				rows[i*c.Stride+i0+j] = rows[j*c.Stride+i0+i]
			}
		}
	}
}

// transpose64 stores the transpose of an 8 x 8 block; strides are in bytes.
func transpose64(dst unsafe.Pointer, dstStride int, src unsafe.Pointer, srcStride int) {
	for i := range 8 {
		row := (*[8]float64)(unsafe.Add(src, i*srcStride))
		for j, x := range row {
			*(*float64)(unsafe.Add(dst, j*dstStride+8*i)) = x
		}
	}
}
