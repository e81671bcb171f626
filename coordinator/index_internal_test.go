package coordinator

import (
	"context"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// oneTransaction is a ledger that counts the writes of each transaction.
type oneTransaction struct {
	ledger.Ledger
	sizes []int
}

func (l *oneTransaction) Commit(ctx context.Context, writes []ledger.Write) error {
	l.sizes = append(l.sizes, len(writes))
	return l.Ledger.Commit(ctx, writes)
}

// TestCompactionIsOneTransaction: a new leader finds more done keys of a part than one transaction
// can write.
func TestCompactionIsOneTransaction(t *testing.T) {
	c, err := New(Config{Ledger: ledger.NewMemory(), Store: noStore{}})
	if err != nil {
		t.Fatal(err)
	}
	leadership, err := c.cfg.Ledger.Campaign(t.Context(), "here", func() {})
	if err != nil {
		t.Fatal(err)
	}
	guarded := &oneTransaction{Ledger: leadership.Ledger}
	leadership.Ledger = guarded
	term := termOf(c, leadership)
	ref := partRef{"id", 0}
	for n := range 2*ledger.MaxWrites + 50 {
		item := []ledger.DoneShard{{Shard: n, Object: "spool/x"}}
		done := ledger.Write{Key: ledger.DoneKey("id", 0, n), Value: must(ledger.EncodeDone(item))}
		if err := term.commit(t.Context(), []ledger.Write{done}); err != nil {
			t.Fatal(err)
		}
		term.index.put(ref, n, item, true)
	}
	guarded.sizes = nil
	for range 5 {
		if err := term.compact(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{compactAt + 1, compactAt + 1, compactAt + 1}; !slices.Equal(guarded.sizes, want) {
		t.Errorf("folded by transactions of %v writes, want %v", guarded.sizes, want)
	}
	var shards []int
	for _, d := range doneOf(t, leadership.Ledger) {
		for _, it := range d.Items {
			shards = append(shards, it.Shard)
		}
	}
	slices.Sort(shards)
	if len(shards) != 2*ledger.MaxWrites+50 || len(slices.Compact(shards)) != len(shards) {
		t.Errorf("the keys hold %d shards", len(shards))
	}
}

// doneOf returns the done keys of the sweep "id", after it has written the key of the sweep.
func doneOf(t *testing.T, l ledger.Ledger) []ledger.DoneState {
	t.Helper()
	if err := l.Commit(t.Context(), []ledger.Write{{Key: ledger.SweepKey("id")}}); err != nil {
		t.Fatal(err)
	}
	sweeps, _, err := ledger.LoadSweeps(t.Context(), l)
	if err != nil || len(sweeps) != 1 {
		t.Fatalf("LoadSweeps = %d sweeps, %v", len(sweeps), err)
	}
	return sweeps[0].Done
}

// widest is a ledger that notes the size of the largest value.
type widest struct {
	ledger.Ledger
	bytes int
}

func (l *widest) Commit(ctx context.Context, writes []ledger.Write) error {
	for _, w := range writes {
		l.bytes = max(l.bytes, len(w.Value))
	}
	return l.Ledger.Commit(ctx, writes)
}

// TestCompactedKeysStaySmall: a part of very many shards is computed under several leaders. What
// one has compacted the next ones do not compact again and again: etcd rejects a request of more
// than 1.5 MiB, which would block the part.
func TestCompactedKeysStaySmall(t *testing.T) {
	const shards, leaders, group = 360_000, 3, 8
	memory := ledger.NewMemory()
	ref := partRef{"id", 0}
	for n := range leaders {
		c, err := New(Config{Ledger: memory, Store: noStore{}})
		if err != nil {
			t.Fatal(err)
		}
		leadership, err := memory.Campaign(t.Context(), "here", func() {})
		if err != nil {
			t.Fatal(err)
		}
		guarded := &widest{Ledger: leadership.Ledger}
		leadership.Ledger = guarded
		term := termOf(c, leadership)
		keys, held := 0, 0
		for _, d := range doneOf(t, guarded) {
			term.index.put(ref, d.N, d.Items, true)
			keys, held = keys+1, held+len(d.Items)
		}
		if held != n*shards/leaders {
			t.Fatalf("leader %d finds %d shards", n, held)
		}
		if limit := 64 + held/(compactAt*group) + 64; keys > limit {
			t.Errorf("leader %d finds %d keys; at most %d are needed", n, keys, limit)
		}
		for first := n * shards / leaders; first < (n+1)*shards/leaders; first += group {
			var items []ledger.DoneShard
			for s := first; s < first+group; s++ {
				items = append(
					items,
					ledger.DoneShard{
						Shard: s, Object: "spool/0000000000000001-000001",
						Offset: int64(s%6000) * 11000, Bytes: 11000, Rows: board.Counts{OK: 1},
					},
				)
			}
			if err := term.compact(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			number := term.index.number(ref)
			done := ledger.Write{Key: ledger.DoneKey("id", 0, number), Value: must(ledger.EncodeDone(items))}
			if err := term.commit(t.Context(), []ledger.Write{done}); err != nil {
				t.Fatal(err)
			}
			term.index.put(ref, number, items, false)
		}
		if guarded.bytes > 1<<20 {
			t.Errorf("leader %d wrote a value of %d bytes", n, guarded.bytes)
		}
		if err := leadership.Resign(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// noStore is a store that is not used.
type noStore struct{ store.Store }
