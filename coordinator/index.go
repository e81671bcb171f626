package coordinator

import (
	"context"
	"slices"
	"sync"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
)

// foldAt is how many done keys of a part are folded into one. That is one transaction: in two, a
// crash between them would leave shards that were acknowledged without a key.
const compactAt = 64

const _ = uint(ledger.MaxWrites - (compactAt + 1)) // the keys that go and the one that comes

// maxFolded is from how many shards on a done key is large enough, and is not folded. So a folded
// one has less than foldAt times as many: some 30 bytes each, far from the 1.5 MiB at which etcd
// refuses a request.
const maxCompacted = 512

// frameOf is where the frame of a committed shard lies.
func frameOf(s ledger.DoneShard) spool.Location {
	return spool.Location{Object: s.Object, Offset: s.Offset, Bytes: s.Bytes}
}

// shelf knows where the bytes of committed shards lie until their part is merged, and which keys of
// the ledger say so. Safe for concurrent use.
type index struct {
	spool *spool.Spool

	mu    sync.Mutex
	parts map[partRef]*indexPart
}

type partRef struct {
	sweep string
	part  int
}

type indexPart struct {
	items  []ledger.DoneShard
	next   int         // number of the next done key
	groups []doneGroup // small keys since the last fold
}

// shelfGroup is one key of the ledger with a few items.
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

// number is the number of a new done key of a part.
func (s *index) number(ref partRef) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.next++
	return p.next - 1
}

// put notes what done key n of a part holds. The spool holds each frame already, unless load is
// set.
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

// foldable returns the oldest small keys of a part, as many as are folded into one, if there are so
// many. A new leader folds also what the one before folded, up to maxFolded.
func (s *index) compactable(ref partRef) []doneGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	if len(p.groups) < compactAt {
		return nil
	}
	return slices.Clone(p.groups[:compactAt])
}

// folded notes that keys of a part were folded into one, which is not folded again.
func (s *index) compacted(ref partRef, groups int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.at(ref)
	p.groups = slices.Delete(p.groups, 0, groups)
}

// items are the committed shards of a part, by shard.
func (s *index) items(ref partRef) []ledger.DoneShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := slices.Clone(s.at(ref).items)
	slices.SortFunc(items, func(a, b ledger.DoneShard) int { return a.Shard - b.Shard })
	return items
}

// drop forgets a part that is merged, or whose sweep is gone. The frames that it had are for free.
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

// free gives frames up.
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
