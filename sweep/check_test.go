package sweep_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

func TestWarnings(t *testing.T) {
	const rest = "name: x\nfixed: {covariance: spiked, anisotropy: 3, dimension: 10, steps: 5, " +
		"init_scale: 0.1, learning_rate: 0.1, optimizer: gd}\n"
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{"grid: {init: [identity, gaussian]}\nreplicates: 1\n", ""},
		{"replicates: 3\n",
			"x.yaml:1:1: replicates: got 3, but 3 of 3 checked points use no random numbers " +
				"and give the same row each time"},
		{"grid: {init: [identity, gaussian]}\nreplicates: 2\n",
			"x.yaml:1:1: replicates: got 2, but 2 of 4 checked points use no random numbers " +
				"and give the same row each time"},
		{"grid: {rho: [0.5]}\n",
			"x.yaml:3:14: rho: ignored, applies to no point of this sweep (only where covariance: ar1)"},
		{"sample: {method: sobol, num: 10, axes: {weight_decay: {from: 0, to: 1}}}\n",
			"x.yaml:3:30: num: got 10, but Sobol points are balanced for powers of two only, such as 16"},
		{"grid: {weight_decay: [0.1, 0.2, 1e-1]}\n",
			"x.yaml:3:33: axis of weight_decay: 1e-1 is also entry 1; its points are computed twice"},
	} {
		spec, err := sweep.Parse("x.yaml", []byte(rest+c.src), sweep.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(spec.Warnings(), "\n"); got != c.want {
			t.Errorf("%q warns %q, want %q", c.src, got, c.want)
		}
	}
}

// Beyond a million points a fixed sample is checked. What it misses is a point that says why it
// cannot be solved.
func TestImpossiblePointFoundLaterIsInvalid(t *testing.T) {
	spec := parse(t, `
name: rare
fixed: {covariance: spiked, anisotropy: 3, dimension: 10, steps: 5, learning_rate: 0.1, optimizer: gd}
grid: {weight_decay: {range: {from: 0, to: 100000000, step: 1}}}
derive: {init_scale: weight_decay - 12345678}
where: weight_decay > 12345670 and weight_decay < 12345680
`)
	if _, exact := spec.Count(); exact {
		t.Error("the count of a hundred million points is exact")
	}
	p, ok := spec.Point(12345678)
	if want := "init_scale: got 0, want a number in 1e-150..1000000"; !ok || p.Invalid != want {
		t.Errorf("the point is %q, %v, want %q", p.Invalid, ok, want)
	}
	if p, ok := spec.Point(12345679); !ok || p.Invalid != "" || p.Params[sweep.InitScale].Float() != 1 {
		t.Errorf("the point after it is %v, %v", p, ok)
	}
	if _, ok := spec.Point(12345680); ok {
		t.Error("where keeps the point at 12345680")
	}
}

func TestLimitOnPointMemory(t *testing.T) {
	src := []byte(
		strings.Replace(diagram, "1000000]", "1000000]\n  covariance: [{name: ar1, rho: 0.5, teacher: uniform}]", 1),
	)
	src = []byte(strings.Replace(string(src), "covariance: spiked, ", "", 1))
	_, err := sweep.Parse("sweep.yaml", src, sweep.Limits{})
	var mistakes sweep.Mistakes
	if !errors.As(err, &mistakes) || !slices.ContainsFunc(mistakes, func(p sweep.Mistake) bool {
		return p.Line == 7 &&
			strings.Contains(
				p.Text,
				"want at most 2 GiB; lower dimension, width or samples, or raise --max-point-bytes",
			)
	}) {
		t.Errorf("the error is %v", err)
	}
	if _, err := sweep.Parse("sweep.yaml", src, sweep.Limits{PointBytes: 1 << 60}); err != nil {
		t.Error(err)
	}
}

// A seed that is derived starts its replicates, and an axis of auto resolves like a single one.
func TestReplicatesCountFromTheirSeed(t *testing.T) {
	spec := parse(t, `
name: seeds
fixed: {model: online, batch_size: 3, covariance: spiked, anisotropy: 3, steps: 5, init_scale: 0.1,
  learning_rate: auto, optimizer: gd}
grid: {dimension: [10, 20]}
derive: {seed: 100 * dimension}
replicates: 3
`)
	var got []int64
	for p := range spec.Points(0, spec.Size()) {
		got = append(got, p.Params[sweep.Seed].Int())
	}
	if want := []int64{1000, 1001, 1002, 2000, 2001, 2002}; !slices.Equal(got, want) {
		t.Errorf("seeds %v, want %v", got, want)
	}
	if want := []sweep.ParameterID{sweep.Model, sweep.Optimizer, sweep.Dimension, sweep.Steps, sweep.BatchSize,
		sweep.Covariance,
		sweep.Anisotropy, sweep.InitScale, sweep.LearningRate, sweep.Seed}; !slices.Equal(
		spec.Columns(),
		want,
	) {
		t.Errorf("Columns() = %v, want %v", spec.Columns(), want)
	}
}
