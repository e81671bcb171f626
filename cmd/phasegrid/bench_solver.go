package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
)

// solverTargets are what figures should reach on one core with AVX-512, by the beginning of their names.
var solverTargets = []struct {
	name    string
	targets []benchTarget
}{
	{"gd, 3 coefficients", []benchTarget{atMost(1.5), ratioAtLeast(5)}},
	{"specgd, 3 coefficients", []benchTarget{atMost(1.5), ratioAtLeast(5)}},
	{"muon, 3 coefficients", []benchTarget{ratioAtLeast(5)}},
	{"gd, power law", []benchTarget{ratioAtLeast(4)}},
	{"specgd, power law", []benchTarget{ratioAtLeast(4)}},
	{"muon, power law", []benchTarget{ratioAtLeast(4)}},
	{"dgemm", []benchTarget{ratioAtLeast(6)}},
	{"polar factor", []benchTarget{ratioAtLeast(12)}},
	{"subspace", []benchTarget{ratioAtLeast(1 / 1.2)}},
}

// benchSolver measures on one core, by processor time.
func benchSolver(ctx context.Context, o benchOptions, report *benchReport) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that gonum does not share its work out
	for c, err := range solver.Comparisons(o.short) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		report.begin("%s", c.Name)
		watch := stopwatch{reset: c.Reset, short: o.short}
		seconds, ratio, err := watch.versus(func() error { return c.Ours(ctx) }, func() error { return c.Theirs(ctx) })
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		f := benchFigure{Name: c.Name, Ratio: ratio * c.Work / c.TheirWork, Baseline: c.Baseline}
		f.Value, f.Unit = rateOf(c.Unit, c.Work, seconds)
		var targets []benchTarget
		for _, t := range solverTargets {
			if strings.HasPrefix(c.Name, t.name) {
				targets = t.targets
			}
		}
		report.add(f, targets...)
	}
	return benchNumPy(ctx, o, report)
}

// rateOf is how people say how fast that is.
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
