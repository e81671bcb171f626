package board

import "math/bits"

// shardSet is a set of shards 0..size-1 with one bit each: 125 KB for the largest sweep.
type shardSet struct {
	words []uint64
	count int
	low   int // Invariant: words[:low] are all zero.
}

func newShardSet(size int) *shardSet {
	return &shardSet{words: make([]uint64, (size+63)/64)}
}

func (s *shardSet) len() int { return s.count }

func (s *shardSet) has(i int) bool { return s.words[i/64]>>(i%64)&1 == 1 }

// add inserts shard i, and returns false if it was a member.
func (s *shardSet) add(i int) bool {
	if s.has(i) {
		return false
	}
	s.words[i/64] |= 1 << (i % 64)
	s.count++
	s.low = min(s.low, i/64)
	return true
}

// remove deletes shard i, and returns false if it was not a member.
func (s *shardSet) remove(i int) bool {
	if !s.has(i) {
		return false
	}
	s.words[i/64] &^= 1 << (i % 64)
	s.count--
	return true
}

// next returns the first member at or after i, or -1.
func (s *shardSet) next(i int) int {
	if s.count == 0 {
		return -1
	}
	for s.low < len(s.words) && s.words[s.low] == 0 {
		s.low++
	}
	w := i / 64
	if w < s.low {
		w, i = s.low, 0
	}
	if w >= len(s.words) {
		return -1
	}
	word := s.words[w] >> (i % 64) << (i % 64)
	for word == 0 {
		if w++; w == len(s.words) {
			return -1
		}
		word = s.words[w]
	}
	return w*64 + bits.TrailingZeros64(word)
}
