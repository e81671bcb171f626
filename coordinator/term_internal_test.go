package coordinator

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/sweep"
)

// TestUnplannableSweepWithShardsLoads: a sweep of another release is shown as failed, whatever is
// committed of it.
func TestUnplannableSweepWithShardsLoads(t *testing.T) {
	sets, err := store.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	memory := ledger.NewMemory()
	c, err := New(
		Config{Ledger: memory, Store: sets, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}
	leadership, err := memory.Campaign(t.Context(), "here", func() {})
	if err != nil {
		t.Fatal(err)
	}
	const id = "0123456789abcdef"
	d := &design{
		id:          id,
		name:        "old",
		canonical:   []byte("{}"),
		solver:      sweep.BuiltinSolver(1),
		planVersion: 1 << 20,
		created:     time.Unix(1e9, 0),
		plan:        &sweep.Plan{},
	}
	err = leadership.Ledger.Commit(t.Context(), []ledger.Write{
		{
			Key:   ledger.SweepKey(id),
			Value: must(ledger.EncodeSweep(d.state())),
		}, {Key: ledger.PhaseKey(id), Value: []byte(board.Running.String())},
		{
			Key: ledger.DoneKey(id, 0, 0),
			Value: must(
				ledger.EncodeDone([]ledger.DoneShard{{Shard: 70, Object: "spool/x", Rows: board.Counts{OK: 3}}}),
			),
		},
		{
			Key:   ledger.FailuresKey(id, 71),
			Value: must(ledger.EncodeFailures(board.ShardFailures{Shard: 71, Attempts: 1})),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	leader := termOf(c, leadership)
	if _, err := leader.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, ok := leader.board.Progress(id)
	if !ok || p.Phase != board.Failed || p.Counts.OK != 3 || len(p.Failures) != 0 {
		t.Errorf("on the board: %+v, %v", p, ok)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestValueThatCannotBeEncoded: a text that is not UTF-8 is an error and does not end the
// coordinator.
func TestValueThatCannotBeEncoded(t *testing.T) {
	const bad = "\xff"
	loss := board.ShardFailures{Shard: 1, Failures: []board.LeaseFailure{{Node: bad}}}
	for name, encoded := range map[string]func() ([]byte, error){
		"sweep": func() ([]byte, error) { return ledger.EncodeSweep(ledger.SweepState{Name: bad}) },
		"done":  func() ([]byte, error) { return ledger.EncodeDone([]ledger.DoneShard{{Object: bad}}) },
		"part": func() ([]byte, error) {
			return ledger.EncodePart(ledger.PartState{Files: []ledger.PartFile{{Path: bad}}})
		},
		"loss": func() ([]byte, error) { return ledger.EncodeFailures(loss) },
	} {
		if value, err := encoded(); err == nil {
			t.Errorf("%s: %q", name, value)
		}
	}
	leader := &term{
		log:     slog.New(slog.DiscardHandler),
		saves:   newQueue[save](),
		waiters: map[uint64]func(board.Answer){},
	}
	told := false
	leader.waiters[1] = func(board.Answer) { told = true }
	leader.execute([]board.Action{board.SaveFailures{Sweep: "s", Failures: loss}, board.Answer{Token: 1}})
	if saves := leader.saves.all(); len(saves) != 0 || !told {
		t.Errorf("%d saves, and what follows is told: %v", len(saves), told)
	}
}
