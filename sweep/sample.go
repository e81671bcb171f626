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
