package sweep

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/phasegrid/phasegrid/sweep/elementary"
	"github.com/phasegrid/phasegrid/sweep/exact"
)

// sampleMethod says how a sample block fills the cube.
type sampleMethod uint8

const (
	sobolMethod  sampleMethod = iota // Sobol' points, scrambled where a seed is given
	randomMethod                     // independent uniforms
	latinMethod                      // Latin hypercube: each axis has one point in each of num equal cells
)

// sampled are num points over ranged axes. Point i is a function of (method, seed, num, i) alone,
// in constant time.
type sampled struct {
	pos    position
	method sampleMethod
	num    int64
	seed   uint64
	seeded bool // a seed was given
	axes   []*sampledAxis
}

// sampledAxis maps a uniform number to one parameter's value.
type sampledAxis struct {
	id       ParameterID
	pos      position
	rows     []row // choices of equal weight; nil for a range
	from, to float64
	log      bool // uniform in the logarithm
	whole    bool
	sobol    [sobolBits]uint64 // direction numbers
	shift    uint64
}

// prepare computes direction numbers and random streams, which all points share.
func (s *sampled) prepare() {
	for k, x := range s.axes {
		stream := mix(s.seed ^ mix(uint64(k)+1))
		if s.method != sobolMethod {
			x.shift = stream
			continue
		}
		x.sobol = sobolDirections(k)
		if s.seeded {
			x.sobol, x.shift = scramble(x.sobol, stream)
		}
	}
}

// uniform is coordinate x of point i, in [0, 1).
func (s *sampled) uniform(x *sampledAxis, i int64) float64 {
	switch s.method {
	case sobolMethod:
		u := uint64(0)
		if s.seeded {
			u = x.shift
		}
		for n := uint64(i); n != 0; n &= n - 1 {
			u ^= x.sobol[bits.TrailingZeros64(n)]
		}
		return float64(u) * 0x1p-52
	case latinMethod:
		cell := permute(uint64(i), uint64(s.num), x.shift)
		inside := float64(float64(mix(x.shift^mix(^uint64(i)))>>11) * 0x1p-53)
		return min((float64(cell)+inside)/float64(s.num), 1-0x1p-53)
	}
	return float64(mix(x.shift+uint64(i)*0x9e3779b97f4a7c15)>>11) * 0x1p-53
}

func (s *sampled) size() int64 { return s.num }

func (s *sampled) place() ParameterID {
	first := s.axes[0].id
	for _, x := range s.axes {
		first = min(first, x.id)
	}
	return first
}

func (s *sampled) sets() (set idSet) {
	for _, x := range s.axes {
		set = set.union(x.sets())
	}
	return set
}

func (x *sampledAxis) sets() idSet {
	set := setOf(x.id)
	for _, r := range x.rows {
		set = set.union(r.sets())
	}
	return set
}

func (s *sampled) sometimes() (set idSet) {
	for _, x := range s.axes {
		for _, r := range x.rows {
			set = set.union(r.sets().without(x.id))
		}
	}
	return set
}

func (s *sampled) defaults() (set idSet) {
	for _, x := range s.axes {
		set = set.union(defaultsOf(x.id, x.rows))
	}
	return set
}

func (s *sampled) assign(i int64, a Assignment) {
	for _, x := range s.axes {
		x.assign(s.uniform(x, i), a)
	}
}

func (s *sampled) at(i int64, id ParameterID) position {
	for _, x := range s.axes {
		if x.rows != nil {
			if at := x.choice(s.uniform(x, i)).at(id); at != (position{}) {
				return at
			}
		} else if x.id == id {
			return x.pos
		}
	}
	return position{}
}

// choice is the entry of a list that u in [0, 1) picks.
func (x *sampledAxis) choice(u float64) row { return x.rows[int(u*float64(len(x.rows)))] }

// assign maps u in [0, 1): a number from..to, an integer from..to with both ends, or one of the
// choices.
func (x *sampledAxis) assign(u float64, a Assignment) {
	if x.rows != nil {
		x.choice(u).assign(a)
		return
	}
	to := x.to
	if x.whole {
		to++
	}
	var f float64
	if x.log {
		f = float64(x.from * elementary.Pow(to/x.from, u))
	} else {
		f = x.from + float64((to-x.from)*u)
	}
	f = min(max(f, x.from), x.to)
	if x.whole {
		a[x.id] = intValue(int64(math.Floor(f)))
		return
	}
	a[x.id] = floatValue(f)
}

// check returns what is wrong with a range; "" if nothing is.
func (x *sampledAxis) check(p *Parameter) string {
	for _, f := range []float64{x.from, x.to} {
		if text := p.check(floatValue(f), exact.FormatFloat(f)); text != "" {
			return text
		}
	}
	if x.from > x.to {
		return fmt.Sprintf(
			"axis: got from %s and to %s, want from <= to",
			exact.FormatFloat(x.from),
			exact.FormatFloat(x.to),
		)
	}
	if x.log && (x.from <= 0 || math.IsInf(x.to/x.from, 0)) {
		return fmt.Sprintf("axis: got from %s with log: true, want > 0", exact.FormatFloat(x.from))
	}
	return ""
}

// mix is SplitMix64's finaliser, a bijection of 64-bit words.
func mix(z uint64) uint64 {
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
			left, right = right, left^mix(key+round*0x9e3779b97f4a7c15^mix(right))&mask
		}
		if i = left<<half | right; i < n {
			return i
		}
	}
}

// Sobol' points.
const (
	// sobolBits is the resolution of a coordinate.
	sobolBits = 52
	// sobolDimensions is the number of dimensions that joeKuo has numbers for.
	sobolDimensions = 43
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
		mask := uint64(1)<<at | mix(seed+uint64(digit)+1)&(uint64(1)<<sobolBits-1)&^(uint64(2)<<at-1)
		for k := range v {
			out[k] |= uint64(bits.OnesCount64(v[k]&mask)&1) << at
		}
	}
	return out, mix(seed) >> (64 - sobolBits)
}
