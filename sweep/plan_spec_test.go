package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

func plan(t testing.TB, spec *sweep.Spec) *sweep.Plan {
	t.Helper()
	p, err := sweep.NewPlan(t.Context(), spec, sweep.PlanVersion)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const billion = `
name: billion
fixed: {covariance: spiked, steps: 1000, init_scale: 0.001}
grid:
  optimizer: [gd, specgd]
  dimension: [30, 100, 300, 1000, 3000]
  anisotropy: {logspace: {from: 0.5, to: 200, num: 1000}}
  learning_rate: {logspace: {from: 0.0001, to: 0.1, num: 1000}}
replicates: 100
record: {log: 20}
`

// A plan takes the memory of its shards, however many points they hold.
func TestPlanOfABillionPointsIsSmall(t *testing.T) {
	spec := parse(t, billion)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := plan(t, spec)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 100_000_000 {
		t.Errorf("%d bytes were allocated", got)
	}
	s := p.Summary()
	if s.Indices != 1_000_000_000 || s.Points != s.Indices || len(s.Shapes) != 10 || s.MoreShapes {
		t.Errorf("%d of %d points, %d shapes", s.Points, s.Indices, len(s.Shapes))
	}
	if first, end := p.Shard(p.Shards() - 1); end != 1_000_000_000 || first >= end {
		t.Errorf("the last shard is [%d, %d)", first, end)
	}
}

// To cut ten million points whose cost is an expression takes half a minute, for which nobody waits
// who has ended.
func TestPlanEndsWithItsContext(t *testing.T) {
	spec := parse(t, billion)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion); !errors.Is(err, context.Canceled) {
		t.Errorf("NewPlan = %v", err)
	}
}

func BenchmarkPlanOfABillionPoints(b *testing.B) {
	spec := parse(b, billion)
	for b.Loop() {
		plan(b, spec)
	}
}

// A run costs the same at each of its points: the shards' costs are the sum over the points, each
// on its own.
func TestPlanCostsArePointCosts(t *testing.T) {
	spec := parse(t, `
name: mixed
fixed: {covariance: spiked, init_scale: 0.001}
grid:
  optimizer: [gd, specgd, {name: muon, ns_steps: 3}, {name: power, power: 0.5}]
  anisotropy: {linspace: {from: 0.5, to: 20, num: 7}}
  dimension: [30, 100, 300]
  init: [identity, gaussian]
derive:
  learning_rate: 0.02 / sqrt(dimension)
  steps: "optimizer == 'gd' ? 80 : ceil(2 / learning_rate)"
record: {every: 10}
`)
	p := plan(t, spec)
	var want, got int64
	seen := map[sweep.Shape]bool{}
	for point := range spec.Points(0, spec.Size()) {
		if point.Invalid != "" {
			t.Fatal(point.Invalid)
		}
		want += sweep.Cost(point.Params, spec.Record().Count(point.Params[sweep.Steps].Int()))
		seen[sweep.Shape{Optimizer: point.Params[sweep.Optimizer].Text(),
			Dimension:      point.Params[sweep.Dimension].Int(),
			Representation: point.Params[sweep.Representation].Text()}] = true
	}
	for i := range p.Shards() {
		got += p.Cost(i)
	}
	if got != want {
		t.Errorf("the shards cost %d, the points %d", got, want)
	}
	if s := p.Summary(); len(s.Shapes) != len(seen) || int64(s.Flops) != want {
		t.Errorf("%d shapes, want %d; %.0f flops, want %d", len(s.Shapes), len(seen), s.Flops, want)
	}
}

func TestSummaryScalesWithWhere(t *testing.T) {
	const text = `
name: some
fixed: {covariance: spiked, steps: 1000, init_scale: 0.001, learning_rate: 0.01, dimension: 30, optimizer: gd}
grid:
  anisotropy: {linspace: {from: 1, to: 10, num: 10}}
`
	all := plan(t, parse(t, text)).Summary()
	half := plan(t, parse(t, text+"where: anisotropy > 5.5\n")).Summary()
	if half.Indices != 10 || half.Points != 5 || !half.Exact || half.Flops != all.Flops/2 ||
		half.Arrow.Points != all.Arrow.Points/2 {
		t.Errorf("all %+v, half %+v", all, half)
	}
	if half.Shards != 1 || half.Parts != 1 || half.PointBytes == 0 || half.ParquetBytes == 0 {
		t.Errorf("%+v", half)
	}
}

// Points that need terabytes and that `where` leaves out do not keep their shard waiting for a node
// of that size.
func TestPlanMemoryIsThatOfThePointsThatAreKept(t *testing.T) {
	const text = `
name: kept
fixed: {covariance: spiked, anisotropy: 3, steps: 10, init_scale: 0.001, learning_rate: 0.01, optimizer: gd}
grid:
  representation: [reduced, dense]
  dimension: [30, 1000000]
where: representation == 'reduced' or dimension < 1000
`
	p := plan(t, parse(t, text))
	for i := range p.Shards() {
		if p.Bytes(i) > 1<<20 {
			t.Errorf("shard %d of %d is said to need %d bytes", i, p.Shards(), p.Bytes(i))
		}
	}
	if s := p.Summary(); s.PointBytes > 1<<20 {
		t.Errorf("the largest point is said to need %d bytes", s.PointBytes)
	}
	large, err := sweep.Parse(
		"test.yaml",
		[]byte(strings.Replace(text, "where: ", "where: true or ", 1)),
		sweep.Limits{PointBytes: 1 << 50},
	)
	if err != nil {
		t.Fatal(err)
	}
	if s := plan(t, large).Summary(); s.PointBytes < 8e12 {
		t.Errorf("a million by a million is said to need %d bytes", s.PointBytes)
	}
}

// The cuts of a plan version are a promise: a sweep that began with them ends with them. A
// difference here means that the cost or the row sizes have changed, and that they must do so under
// a new version, beside the old one.
func TestPlanVersionIsFrozen(t *testing.T) {
	p := plan(t, parse(t, `
name: frozen
fixed: {init_scale: 0.01, learning_rate: 0.001, power: 0.5}
union:
  - fixed: {covariance: spiked, anisotropy: 3}
    grid:
      optimizer: [gd, momentum, ngd, specgd, nucspec, muon, power, dynmuon, signgd, signum, adam, shampoo]
      representation: [reduced, dense]
      dimension: [20, 200]
      steps: [10, 1000]
  - fixed: {covariance: power_law, exponent: 1, dimension: 300}
    grid:
      optimizer: [gd, muon]
      steps: [1000, 100000]
      teacher: [eigen, uniform]
      seed: {range: {from: 1, to: 100, step: 1}}
  - fixed: {covariance: block, blocks: [[3, 10], [1, 990]], dimension: 1000, width: 10, steps: 2000}
    grid:
      model: [population, online]
      batch_size: [5, 50]
      init: [gaussian, orthonormal]
      optimizer: [specgd, {name: muon, orthogonalizer: exact}, gd]
      rotate: [none, householder]
  - fixed: {covariance: ar1, rho: 0.3, teacher: uniform, model: finite_sample, samples: 100, dimension: 50, steps: 500}
    grid:
      optimizer: [gd, adam]
record: {log: 30, coefficients: true}
`))
	hash := fnv.New64a()
	for i := range p.Shards() {
		_, end := p.Shard(i)
		fmt.Fprintln(hash, end, p.Cost(i))
	}
	for i := range p.Parts() {
		first, _ := p.Part(i)
		fmt.Fprintln(hash, first)
	}
	const want = "586 shards, 2 parts, 2b8b80d6b90181b0"
	if got := fmt.Sprintf("%d shards, %d parts, %x", p.Shards(), p.Parts(), hash.Sum64()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
