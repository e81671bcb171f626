//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// eliminate256 is the elimination of one column of a strip in place: the pivot's row is divided by
// the pivot, its multiples are taken off the other rows, and the column is replaced by what a unit
// column beside the strip would become.
func eliminate256(strip []float64, pivot, column int) {
	p := strip[pivot*stripWidth:][:stripWidth]
	inverse := 1 / p[column]
	var negative, scaled, others [stripWidth]float64
	for j := range p {
		scaled[j] = float64(p[j] * inverse)
		others[j] = math.Float64frombits(math.MaxUint64)
	}
	scaled[column], others[column] = inverse, 0
	for j, x := range scaled {
		negative[j] = -x
	}
	// Two vectors at a time, those with the column last: until then the column tells the multiples.
	const pair = 2 * width256
	rows, at := len(strip)/stripWidth, unsafe.Pointer(&strip[0])
	for v := range stripWidth / pair {
		o := (column/pair + 1 + v) % (stripWidth / pair) * pair
		p0, p1 := at256(unsafe.Pointer(&negative[o]), 0), at256(unsafe.Pointer(&negative[o]), 1)
		keep0, keep1 := at256(unsafe.Pointer(&others[o]), 0), at256(unsafe.Pointer(&others[o]), 1)
		for r := range rows {
			f, x := all256(unsafe.Add(at, 8*(r*stripWidth+column))), unsafe.Add(at, 8*(r*stripWidth+o))
			put256(f.MulAdd(p0, and256(at256(x, 0), keep0)), x, 0)
			put256(f.MulAdd(p1, and256(at256(x, 1), keep1)), x, 1)
		}
	}
	done256()
	copy(p, scaled[:])
}
