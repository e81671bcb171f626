package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/node/solver"
)

//go:embed numpy.py
var numpyScript string

const (
	numpyRounds = 5
	denseSteps  = 21 // 0 to 20
	laneSteps   = 200
	lanePoints  = 10_000
)

// denseTargets are the ratios to NumPy that a dense specgd step should reach, by dimension.
var denseTargets = []struct {
	dimension int
	ratio     float64
}{{128, 1.5}, {256, 1.5}, {512, 1.25}}

// laneTarget is how many times as fast as NumPy's a point-step of three coefficients should be: 1.5
// ns, where NumPy took 5.5.
const laneTarget = 5.5 / 1.5

// measureNumPy measures in turns with a NumPy script on one thread: lanes of gd and specgd with
// three groups, ours with every metric and NumPy's with none, and dense specgd steps, all by the
// wall clock. If the interpreter has no NumPy, it reports that and measures nothing.
func measureNumPy(ctx context.Context, o Config, report *Report, lanes map[string]solver.Comparison) error {
	if err := exec.CommandContext(ctx, o.Python, "-c", "import numpy").Run(); err != nil {
		fmt.Fprintf(
			report.progress,
			"bench solver: %s has no NumPy (%v); choose another interpreter with --python\n",
			o.Python,
			err,
		)
		return ctx.Err()
	}
	beside := func(name, unit string, target float64, ours, theirs func() (float64, error)) error {
		report.begin("%s against NumPy", name)
		seconds, ratio, err := besideNumPy(o.Short, ours, theirs)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f := Figure{Name: name + " by the clock", Ratio: ratio, Baseline: "NumPy, one thread"}
		f.Value, f.Unit = rateOf(unit, 1, seconds)
		report.add(f, ratioAtLeast(target))
		return nil
	}
	for _, optimizer := range []string{"gd", "specgd"} {
		c := lanes[optimizer]
		ours := func() (float64, error) {
			start := time.Now()
			err := c.Ours(ctx)
			return time.Since(start).Seconds() / c.Work, err
		}
		theirs := func() (float64, error) {
			seconds, err := timeNumPy(ctx, o.Python, optimizer, lanePoints, laneSteps)
			return seconds / lanePoints, err
		}
		if err := beside(c.Name, c.Unit, laneTarget, ours, theirs); err != nil {
			return err
		}
	}
	for _, target := range denseTargets {
		d := target.dimension
		if o.Short {
			d = 16
		}
		ours := func() (float64, error) { return timeDenseSteps(d) }
		theirs := func() (float64, error) { return timeNumPy(ctx, o.Python, "dense", d, denseSteps) }
		name := fmt.Sprintf("dense specgd, d = m = %d", d)
		if err := beside(name, solver.Steps, target.ratio, ours, theirs); err != nil {
			return err
		}
	}
	return nil
}

// besideNumPy returns the median of our times, and the median of the ratios of theirs to ours,
// measured in turns.
func besideNumPy(short bool, ours, theirs func() (float64, error)) (seconds, ratio float64, err error) {
	rounds := numpyRounds
	if short {
		rounds = 1
	}
	var times, ratios []float64
	for range rounds {
		a, err := ours()
		if err != nil {
			return 0, 0, err
		}
		b, err := theirs()
		if err != nil {
			return 0, 0, err
		}
		times, ratios = append(times, a), append(ratios, b/a)
	}
	return median(times), median(ratios), nil
}

// timeDenseSteps returns the median time of our steps, in seconds.
func timeDenseSteps(d int) (float64, error) {
	step, err := solver.DenseSteps(d)
	if err != nil {
		return 0, err
	}
	var times []float64
	for range denseSteps {
		start := time.Now()
		if err := step(); err != nil {
			return 0, fmt.Errorf("dense step at d = %d: %w", d, err)
		}
		times = append(times, time.Since(start).Seconds())
	}
	return median(times), nil
}

// timeNumPy returns the median time of NumPy's steps, in seconds.
func timeNumPy(ctx context.Context, python, what string, size, steps int) (float64, error) {
	cmd := exec.CommandContext(ctx, python, "-", what, strconv.Itoa(size), strconv.Itoa(steps))
	cmd.Stdin = strings.NewReader(numpyScript)
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("time NumPy's steps: %w", err)
	}
	var times []float64
	for line := range strings.Lines(string(out)) {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			return 0, fmt.Errorf("time NumPy's steps: %w", err)
		}
		times = append(times, seconds)
	}
	if len(times) == 0 {
		return 0, errors.New("time NumPy's steps: the script printed no times")
	}
	return median(times), nil
}
