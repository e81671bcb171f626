package coordinator

import (
	"context"
	"slices"
	"sync"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
)

// compactAt is how many done keys of a part are compacted into one. That takes one transaction:
// with two, a crash in between would leave acknowledged shards without a key.
const compactAt = 64

const _ = uint(ledger.MaxWrites - (compactAt + 1)) // compactAt deletions and a put fit into a transaction

// maxCompacted is the number of shards from which a done key is no longer compacted. A
// compacted key has less than compactAt times as many, of about 30 bytes each, far from the 1.5 MiB
// that etcd accepts.
const maxCompacted = 512

// frameOf is where the frame of a committed shard is.
func frameOf(s ledger.DoneShard) spool.Location {
	return spool.Location{Object: s.Object, Offset: s.Offset, Bytes: s.Bytes}
}

// index is the spool index: where the frames of committed shards are until their part is merged,
// and which ledger keys say so. Safe for concurrent use.
type index struct {
	spool *spool.Spool

	mu    sync.Mutex
	parts map[partRef]*indexPart
}

// partRef names a part.
type partRef struct {
	sweep string
	part  int
}

// indexPart has the committed shards of a part, by the done keys that say so.
type indexPart struct {
	keys []doneKey
	next int // number of the next done key
}

// doneKey is one done key of a part.
type doneKey struct {
	n     int
	items []ledger.DoneShard
	large bool // not compacted any more
}

func newIndex(s *spool.Spool) *index { return &index{spool: s, parts: map[partRef]*indexPart{}} }

func (s *index) at(ref partRef) *indexPart {
	p := s.parts[ref]
	if p == nil {
		p = &indexPart{}
		s.parts[ref] = p
	}
	return p
}

// number allocates the number of a new done key of a part.
func (s *index) number(ref partRef) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.next++
	return p.next - 1
}

// put records what done key n of a part has. With load, it also holds the frames in the spool; the
// spool itself holds the frames that this term appends.
func (s *index) put(ref partRef, n int, items []ledger.DoneShard, load bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.keys = append(p.keys, doneKey{n, items, len(items) >= maxCompacted})
	p.next = max(p.next, n+1)
	if load {
		for _, it := range items {
			s.spool.Hold(it.Object, 1)
		}
	}
}

// compactable returns the oldest small keys of a part, as many as one compaction takes, or nil if
// there are fewer. A new leader also compacts what earlier ones compacted, up to maxCompacted.
func (s *index) compactable(ref partRef) []doneKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var small []doneKey
	for _, k := range s.at(ref).keys {
		if !k.large {
			small = append(small, k)
		}
	}
	if len(small) < compactAt {
		return nil
	}
	return small[:compactAt]
}

// compacted records that small keys of a part were compacted into key n, which is not compacted
// again in this term.
func (s *index) compacted(ref partRef, small []doneKey, n int, items []ledger.DoneShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.keys = slices.DeleteFunc(p.keys, func(k doneKey) bool {
		return slices.ContainsFunc(small, func(old doneKey) bool { return old.n == k.n })
	})
	p.keys = append(p.keys, doneKey{n, items, true})
}

// without returns the done keys of a part that have shards in lost, with the shards that they keep.
func (s *index) without(ref partRef, lost map[int]bool) []doneKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []doneKey
	for _, k := range s.at(ref).keys {
		kept := slices.DeleteFunc(slices.Clone(k.items), func(it ledger.DoneShard) bool { return lost[it.Shard] })
		if len(kept) < len(k.items) {
			k.items = kept
			changed = append(changed, k)
		}
	}
	return changed
}

// replace records what done keys of a part have now; one without shards is gone.
func (s *index) replace(ref partRef, changed []doneKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	for _, c := range changed {
		i := slices.IndexFunc(p.keys, func(k doneKey) bool { return k.n == c.n })
		p.keys[i] = c
	}
	p.keys = slices.DeleteFunc(p.keys, func(k doneKey) bool { return len(k.items) == 0 })
}

// items returns the committed shards of a part, by shard.
func (s *index) items(ref partRef) []ledger.DoneShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := s.at(ref).items()
	slices.SortFunc(items, func(a, b ledger.DoneShard) int { return a.Shard - b.Shard })
	return items
}

func (p *indexPart) items() []ledger.DoneShard {
	var items []ledger.DoneShard
	for _, k := range p.keys {
		items = append(items, k.items...)
	}
	return items
}

// drop forgets a part that is merged or whose sweep is gone, and returns its shards, whose frames
// can be reclaimed.
func (s *index) drop(ref partRef) []ledger.DoneShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[ref]
	delete(s.parts, ref)
	if p == nil {
		return nil
	}
	return p.items()
}

// reclaim releases frames in the spool.
func (s *index) reclaim(ctx context.Context, items []ledger.DoneShard) {
	frames := map[string]int{}
	for _, it := range items {
		frames[it.Object]++
	}
	for object, n := range frames {
		s.spool.Release(ctx, object, n)
	}
}

// dropSweep drops every part of a sweep.
func (s *index) dropSweep(sweep string) []ledger.DoneShard {
	s.mu.Lock()
	var refs []partRef
	for ref := range s.parts {
		if ref.sweep == sweep {
			refs = append(refs, ref)
		}
	}
	s.mu.Unlock()
	var items []ledger.DoneShard
	for _, ref := range refs {
		items = append(items, s.drop(ref)...)
	}
	return items
}
