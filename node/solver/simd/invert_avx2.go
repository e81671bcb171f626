// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// eliminate256 is the elimination of one column of a panel in place: the pivot's row is divided by the pivot, its multiples are taken
// off the other rows, and the column is replaced by what a unit column beside the panel would become.
func eliminate256(panel []float64, width, pivot, column int) {
	row := panel[pivot*width:][:width]
	inverse := 1 / row[column]
	for j := range row {
		row[j] = float64(row[j] * inverse)
	}
	row[column] = inverse
	p := unsafe.Pointer(&row[0])
	for r := 0; r < len(panel); r += width {
		if r == pivot*width {
			continue
		}
		x := panel[r:][:width]
		f, at := x[column], unsafe.Pointer(&x[0])
		v := set256(-f)
		for j := 0; j < width/width256; j++ {
			put256(v.MulAdd(at256(p, j), at256(at, j)), at, j)
		}
		x[column] = float64(-f * inverse)
	}
	done256()
}
