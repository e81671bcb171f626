package coordinator

import (
	"context"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

const tinySweep = `
name: tiny
fixed:
  {model: population, covariance: spiked, init: identity, init_scale: 0.01, steps: 2000000,
   dimension: 10, learning_rate: 0.001}
grid:
  optimizer: [gd, specgd]
  anisotropy: {linspace: {from: 1, to: 50, num: 500}}
record: none
`

// idleTerm is a term without goroutines, and a sweep that is not submitted.
func idleTerm(t *testing.T, memory *ledger.Memory) (*term, *entry) {
	t.Helper()
	sets, err := store.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
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
	d, err := c.planner.parse(t.Context(), "tiny.yaml", []byte(tinySweep))
	if err != nil {
		t.Fatal(err)
	}
	return termOf(c, leadership), &entry{design: d, parts: map[int]ledger.PartState{}}
}

// termOf is a term of a coordinator, without goroutines.
func termOf(c *Coordinator, l *ledger.Leadership) *term {
	return newTerm(&c.cfg, l, &owner.Claim{Cluster: "test"}, c.log, c.alarms, c.metrics)
}

// again is the next term of the coordinator of a term, with the same ledger.
func again(t *term) *term {
	return newTerm(t.cfg, &ledger.Leadership{Ledger: t.ledger, Epoch: t.epoch}, t.claim, t.log, t.alarms, t.metrics)
}

// classOf is the arithmetic class of a sweep in the ledger.
func classOf(ctx context.Context, t *testing.T, l ledger.Ledger, id string) (class string) {
	t.Helper()
	err := l.Load(ctx, ledger.ClassKey(id), func(_ string, value []byte) error {
		class = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return class
}

// TestClassIsPinnedAgain: a sweep is removed and submitted again while a delivery is received,
// which then belongs to the new one. Its shard must not be durable without the class.
func TestClassIsPinnedAgain(t *testing.T) {
	leader, e := idleTerm(t, ledger.NewMemory())
	ctx := t.Context()
	commit := func(shards ...int) {
		t.Helper()
		var group []*incoming
		for _, s := range shards {
			group = append(group, &incoming{entry: e, shard: s, pinClass: "fma"})
		}
		if err := leader.commitGroup(ctx, group); err != nil {
			t.Fatal(err)
		}
		if class := classOf(ctx, t, leader.ledger, e.design.id); class != "fma" {
			t.Errorf("shards %d are durable, and the class is %q", shards, class)
		}
	}
	commit(0, 1)
	deleted := []ledger.Write{{Key: ledger.SweepPrefix(e.design.id), Delete: true, Prefix: true}}
	if err := leader.persist(ctx, deleted); err != nil {
		t.Fatal(err)
	}
	leader.reclaim(leader.index.dropSweep(e.design.id))
	commit(2)
}
