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
		}, 67, board.Running}, // and so planned again
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

// TestSweepsOfAnEarlierPlanVersion: one that ended is served as it was, and stays ended; one that
// did not is refused, in words.
func TestSweepsOfAnEarlierPlanVersion(t *testing.T) {
	const canonical = `{"fixed":{"anisotropy":1,"covariance":"spiked","dimension":8,"init_scale":0.1,` +
		`"learning_rate":0.1,"optimizer":"gd","steps":3},"grid":{"teacher_norm2":` +
		`{"range":{"from":0.1,"step":0.1,"to":0.5}}}}`
	spec := must(sweep.Decode([]byte(canonical)))
	cuts := []sweep.CutRun{{Shards: 1, Points: spec.Size()}}
	plan := must(sweep.RestorePlan(spec, 1, cuts, []int64{0}))
	for _, phase := range []board.Phase{board.Running, board.Done} {
		leader, _ := idleTerm(t, ledger.NewMemory())
		d := must(newDesign(spec, plan, "old", sweep.BuiltinSolver(3), 1))
		stored := []ledger.Write{
			{Key: ledger.SweepKey(d.id), Value: must(ledger.EncodeSweep(d.state()))},
			{Key: ledger.PhaseKey(d.id), Value: []byte(phase.String())},
		}
		if err := leader.commit(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		next := again(leader)
		states := must(next.load(t.Context()))
		e := next.lookup(d.id)
		p, _ := next.board.Progress(d.id)
		if len(states) != 1 || e == nil {
			t.Fatalf("%v: %d sweeps", phase, len(states))
		}
		if phase == board.Running {
			const want = "plan version of the sweep: got 1, want 2; finish it with the release that submitted it, " +
				"or submit its file again as a new sweep"
			if p.Phase != board.Failed || e.failure != want {
				t.Errorf("an unfinished sweep: %v, %q", p.Phase, e.failure)
			}
		} else if p.Phase != board.Done || e.failure != "" || p.Shards != 1 || e.design.id != d.id {
			t.Errorf("a finished sweep: %v, %q, %d shards", p.Phase, e.failure, p.Shards)
		}
	}
}
