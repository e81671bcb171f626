package sweep_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// TestPlanIsRestored: the shards and parts of every example are the same after they were kept.
func TestPlanIsRestored(t *testing.T) {
	for _, name := range exampleNames(t) {
		spec := example(t, name)
		want := plan(t, spec)
		runs, parts := want.CutRuns()
		got, err := sweep.RestorePlan(spec, sweep.PlanVersion, runs, parts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Shards() != want.Shards() || got.Parts() != want.Parts() {
			t.Fatalf(
				"%s: %d shards in %d parts, not %d in %d",
				name,
				got.Shards(),
				got.Parts(),
				want.Shards(),
				want.Parts(),
			)
		}
		for i := range want.Shards() {
			first, end := got.Shard(i)
			wantFirst, wantEnd := want.Shard(i)
			if first != wantFirst || end != wantEnd || got.Cost(i) != want.Cost(i) || got.Bytes(i) != want.Bytes(i) ||
				got.PartOf(i) != want.PartOf(i) {
				t.Fatalf("%s: shard %d is another one", name, i)
			}
		}
	}
}

func TestCutsOfAnotherSweep(t *testing.T) {
	spec := parse(t, diagram)
	runs, parts := plan(t, spec).CutRuns()
	size := spec.Size()
	for name, cuts := range map[string]struct {
		runs  []sweep.CutRun
		parts []int64
	}{
		"none":               {},
		"too few":            {[]sweep.CutRun{{1, size - 1, 1, 1}}, parts},
		"too many":           {slices.Concat(runs, runs), parts},
		"more than a number": {[]sweep.CutRun{{2, math.MaxInt64/2 + 1, 1, 1}}, parts},
		"empty shards":       {slices.Concat([]sweep.CutRun{{1, 0, 1, 1}}, runs), parts},
		"very many shards":   {[]sweep.CutRun{{math.MaxInt64, 1, 1, 1}}, parts},
		"negative":           {[]sweep.CutRun{{1, size, -1, 1}}, parts},
		"no parts":           {runs, nil},
		"late part":          {runs, []int64{1}},
		"parts out of order": {runs, []int64{0, 0}},
		"part beyond":        {runs, []int64{0, math.MaxInt64}},
	} {
		if _, err := sweep.RestorePlan(spec, sweep.PlanVersion, cuts.runs, cuts.parts); !errors.Is(
			err,
			sweep.ErrOtherSweep,
		) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sweep.RestorePlan(spec, sweep.PlanVersion+1, runs, parts); !errors.Is(err, sweep.ErrPlanVersion) {
		t.Errorf("another version: %v", err)
	}
}
