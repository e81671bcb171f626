package draw

import "math/bits"

// Uniform is the number (Cell + Inside/2^64)/Cells in [0, 1): a place inside one of equal cells.
// Cell < Cells.
type Uniform struct{ Cell, Cells, Inside uint64 }

// Float is the number to 53 bits, at most 1 - 2^-53.
func (u Uniform) Float() float64 {
	inside := float64(float64(u.Inside>>11) * 0x1p-53)
	return min((float64(u.Cell)+inside)/float64(u.Cells), 1-0x1p-53)
}

// Below is floor(u·n), exactly: each number below n is drawn equally often.
func (u Uniform) Below(n uint64) uint64 {
	inside, _ := bits.Mul64(u.Inside, n)
	high, low := bits.Mul64(u.Cell, n)
	low, carry := bits.Add64(low, inside, 0)
	quotient, _ := bits.Div64(high+carry, low, u.Cells)
	return quotient
}
