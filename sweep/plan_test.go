package sweep

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// cutRuns cuts synthetic runs as NewPlan cuts those of a spec.
func cutRuns(record Record, runs ...run) (*Plan, error) {
	c := cutter{constants: presentCuts(), record: record, plan: &Plan{spec: &Spec{}}, shapes: make(map[Shape]int)}
	err := c.cut(context.Background(), slices.Values(runs))
	return c.plan, err
}

// randomRuns draws adjacent runs of points that cost little or much.
func randomRuns(t *rapid.T) []run {
	var runs []run
	for n := int64(0); len(runs) < rapid.IntRange(1, 8).Draw(t, "runs"); n = runs[len(runs)-1].end {
		a := make(Assignment, NumParameters)
		for id, v := range map[ParameterID]Value{
			Optimizer:  textValue(rapid.SampledFrom([]string{"gd", "specgd", "muon"}).Draw(t, "optimizer")),
			Dimension:  intValue(rapid.Int64Range(3, 400).Draw(t, "dimension")),
			Covariance: textValue("spiked"), Anisotropy: floatValue(1), InitScale: floatValue(0.1),
			LearningRate: floatValue(0.1),
			Steps: intValue(rapid.SampledFrom([]int64{1, 100, 10_000, 1_000_000, 1_000_000_000}).Draw(t,
				"steps")),
			Representation: textValue(rapid.SampledFrom([]string{"reduced", "dense"}).Draw(t, "representation")),
		} {
			a[id] = v
		}
		if broken := builtin.resolve(a); broken != nil {
			t.Fatal(broken)
		}
		length := rapid.SampledFrom([]int64{1, 3, 500, 20_000}).Draw(t, "length")
		runs = append(runs, run{n, n + length, a})
	}
	return runs
}

// naivePlan cuts point by point, as the rule is stated.
func naivePlan(record Record, runs []run) (ends, parts []int64) {
	var cost, bytes, points, part int64
	end := int64(0)
	closeShard := func() {
		if len(parts) == 0 || part+bytes > 128<<20 {
			parts = append(parts, int64(len(ends)))
			part = 0
		}
		part += bytes
		ends = append(ends, end)
		cost, bytes, points = 0, 0, 0
	}
	for _, r := range runs {
		c := Cost(r.a, record.Count(r.a[Steps].Int()))
		rows := arrowBytes(r.a, record)
		for range r.end - r.first {
			b := rows.Points + rows.Trajectories + rows.Coefficients
			if points > 0 && (cost+c > 2_000_000_000 || bytes+b > 16<<20 || points+1 > 16_384) {
				closeShard()
			}
			cost, bytes, points, end = cost+c, bytes+b, points+1, end+1
		}
	}
	closeShard()
	return ends, parts
}

func TestPlanCutsAsTheRuleSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := randomRuns(t)
		record := rapid.SampledFrom([]Record{{}, {Log: 60}, {Every: 1000, Coefficients: true}}).Draw(t, "record")
		plan, err := cutRuns(record, runs...)
		if err != nil {
			t.Fatal(err)
		}
		ends, parts := naivePlan(record, runs)
		if plan.Shards() != int64(len(ends)) || !slices.Equal(plan.parts, parts) {
			t.Fatalf("%d shards and parts from %v, want %d and %v", plan.Shards(), plan.parts, len(ends), parts)
		}
		var total, want int64 // both may wrap around
		for i := range ends {
			if plan.shards[i].end != ends[i] {
				t.Fatalf("shard %d ends at %d, want %d", i, plan.shards[i].end, ends[i])
			}
			total += plan.Cost(int64(i))
		}
		for _, r := range runs {
			want += (r.end - r.first) * Cost(r.a, record.Count(r.a[Steps].Int()))
		}
		if total != want {
			t.Fatalf("the shards cost %d, the points %d", total, want)
		}
	})
}

func TestPlanPartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := randomRuns(t)
		plan, err := cutRuns(Record{Log: 60}, runs...)
		if err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		for i := range plan.Shards() {
			first, end := plan.Shard(i)
			if first != next || end <= first || end-first > 16_384 {
				t.Fatalf("shard %d is [%d, %d), the one before ends at %d", i, first, end, next)
			}
			if plan.ShardOf(first) != i || plan.ShardOf(end-1) != i {
				t.Fatalf("shard %d is not where its indices are", i)
			}
			if plan.Bytes(i) <= 0 || plan.Cost(i) <= 0 {
				t.Fatalf("shard %d takes %d bytes and %d units", i, plan.Bytes(i), plan.Cost(i))
			}
			next = end
		}
		if last := runs[len(runs)-1].end; next != last {
			t.Fatalf("the shards end at %d of %d", next, last)
		}
		next = 0
		for i := range plan.Parts() {
			first, end := plan.Part(i)
			if first != next || end <= first {
				t.Fatalf("part %d is [%d, %d), the one before ends at %d", i, first, end, next)
			}
			for shard := first; shard < end; shard++ {
				if plan.PartOf(shard) != i {
					t.Fatalf("shard %d is in part %d, not %d", shard, plan.PartOf(shard), i)
				}
			}
			next = end
		}
		if next != plan.Shards() {
			t.Fatalf("the parts end at shard %d of %d", next, plan.Shards())
		}
	})
}

// The same points in finer runs give the same cuts, so that how an enumeration groups points is no
// part of the contract.
func TestPlanDoesNotDependOnHowRunsAreSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := randomRuns(t)
		var fine []run
		for _, r := range runs {
			at := r.first
			for at < r.end {
				end := min(r.end, at+rapid.Int64Range(1, max(1, (r.end-r.first)/3+1)).Draw(t, "piece"))
				fine = append(fine, run{at, end, r.a})
				at = end
			}
		}
		one, err := cutRuns(Record{Log: 60}, runs...)
		if err != nil {
			t.Fatal(err)
		}
		two, err := cutRuns(Record{Log: 60}, fine...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(one.shards, two.shards) || !slices.Equal(one.parts, two.parts) {
			t.Fatal("the cuts differ")
		}
	})
}

func TestPlanRefusesTooManyShards(t *testing.T) {
	a := resolved(t, spiked("steps", 1_000_000_000)...)
	_, err := cutRuns(Record{}, run{0, maxShards, a})
	if err != nil {
		t.Fatalf("%d points of a shard each: %v", maxShards, err)
	}
	_, err = cutRuns(Record{}, run{0, 1 << 39, a})
	if !errors.Is(err, errTooLarge) {
		t.Fatalf("2^39 points of a shard each: %v", err)
	}
	if _, err := NewPlan(t.Context(), &Spec{}, 99); !errors.Is(err, errPlanVersion) {
		t.Fatalf("plan version 99: %v", err)
	}
}

func TestPlanOfInvalidPointsCostsLittle(t *testing.T) {
	broken := make(Assignment, NumParameters)
	plan, err := cutRuns(Record{Log: 60}, run{0, 20_000, broken})
	if err != nil || plan.Shards() != 2 || plan.Cost(0) != 16_384 {
		t.Fatalf("%d shards, %v", plan.Shards(), err)
	}
}
