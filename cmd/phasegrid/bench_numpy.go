package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/node/solver"
)

//go:embed bench_numpy.py
var numpyScript string

const (
	numpySteps  = 21 // 0 to 20
	numpyRounds = 5
)

// numpyTargets are how many times as fast as NumPy's a dense specgd step should be, by dimension.
var numpyTargets = []struct {
	dimension int
	ratio     float64
}{{128, 1.5}, {256, 1.5}, {512, 1.25}}

// benchNumPy measures dense specgd steps, medians by the clock, in turns with a script of NumPy's on one thread. Where python has no
// NumPy, it says so and measures nothing.
func benchNumPy(ctx context.Context, o benchOptions, report *benchReport) error {
	if err := exec.CommandContext(ctx, o.Python, "-c", "import numpy").Run(); err != nil {
		fmt.Fprintf(report.progress, "bench solver: %s has no NumPy (%v): --python names one that has\n", o.Python, err)
		return ctx.Err()
	}
	for _, target := range numpyTargets {
		d, rounds := target.dimension, numpyRounds
		if o.short {
			d, rounds = 16, 1
		}
		report.begin("dense specgd beside NumPy, d = m = %d", d)
		var ours, ratios []float64
		for range rounds {
			mine, err := timeDenseSteps(d)
			if err != nil {
				return err
			}
			theirs, err := timeNumPySteps(ctx, o.Python, d)
			if err != nil {
				return err
			}
			ours, ratios = append(ours, mine), append(ratios, theirs/mine)
		}
		f := benchFigure{Name: fmt.Sprintf("dense specgd by the clock, d = m = %d", d), Ratio: median(ratios), Baseline: "NumPy, one thread"}
		f.Value, f.Unit = rateOf(solver.Steps, 1, median(ours))
		report.add(f, ratioAtLeast(target.ratio))
	}
	return nil
}

// timeDenseSteps returns the median of our steps, in seconds.
func timeDenseSteps(d int) (float64, error) {
	step, err := solver.DenseSteps(d)
	if err != nil {
		return 0, err
	}
	var times []float64
	for range numpySteps {
		start := time.Now()
		if err := step(); err != nil {
			return 0, fmt.Errorf("dense step at d = %d: %w", d, err)
		}
		times = append(times, time.Since(start).Seconds())
	}
	return median(times), nil
}

// timeNumPySteps returns the median of NumPy's steps, in seconds.
func timeNumPySteps(ctx context.Context, python string, d int) (float64, error) {
	cmd := exec.CommandContext(ctx, python, "-", strconv.Itoa(d), strconv.Itoa(numpySteps))
	cmd.Stdin = strings.NewReader(numpyScript)
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("NumPy's steps at d = %d: %w", d, err)
	}
	var times []float64
	for line := range strings.Lines(string(out)) {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			return 0, fmt.Errorf("NumPy's steps at d = %d: %w", d, err)
		}
		times = append(times, seconds)
	}
	if len(times) == 0 {
		return 0, fmt.Errorf("NumPy's steps at d = %d: none were timed", d)
	}
	return median(times), nil
}
