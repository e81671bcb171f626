package coordinator

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestUnplannableSweepWithShardsLoads: a sweep of another release is shown as failed, whatever is committed of it.
func TestUnplannableSweepWithShardsLoads(t *testing.T) {
	store, err := OpenStore(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	memory := NewMemory()
	c, err := New(Config{Memory: memory, Store: store, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	reign, err := memory.campaign(t.Context(), "here", func() {})
	if err != nil {
		t.Fatal(err)
	}
	const id = "0123456789abcdef"
	d := &design{id: id, name: "old", canonical: []byte("{}"), solver: 1, version: 1 << 20, created: time.Unix(1e9, 0)}
	err = reign.Ledger.Commit(t.Context(), []Write{
		{Key: sweepKey(id), Value: encodeSweep(d)}, {Key: phaseKey(id), Value: []byte(Running.String())},
		{Key: doneKey(id, 0, 0), Value: encodeDone([]shelfItem{{shard: 70, at: location{object: "spool/x"}, rows: Counts{OK: 3}}})},
		{Key: lossKey(id, 71), Value: encodeLoss(Loss{Shard: 71, Attempts: 1})},
	})
	if err != nil {
		t.Fatal(err)
	}
	leader := newTerm(c, reign)
	if err := leader.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, ok := leader.board.Progress(id)
	if !ok || p.Phase != Failed || p.Counts.OK != 3 || len(p.Losses) != 0 {
		t.Errorf("on the board: %+v, %v", p, ok)
	}
}
