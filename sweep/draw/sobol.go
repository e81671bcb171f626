package draw

import "math/bits"

// Sobol' points.
const (
	// sobolBits is the resolution of a coordinate.
	sobolBits = 52
	// SobolDimensions is the number of dimensions that joeKuo has numbers for.
	SobolDimensions = 43
)

// joeKuo are a primitive polynomial of degree s over GF(2), its inner coefficients a as bits, and
// the initial direction numbers m_1..m_s, for the dimensions from the second on: S. Joe and F. Y.
// Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput.
// 30 (2008), table D6.
func joeKuo() [][]uint64 {
	return [][]uint64{ // s, a, m_1..m_s
		{1, 0, 1}, {2, 1, 1, 3}, {3, 1, 1, 3, 1}, {3, 2, 1, 1, 1}, {4, 1, 1, 1, 3, 3}, {4, 4, 1, 3, 5, 13},
		{5, 2, 1, 1, 5, 5, 17}, {5, 4, 1, 1, 5, 5, 5}, {5, 7, 1, 1, 7, 11, 19}, {5, 11, 1, 1, 5, 1, 1},
		{5, 13, 1, 1, 1, 3, 11}, {5, 14, 1, 3, 5, 5, 31}, {6, 1, 1, 3, 3, 9, 7, 49}, {6, 13, 1, 1, 1, 15, 21, 21},
		{6, 16, 1, 3, 1, 13, 27, 49}, {6, 19, 1, 1, 1, 15, 7, 5}, {6, 22, 1, 3, 1, 15, 13, 25}, {6, 25, 1, 1, 5, 5, 19,
			61},
		{7, 1, 1, 3, 7, 11, 23, 15, 103}, {7, 4, 1, 3, 7, 13, 13, 15, 69}, {7, 7, 1, 1, 3, 13, 7, 35, 63},
		{7, 8, 1, 3, 5, 9, 1, 25, 53}, {7, 14, 1, 3, 1, 13, 9, 35, 107}, {7, 19, 1, 3, 1, 5, 27, 61, 31},
		{7, 21, 1, 1, 5, 11, 19, 41, 61}, {7, 28, 1, 3, 5, 3, 3, 13, 69}, {7, 31, 1, 1, 7, 13, 1, 19, 1},
		{7, 32, 1, 3, 7, 5, 13, 19, 59}, {7, 37, 1, 1, 3, 9, 25, 29, 41}, {7, 41, 1, 3, 5, 13, 23, 1, 55},
		{7, 42, 1, 3, 7, 3, 13, 59, 17}, {7, 50, 1, 3, 1, 3, 5, 53, 69}, {7, 55, 1, 1, 5, 5, 23, 33, 13},
		{7, 56, 1, 1, 7, 7, 1, 61, 123}, {7, 59, 1, 1, 7, 9, 13, 61, 49}, {7, 62, 1, 3, 3, 5, 3, 55, 33},
		{8, 14, 1, 3, 1, 15, 31, 13, 49, 245}, {8, 21, 1, 3, 5, 15, 31, 59, 63, 97}, {8, 22, 1, 3, 1, 11, 11, 11, 77,
			249},
		{8, 38, 1, 3, 1, 11, 27, 43, 71, 9}, {8, 47, 1, 1, 7, 15, 21, 11, 81, 45}, {8, 49, 1, 3, 7, 3, 25, 31, 65, 79},
	}
}

// sobolDirections are the direction numbers of a dimension, counted from 0, as fractions of 2^52:
// coordinate i of the sequence is the exclusive or of those whose bit is set in i.
func sobolDirections(dimension int) (v [sobolBits]uint64) {
	if dimension == 0 {
		for k := range v {
			v[k] = 1 << (sobolBits - 1 - k)
		}
		return v
	}
	row := joeKuo()[dimension-1]
	s, a, m := int(row[0]), row[1], row[2:]
	for k := range v {
		if k < s {
			v[k] = m[k] << (sobolBits - 1 - k)
			continue
		}
		v[k] = v[k-s] ^ v[k-s]>>s
		for j := 1; j < s; j++ {
			if a>>(s-1-j)&1 != 0 {
				v[k] ^= v[k-j]
			}
		}
	}
	return v
}

// scramble multiplies the direction numbers by a random lower triangular matrix over GF(2) and
// gives a random digital shift, which keeps the net's stratification: J. Matoušek, "On the
// L2-discrepancy for anchored boxes", J. Complexity 14 (1998).
func scramble(v [sobolBits]uint64, seed uint64) ([sobolBits]uint64, uint64) {
	var out [sobolBits]uint64
	for digit := range sobolBits {
		// Output digit (from the top) is the parity of the input digits above and at it, each with
		// a coin.
		at := sobolBits - 1 - digit
		mask := uint64(1)<<at | Mix(seed+uint64(digit)+1)&(uint64(1)<<sobolBits-1)&^(uint64(2)<<at-1)
		for k := range v {
			out[k] |= uint64(bits.OnesCount64(v[k]&mask)&1) << at
		}
	}
	return out, Mix(seed) >> (64 - sobolBits)
}
