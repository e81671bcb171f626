package estimate

import (
	"context"
	"fmt"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// planned parses and plans a sweep of `count` points. It records the steps that `record` says.
func planned(t *testing.T, fixed string, steps, count int, record string) (*sweep.Spec, sweep.Summary) {
	t.Helper()
	text := fmt.Sprintf("name: some\nrecord: %s\nfixed: {init_scale: 0.001, learning_rate: 1e-4, steps: %d, %s}\n"+
		"grid: {seed: {range: {from: 1, to: %d, step: 1}}}\n", record, steps, fixed, count)
	spec, err := sweep.Parse("some.yaml", []byte(text), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sweep.NewPlan(context.Background(), spec, sweep.PlanVersion)
	if err != nil {
		t.Fatal(err)
	}
	return spec, plan.Summary()
}

const spiked = "covariance: spiked, anisotropy: 3, "

// works are points of every representation and model.
var works = map[string]string{
	"reduced":    spiked + "dimension: 50, optimizer: gd",
	"groups":     "covariance: power_law, exponent: 1, dimension: 300, optimizer: power, power: 0.5",
	"subspace":   spiked + "dimension: 500, width: 3, init: gaussian, optimizer: specgd",
	"dense":      spiked + "dimension: 12, init: gaussian, optimizer: shampoo",
	"correlated": "covariance: ar1, rho: 0.5, dimension: 12, init: gaussian, optimizer: gd",
	"finite_sample": spiked + "dimension: 12, init: gaussian, optimizer: muon, " +
		"model: finite_sample, samples: 50",
	"minibatch": spiked + "dimension: 12, init: gaussian, optimizer: adam, " +
		"model: minibatch, samples: 50, batch_size: 5",
	"online": spiked + "dimension: 300, width: 2, init: gaussian, optimizer: gd, " +
		"model: online, batch_size: 5",
}

// At given speeds a prediction follows from the work: equal work takes equal time, and more steps,
// points or metrics take longer.
func TestPredictionFollowsTheWork(t *testing.T) {
	for name, fixed := range works {
		t.Run(name, func(t *testing.T) {
			of := func(steps, count int, record string, slots int) Estimate {
				_, s := planned(t, fixed, steps, count, record)
				speeds := make([]speed, len(s.Shapes))
				for i := range speeds {
					speeds[i] = speed{setup: 1e-9, step: 1e-9, metrics: 2e-9}
				}
				return combine(s, speeds, 1e-6, slots)
			}
			base := of(100, 3, "{every: 50}", 1)
			if again := of(100, 3, "{every: 50}", 1); again != base {
				t.Errorf("the same sweep is predicted as %+v and %+v", base, again)
			}
			if twice := of(200, 3, "{every: 100}", 1); !near(twice.Steps, 2*base.Steps) ||
				twice.Metrics != base.Metrics ||
				twice.Wall <= base.Wall {
				t.Errorf("100 steps %+v, 200 steps %+v", base, twice)
			}
			if twice := of(100, 6, "{every: 50}", 1); !near(twice.Solving(), 2*base.Solving()) ||
				!near(twice.Rows, 2*base.Rows) ||
				twice.Wall <= base.Wall {
				t.Errorf("3 points %+v, 6 points %+v", base, twice)
			}
			if more := of(100, 3, "{every: 1}", 1); more.Steps != base.Steps || more.Metrics <= base.Metrics ||
				more.Rows <= base.Rows || more.Wall <= base.Wall {
				t.Errorf("3 recorded steps %+v, 101 recorded steps %+v", base, more)
			}
			if more := of(100, 3, "{every: 50}", 8); more != base {
				t.Errorf("one shard takes %+v on one slot, %+v on eight", base, more)
			}
		})
	}
}

func near(x, y float64) bool { return x > y*(1-1e-9) && x < y*(1+1e-9) }

// Whatever a sweep is of, steps are timed, and huge points take no more memory than a small one.
func TestEveryKindOfWorkIsTimed(t *testing.T) {
	for name, fixed := range works {
		t.Run(name, func(t *testing.T) { probed(t, fixed) })
	}
	for name, fixed := range map[string]string{
		"reduced": "covariance: power_law, exponent: 1, dimension: 1000000, optimizer: power, power: 0.5",
		"dense": spiked + "dimension: 20000, init: gaussian, optimizer: specgd, " +
			"representation: dense",
		"rotated": spiked + "dimension: 20000, width: 3, init: gaussian, optimizer: gd, " +
			"rotate: householder, model: finite_sample, samples: 100000",
		"correlated": "covariance: ar1, rho: 0.9, dimension: 20000, init: gaussian, optimizer: muon, ns_steps: 7",
		"samples": spiked + "dimension: 100, width: 1, init: gaussian, optimizer: gd, " +
			"model: finite_sample, samples: 100000000",
		"minibatch": spiked + "dimension: 100, width: 1, init: gaussian, optimizer: adam, " +
			"model: minibatch, samples: 100000000, batch_size: 10",
		"subspace": spiked + "dimension: 100000000, width: 200, init: gaussian, optimizer: muon",
		"online": spiked + "dimension: 1000000, width: 100, init: gaussian, optimizer: gd, " +
			"model: online, batch_size: 1000000",
	} {
		t.Run("huge "+name, func(t *testing.T) { probed(t, fixed) })
	}
}

func probed(t *testing.T, fixed string) {
	text := fmt.Sprintf(
		"name: some\nrecord: none\nfixed: {init_scale: 0.001, learning_rate: 1e-4, steps: 5000, %s}\n",
		fixed,
	)
	spec, err := sweep.Parse("some.yaml", []byte(text), sweep.Limits{PointBytes: 1 << 50})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sweep.NewPlan(context.Background(), spec, sweep.PlanVersion)
	if err != nil {
		t.Fatal(err)
	}
	v, ok, err := newProber(spec, plan.Summary()).speed(context.Background(), plan.Summary().Shapes[0])
	if err != nil || !ok || !(v.step > 0) {
		t.Errorf("speed %+v, timed %t, %v", v, ok, err)
	}
}

// Of points too large for a probe, whatever they are of, there are smaller ones.
func TestHugePointsHaveSmallerOnes(t *testing.T) {
	models := []string{"population", "finite_sample, samples: 100000", "online, batch_size: 70",
		"minibatch, samples: 100000, batch_size: 70"}
	others := []string{"", ", rotate: householder", ", inputs: laplace", ", negative_units: 2", ", teacher: uniform"}
	covariances := []string{"spiked, anisotropy: 3", "ar1, rho: 0.5", "block, blocks: [[3, 1000], [1, 19000]]"}
	tried := 0
	for _, rule := range sweep.Optimizers() {
		name := rule.Name
		if name == "power" {
			name += ", power: 0.5"
		}
		for i := range len(models) * len(others) {
			fixed := fmt.Sprintf(
				"dimension: 20000, width: 3000, init: gaussian, optimizer: %s, model: %s%s, covariance: %s",
				name,
				models[i%len(models)],
				others[i%len(others)],
				covariances[i%len(covariances)],
			)
			text := "name: some\nrecord: none\nfixed: {init_scale: 0.001, learning_rate: 1e-4, steps: 20, " +
				fixed + "}\n"
			spec, err := sweep.Parse("some.yaml", []byte(text), sweep.Limits{PointBytes: 1 << 50})
			if err != nil {
				continue // inputs of the population
			}
			plan, err := sweep.NewPlan(context.Background(), spec, sweep.PlanVersion)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			shape := plan.Summary().Shapes[0]
			point, ok := firstPoint(spec, shape)
			if !ok || small(shape, point) {
				t.Fatalf("%s: is small, or not found", fixed)
			}
			like, less, ok, err := newProber(spec, plan.Summary()).smallerPoint(context.Background(), shape, point)
			if err != nil || !ok || !small(less, like) || less.Optimizer != shape.Optimizer ||
				less.Model != shape.Model ||
				less.Representation != shape.Representation {
				t.Errorf("%s: %+v, found %t, %v", fixed, less, ok, err)
			}
		}
	}
	if tried < 100 {
		t.Errorf("%d points tried", tried)
	}
}

func TestWarningIsOfMetricsThatCostMore(t *testing.T) {
	for e, want := range map[Estimate]bool{
		{Steps: 10, Metrics: 9}:      false,
		{Steps: 10, Metrics: 11}:     true,
		{Steps: 0.001, Metrics: 0.1}: false, // seconds that nobody misses
	} {
		if e.MetricsDominate() != want {
			t.Errorf("%+v: %v", e, !want)
		}
	}
}
