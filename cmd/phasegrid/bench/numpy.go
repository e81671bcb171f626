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
	manyGroups  = 100_000
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
// three groups, ours with every metric and NumPy's with none, one point with many groups, and dense
// specgd steps, all by the wall clock. If the interpreter has no NumPy, it reports that and
// measures nothing.
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
	m := numpyMeasurements{o, report}
	for _, optimizer := range []string{"gd", "specgd"} {
		if err := m.lanes(ctx, optimizer, lanes[optimizer]); err != nil {
			return err
		}
	}
	for _, optimizer := range []string{"gd", "power"} {
		if err := m.many(ctx, optimizer); err != nil {
			return err
		}
	}
	for _, target := range denseTargets {
		if err := m.dense(ctx, target.dimension, target.ratio); err != nil {
			return err
		}
	}
	return nil
}

// numpyMeasurements are those beside NumPy.
type numpyMeasurements struct {
	cfg    Config
	report *Report
}

// beside adds the figure of two ways to take steps, each of which returns the seconds of one.
func (m numpyMeasurements) beside(name, unit string, target float64, ours, theirs func() (float64, error)) error {
	m.report.begin("%s against NumPy", name)
	seconds, ratio, err := besideNumPy(m.cfg.Short, ours, theirs)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f := Figure{Name: name + " by the clock", Ratio: ratio, Baseline: "NumPy, one thread"}
	f.Value, f.Unit = rateOf(unit, 1, seconds)
	m.report.add(f, ratioAtLeast(target))
	return nil
}

// lanes measures points of three groups.
func (m numpyMeasurements) lanes(ctx context.Context, optimizer string, c solver.Comparison) error {
	return m.beside(c.Name, c.Unit, laneTarget, timed(ctx, c.Ours, c.Work), func() (float64, error) {
		seconds, err := timeNumPy(ctx, m.cfg.Python, optimizer, lanePoints, laneSteps)
		return seconds / lanePoints, err
	})
}

// many measures one point with many groups.
func (m numpyMeasurements) many(ctx context.Context, optimizer string) error {
	groups := manyGroups
	if m.cfg.Short {
		groups = 100
	}
	solve, err := solver.ManyGroups(optimizer, groups, laneSteps)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s, one point with %d eigenvalues", optimizer, groups)
	return m.beside(name, solver.Steps, 1, timed(ctx, solve, laneSteps), func() (float64, error) {
		return timeNumPy(ctx, m.cfg.Python, "many-"+optimizer, groups, laneSteps)
	})
}

// dense measures specgd steps in d dimensions.
func (m numpyMeasurements) dense(ctx context.Context, d int, target float64) error {
	if m.cfg.Short {
		d = 16
	}
	ours := func() (float64, error) { return timeDenseSteps(d) }
	theirs := func() (float64, error) { return timeNumPy(ctx, m.cfg.Python, "dense", d, denseSteps) }
	return m.beside(fmt.Sprintf("dense specgd, d = m = %d", d), solver.Steps, target, ours, theirs)
}

// timed returns what takes the time of a unit of work.
func timed(ctx context.Context, solve func(context.Context) error, work float64) func() (float64, error) {
	return func() (float64, error) {
		start := time.Now()
		err := solve(ctx)
		return time.Since(start).Seconds() / work, err
	}
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
