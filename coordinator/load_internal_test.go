package coordinator

import (
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// TestLeaderGoesByTheCutsThatAreKept: a leader does not cut a sweep again, which may take a look at each of ten million points, and
// the next one has to look too.
func TestLeaderGoesByTheCutsThatAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		cuts   func(d *design) *sweep.Plan
		shards int
		phase  Phase
	}{
		"as they were cut": {func(d *design) *sweep.Plan { return d.plan }, 67, Running},
		"otherwise": {func(d *design) *sweep.Plan {
			size := d.spec.Size()
			return must(sweep.RestorePlan(d.spec, d.version, []sweep.CutRun{{Shards: 1, Points: size - 1}, {Shards: 1, Points: 1}}, []int64{0, 1}))
		}, 2, Running},
		"of no sweep of this size": {func(*design) *sweep.Plan {
			spec := must(sweep.Parse("x.yaml", []byte(strings.ReplaceAll(tinySweep, "name: ", "replicates: 77\nname: ")), sweep.Limits{}))
			return must(sweep.NewPlan(t.Context(), spec, sweep.PlanVersion))
		}, 0, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			leader, e := idleTerm(t, NewMemory())
			d := *e.design
			d.plan = test.cuts(&d)
			if err := leader.commit(t.Context(), []Write{{Key: sweepKey(d.id), Value: must(encodeSweep(&d))}}); err != nil {
				t.Fatal(err)
			}
			next := newTerm(leader.Coordinator, &Reign{Ledger: leader.ledger, Epoch: leader.epoch})
			if _, err := next.load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p, _ := next.board.Progress(d.id); p.Shards != test.shards || p.Phase != test.phase {
				t.Errorf("%d shards, %v", p.Shards, p.Phase)
			}
		})
	}
}
