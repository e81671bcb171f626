// Code generated from the AVX2 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

// tile64 adds the product of 8 rows and 16 columns to a tile of C, whose rows are stride bytes
// apart, or stores it there when add is false.
func tile64(depth int, a, b operand, c unsafe.Pointer, stride int, add bool) {
	for r := 0; r < tileRows; r += 4 {
		rows := operand{unsafe.Add(a.at, r*a.lane), a.lane, a.step}
		for o := 0; o < 8*tileCols; o += 16 * width64 {
			micro64(depth, rows, unsafe.Add(b.at, o), b.step, unsafe.Add(c, r*stride+o), stride, add)
		}
	}
	done64()
}

// micro64 is tile64 for 4 rows and 2 vectors of columns: 4 x 2 accumulators, as many as the
// latency of a fused multiply-add needs and the compiler's fifteen registers hold. It stays a
// function of its own because one register more would be spilled, and a spill in this loop costs
// two thirds of the speed.
//
//go:noinline
func micro64(depth int, a operand, b unsafe.Pointer, step int, c unsafe.Pointer, stride int, add bool) {
	c1 := unsafe.Add(c, stride)
	c2 := unsafe.Add(c1, stride)
	c3 := unsafe.Add(c2, stride)
	var s00, s01, s10, s11, s20, s21, s30, s31 vec64
	if add {
		s00, s01 = at64(c, 0), at64(c, 1)
		s10, s11 = at64(c1, 0), at64(c1, 1)
		s20, s21 = at64(c2, 0), at64(c2, 1)
		s30, s31 = at64(c3, 0), at64(c3, 1)
	}
	a0 := a.at
	a1 := unsafe.Add(a0, a.lane)
	a2 := unsafe.Add(a1, a.lane)
	a3 := unsafe.Add(a2, a.lane)
	for {
		b0, b1 := at64(b, 0), at64(b, 1)
		s00, s01 = all64(a0).MulAdd(b0, s00), all64(a0).MulAdd(b1, s01)
		s10, s11 = all64(a1).MulAdd(b0, s10), all64(a1).MulAdd(b1, s11)
		s20, s21 = all64(a2).MulAdd(b0, s20), all64(a2).MulAdd(b1, s21)
		s30, s31 = all64(a3).MulAdd(b0, s30), all64(a3).MulAdd(b1, s31)
		if depth--; depth == 0 {
			break
		}
		a0, a1, a2, a3 = unsafe.Add(a0, a.step), unsafe.Add(a1, a.step), unsafe.Add(a2, a.step), unsafe.Add(a3, a.step)
		b = unsafe.Add(b, step)
	}
	put64(s00, c, 0)
	put64(s01, c, 1)
	put64(s10, c1, 0)
	put64(s11, c1, 1)
	put64(s20, c2, 0)
	put64(s21, c2, 1)
	put64(s30, c3, 0)
	put64(s31, c3, 1)
}
