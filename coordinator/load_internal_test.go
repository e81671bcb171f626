package coordinator

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/sweep"
)

// TestLeaderGoesByTheCutsThatAreKept: a leader does not plan a stored sweep again, which may mean
// to look at ten million points.
func TestLeaderGoesByTheCutsThatAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		cuts   func(d *design) *sweep.Plan
		shards int
		phase  board.Phase
	}{
		"as they were cut": {func(d *design) *sweep.Plan { return d.plan }, 67, board.Running},
		// By an earlier release, or because they are too many.
		"not kept": {func(*design) *sweep.Plan { return &sweep.Plan{} }, 67, board.Running},
		"otherwise": {func(d *design) *sweep.Plan {
			size := d.spec.Size()
			cuts := []sweep.CutRun{{Shards: 1, Points: size - 1}, {Shards: 1, Points: 1}}
			return must(sweep.RestorePlan(d.spec, d.planVersion, cuts, []int64{0, 1}))
		}, 2, board.Running},
		"of no sweep of this size": {func(*design) *sweep.Plan {
			file := strings.ReplaceAll(tinySweep, "name: ", "replicates: 77\nname: ")
			spec := must(sweep.Parse("x.yaml", []byte(file), sweep.Limits{}))
			return must(sweep.NewPlan(t.Context(), spec, sweep.PlanVersion))
		}, 0, board.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			leader, e := idleTerm(t, ledger.NewMemory())
			d := *e.design
			d.plan = test.cuts(&d)
			stored := ledger.Write{Key: ledger.SweepKey(d.id), Value: must(ledger.EncodeSweep(d.state()))}
			if err := leader.commit(t.Context(), []ledger.Write{stored}); err != nil {
				t.Fatal(err)
			}
			next := again(leader)
			if _, err := next.load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p, _ := next.board.Progress(d.id); p.Shards != test.shards || p.Phase != test.phase {
				t.Errorf("%d shards, %v", p.Shards, p.Phase)
			}
		})
	}
}

// TestTermThatEndsWhileItCuts: a term that ends while a sweep is planned reports nothing about the
// sweep.
func TestTermThatEndsWhileItCuts(t *testing.T) {
	leader, e := idleTerm(t, ledger.NewMemory())
	d := *e.design
	d.plan = &sweep.Plan{} // its cuts are not kept
	stored := ledger.Write{Key: ledger.SweepKey(d.id), Value: must(ledger.EncodeSweep(d.state()))}
	if err := leader.commit(t.Context(), []ledger.Write{stored}); err != nil {
		t.Fatal(err)
	}
	states, _, err := ledger.LoadSweeps(t.Context(), leader.ledger)
	if err != nil || len(states) != 1 {
		t.Fatal(states, err)
	}
	var log bytes.Buffer
	next := again(leader)
	next.log = slog.New(slog.NewTextHandler(&log, nil))
	ended, end := context.WithCancel(t.Context())
	end()
	if next.entryOf(ended, states[0]); log.Len() > 0 {
		t.Errorf("the log has %q", &log)
	}
	if _, err := next.load(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("load = %v", err)
	}
}
