package bench

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
)

// solverTargets are what figures should reach on one core with AVX-512, by a part of their names; a
// space precedes the names. The first match counts.
var solverTargets = []struct {
	part    string
	targets []Target
}{
	{"power law", []Target{ratioAtLeast(4)}},
	{"muon", []Target{ratioAtLeast(5)}},
	{" specgd, 3 coefficients", []Target{atMost(1.5), ratioAtLeast(5)}},
	{" gd, 3 coefficients", []Target{atMost(1.5), ratioAtLeast(5)}},
	{"dgemm", []Target{ratioAtLeast(6)}},
	{"polar factor", []Target{ratioAtLeast(12)}},
	{"subspace", []Target{ratioAtLeast(1 / 1.2)}},
}

// targetsOf returns the targets of the figure of a name.
func targetsOf(figure string) []Target {
	for _, t := range solverTargets {
		if strings.Contains(" "+figure, t.part) {
			return t.targets
		}
	}
	return nil
}

// measureSolver measures the solver on one core, by processor time.
func measureSolver(ctx context.Context, o Config, report *Report) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that gonum uses one core, too
	lanes := map[string]solver.Comparison{}         // with three coefficients, by optimizer
	for c, err := range solver.Comparisons(o.Short) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		report.begin("%s", c.Name)
		watch := stopwatch{reset: c.Reset, short: o.Short}
		seconds, ratio, err := watch.versus(func() error { return c.Ours(ctx) }, func() error { return c.Theirs(ctx) })
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		f := Figure{Name: c.Name, Ratio: ratio * c.Work / c.TheirWork, Baseline: c.Baseline}
		f.Value, f.Unit = rateOf(c.Unit, c.Work, seconds)
		report.add(f, targetsOf(c.Name)...)
		if optimizer, rest, _ := strings.Cut(c.Name, ", "); rest == "3 coefficients" {
			lanes[optimizer] = c
		}
	}
	return measureNumPy(ctx, o, report, lanes)
}

// rateOf returns a rate in the usual unit.
func rateOf(unit string, work, seconds float64) (float64, string) {
	switch unit {
	case solver.Flops:
		return work / seconds / 1e9, "GFLOP/s"
	case solver.PointSteps:
		return seconds / work * 1e9, "ns/point-step"
	case solver.Steps:
		return seconds / work * 1e6, "us/step"
	}
	return seconds / work * 1e3, "ms"
}
