package sweep

import (
	"iter"
	"math/bits"
)

// idSet is a set of parameters.
type idSet uint64

// The set has a bit for every parameter.
var _ [64 - NumParameters]struct{}

func (s idSet) with(id ParameterID) idSet    { return s | 1<<id }
func (s idSet) without(id ParameterID) idSet { return s &^ (1 << id) }
func (s idSet) has(id ParameterID) bool      { return s>>id&1 != 0 }

// first is the member that comes first in the table; the set is not empty.
func (s idSet) first() ParameterID { return ParameterID(bits.TrailingZeros64(uint64(s))) }

// all are the members in the order of the table.
func (s idSet) all() iter.Seq[ParameterID] {
	return func(yield func(ParameterID) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(s.first()) {
				return
			}
		}
	}
}
