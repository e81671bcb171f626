package draw

import "math/bits"

// Method says how points fill the cube.
type Method uint8

const (
	Sobol  Method = iota // Sobol' points, scrambled where a seed is given
	Random               // independent uniforms
	Latin                // Latin hypercube: each axis has one point in each of Num equal cells
)

// Methods are the words for the methods.
func Methods() []string { return []string{"sobol", "random", "lhs"} }

// Points are Num points of a cube. Point i is a function of them and i alone, in constant time.
type Points struct {
	Method Method
	Num    int64
	Seed   uint64
	Seeded bool // a seed was given
}

// Target is what is drawn from a coordinate, as far as the points depend on it.
type Target uint8

const (
	Interval Target = iota // numbers of an interval
	// Unbounded numbers have an outlier at 0, the first Sobol' point. Without a seed the points are
	// shifted by the bits 0101...: the first one is at 1/3.
	Unbounded
	// Entries of a list, in proportion: all points of a Latin hypercube are at the same place of
	// their cells. Then each entry is drawn as often as its share of Num says, rounded up or down.
	Entries
)

// Stream is one coordinate of points.
type Stream struct {
	points Points
	sobol  [sobolBits]uint64 // direction numbers
	shift  uint64
	even   bool // one place in all cells of a Latin hypercube
}

// Axis is the coordinate of axis k, from 0 on; with Sobol, k < SobolDimensions.
func (p Points) Axis(k int, target Target) *Stream {
	s := &Stream{points: p, even: target == Entries}
	stream := Mix(p.Seed ^ Mix(uint64(k)+1))
	if p.Method != Sobol {
		s.shift = stream
		return s
	}
	s.sobol = sobolDirections(k)
	switch {
	case p.Seeded:
		s.sobol, s.shift = scramble(s.sobol, stream)
	case target == Unbounded:
		s.shift = (1<<sobolBits - 1) / 3
	}
	return s
}

// At is the coordinate of point i.
func (s *Stream) At(i int64) Uniform {
	switch s.points.Method {
	case Sobol:
		u := s.shift
		for n := uint64(i); n != 0; n &= n - 1 {
			u ^= s.sobol[bits.TrailingZeros64(n)]
		}
		return Uniform{Cells: 1, Inside: u << (64 - sobolBits)}
	case Latin:
		cell, cells := permute(uint64(i), uint64(s.points.Num), s.shift), uint64(s.points.Num)
		if s.even {
			i = 0
		}
		return Uniform{Cell: cell, Cells: cells, Inside: Mix(s.shift ^ Mix(^uint64(i)))}
	}
	return Uniform{Cells: 1, Inside: Mix(s.shift + uint64(i)*0x9e3779b97f4a7c15)}
}

// Mix is SplitMix64's finaliser, a bijection of 64-bit words.
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// permute is the place of i under a keyed permutation of 0..n-1: a Feistel network on the smallest
// even number of bits that holds n, walked along its cycle until it lands below n (Black and
// Rogaway 2002, section 3).
func permute(i, n, key uint64) uint64 {
	half := max(1, (bits.Len64(n-1)+1)/2)
	mask := uint64(1)<<half - 1
	for {
		left, right := i>>half, i&mask
		for round := range uint64(6) {
			left, right = right, left^Mix(key+round*0x9e3779b97f4a7c15^Mix(right))&mask
		}
		if i = left<<half | right; i < n {
			return i
		}
	}
}
