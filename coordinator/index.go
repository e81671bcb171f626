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

// indexPart has the committed shards of a part.
type indexPart struct {
	items  []ledger.DoneShard
	next   int         // number of the next done key
	groups []doneGroup // small keys since the last compaction
}

// doneGroup is one small done key.
type doneGroup struct {
	n     int
	items []ledger.DoneShard
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
	p.items = append(p.items, items...)
	p.next = max(p.next, n+1)
	if len(items) < maxCompacted {
		p.groups = append(p.groups, doneGroup{n, items})
	}
	if load {
		for _, it := range items {
			s.spool.Hold(it.Object, 1)
		}
	}
}

// compactable returns the oldest small keys of a part, as many as one compaction takes, or nil if
// there are fewer. A new leader also compacts what earlier ones compacted, up to maxCompacted.
func (s *index) compactable(ref partRef) []doneGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	if len(p.groups) < compactAt {
		return nil
	}
	return slices.Clone(p.groups[:compactAt])
}

// compacted records that the oldest small keys of a part were compacted into one, which is not
// compacted again in this term.
func (s *index) compacted(ref partRef, groups int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.groups = slices.Delete(p.groups, 0, groups)
}

// items returns the committed shards of a part, by shard.
func (s *index) items(ref partRef) []ledger.DoneShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := slices.Clone(s.at(ref).items)
	slices.SortFunc(items, func(a, b ledger.DoneShard) int { return a.Shard - b.Shard })
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
	return p.items
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
