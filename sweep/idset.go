package sweep

import (
	"iter"
	"math/bits"
	"slices"
)

// idSet is a set of parameters: bit id%64 of word id/64. It is as long as its largest member needs,
// nil is the empty set, and it is never changed in place.
type idSet []uint64

// setOf is the set of some parameters.
func setOf(ids ...ParameterID) (s idSet) {
	for _, id := range ids {
		s = s.with(id)
	}
	return s
}

func (s idSet) with(id ParameterID) idSet {
	t := make(idSet, max(len(s), int(id)/64+1))
	copy(t, s)
	t[id/64] |= 1 << (id % 64)
	return t
}

func (s idSet) without(id ParameterID) idSet {
	if !s.has(id) {
		return s
	}
	t := slices.Clone(s)
	t[id/64] &^= 1 << (id % 64)
	return t
}

func (s idSet) has(id ParameterID) bool { return int(id)/64 < len(s) && s[id/64]>>(id%64)&1 != 0 }

func (s idSet) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// union has the members of either set.
func (s idSet) union(t idSet) idSet {
	if len(s) < len(t) {
		s, t = t, s
	}
	u := slices.Clone(s)
	for i, w := range t {
		u[i] |= w
	}
	return u
}

// common has the members of both sets.
func (s idSet) common(t idSet) idSet {
	u := slices.Clone(s[:min(len(s), len(t))])
	for i := range u {
		u[i] &= t[i]
	}
	return u
}

// minus has the members of s that t has not.
func (s idSet) minus(t idSet) idSet {
	u := slices.Clone(s)
	for i := range min(len(s), len(t)) {
		u[i] &^= t[i]
	}
	return u
}

// first is the member that comes first in the table; the set is not empty.
func (s idSet) first() ParameterID {
	for i, w := range s {
		if w != 0 {
			return ParameterID(64*i + bits.TrailingZeros64(w))
		}
	}
	panic("sweep: an empty set has no first member")
}

// all are the members in the order of the table.
func (s idSet) all() iter.Seq[ParameterID] {
	return func(yield func(ParameterID) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(ParameterID(64*i + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}
