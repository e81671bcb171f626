package coordinator

import (
	"context"
	"slices"
	"testing"
)

// oneTransaction is a ledger that notes how many writes each transaction has.
type oneTransaction struct {
	Ledger
	sizes []int
}

func (l *oneTransaction) Commit(ctx context.Context, writes []Write) error {
	l.sizes = append(l.sizes, len(writes))
	return l.Ledger.Commit(ctx, writes)
}

// TestFoldIsOneTransaction: a new leader finds more done keys of a part than one transaction can write.
func TestFoldIsOneTransaction(t *testing.T) {
	c, err := New(Config{Memory: NewMemory(), Store: &fileStore{}})
	if err != nil {
		t.Fatal(err)
	}
	reign, err := c.cfg.Memory.campaign(t.Context(), "here", func() {})
	if err != nil {
		t.Fatal(err)
	}
	ledger := &oneTransaction{Ledger: reign.Ledger}
	reign.Ledger = ledger
	term := newTerm(c, reign)
	ref := partRef{"id", 0}
	for n := range 2*maxWrites + 50 {
		item := []shelfItem{{shard: n, at: location{object: "spool/x"}}}
		if err := term.commit(t.Context(), []Write{{Key: doneKey("id", 0, n), Value: must(encodeDone(item))}}); err != nil {
			t.Fatal(err)
		}
		term.shelf.put(ref, n, item, true)
	}
	ledger.sizes = nil
	for range 5 {
		if err := term.fold(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{foldAt + 1, foldAt + 1, foldAt + 1}; !slices.Equal(ledger.sizes, want) {
		t.Errorf("folded by transactions of %v writes, want %v", ledger.sizes, want)
	}
	var shards []int
	err = reign.Ledger.Load(t.Context(), donePrefix("id", 0), func(_ string, value []byte) error {
		items, err := decodeDone(value)
		for _, it := range items {
			shards = append(shards, it.shard)
		}
		return err
	})
	slices.Sort(shards)
	if err != nil || len(shards) != 2*maxWrites+50 || len(slices.Compact(shards)) != len(shards) {
		t.Errorf("the keys hold %d shards, %v", len(shards), err)
	}
}
