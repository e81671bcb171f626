package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/estimate"
	"github.com/phasegrid/phasegrid/sweep"
)

// planRounds is how often a sweep is run, unless its time was as predicted before: other programs
// on the machine add to it.
const planRounds = 3

// planFactor is how far from the measured time a predicted one may be.
const planFactor = 2

// planCase is a sweep that takes a second or so. `with` follows the parameters that all have.
type planCase struct{ name, with, record, grid string }

const seeds = "seed: [1, 2, 3, 4]"

// planCases are the kinds of work that a sweep can be.
var planCases = []planCase{
	{"three coefficients, gd", "optimizer: gd, dimension: 100, steps: 20000", "none",
		"anisotropy: {linspace: {from: 1, to: 30, num: 20000}}"},
	{"three coefficients, power", "optimizer: power, power: 0.5, dimension: 100, steps: 20000", "none",
		"anisotropy: {linspace: {from: 1, to: 30, num: 2000}}"},
	{"100 eigenvalues, specgd", "optimizer: specgd, covariance: power_law, dimension: 100, steps: 20000", "none",
		"exponent: {linspace: {from: 0.5, to: 2, num: 500}}"},
	{"100,000 eigenvalues, gd", "optimizer: gd, covariance: power_law, dimension: 100000, steps: 5000", "none",
		"exponent: [0.5, 0.7, 0.9, 1.1]"},
	{"every step recorded", "optimizer: gd, dimension: 100, steps: 2000", "{every: 1}",
		"anisotropy: {linspace: {from: 1, to: 30, num: 500}}"},
	{"short points", "optimizer: gd, dimension: 100, steps: 10", "none",
		"anisotropy: {linspace: {from: 1, to: 30, num: 50000}}"},
	{"dense metrics, d = 100", "optimizer: gd, representation: dense, init: gaussian, dimension: 100, steps: 500",
		"{every: 1}", seeds},
	{"finite samples", "optimizer: gd, model: finite_sample, samples: 2000, init: gaussian, dimension: 100, " +
		"width: 50, steps: 300", "none", seeds},
	{"minibatches", "optimizer: specgd, model: minibatch, samples: 1000, batch_size: 100, init: gaussian, " +
		"dimension: 60, width: 20, steps: 4000", "none", seeds},
	{"online", "optimizer: muon, model: online, batch_size: 100, init: gaussian, dimension: 100, width: 60, " +
		"steps: 500", "none", seeds},
	{
		"correlated",
		"optimizer: gd, covariance: ar1, rho: 0.5, init: gaussian, dimension: 150, steps: 500",
		"none",
		seeds,
	},
	{"subspace, m = 8", "optimizer: specgd, init: gaussian, dimension: 10000, width: 8, steps: 40000", "none", seeds},
	{"subspace, m = 60", "optimizer: muon, init: gaussian, dimension: 10000, width: 60, steps: 1500", "none", seeds},
	{"subspace online", "optimizer: gd, model: online, batch_size: 50, init: gaussian, dimension: 1000, width: 4, " +
		"steps: 20000", "none", seeds},
}

// denseCases are of every optimizer that has arithmetic of its own, by dimension.
func denseCases() (all []planCase) {
	for _, size := range []struct{ dimension, steps int }{{20, 10000}, {50, 4000}, {100, 800}, {200, 120}, {400, 20}} {
		for _, o := range []struct {
			name, with string
			share      int // of the steps
		}{{"gd", "", 2}, {"specgd", "", 1}, {"muon", "", 1}, {"adam", "", 2}, {"power", ", power: 0.5", 5},
			{"shampoo", "", 5}} {
			steps := max(2, size.steps/o.share)
			all = append(all, planCase{
				fmt.Sprintf("dense %s, d = m = %d", o.name, size.dimension),
				fmt.Sprintf("optimizer: %s%s, representation: dense, init: gaussian, dimension: %d, steps: %d",
					o.name, o.with, size.dimension, steps), "none", seeds})
		}
	}
	return all
}

func (c planCase) text() string {
	with := "init_scale: 0.001, learning_rate: 0.0001, " + c.with
	if !strings.Contains(with, "covariance") {
		with += ", covariance: spiked"
		if !strings.Contains(c.grid, "anisotropy") {
			with += ", anisotropy: 3"
		}
	}
	return fmt.Sprintf("name: case\nfixed: {%s}\ngrid: {%s}\nrecord: %s\n", with, c.grid, c.record)
}

// measurePlan compares predicted with measured times of phasegrid run, of sweep files, or of the
// cases here if there are none.
func measurePlan(ctx context.Context, cfg Config, report *Report) error {
	folder, remove, err := tempFolder("")
	if err != nil {
		return err
	}
	defer remove()
	if len(cfg.Sweeps) > 0 {
		for _, file := range cfg.Sweeps {
			name := strings.TrimSuffix(filepath.Base(file), ".yaml")
			if err := comparePlan(ctx, cfg, report, name, file, folder); err != nil {
				return err
			}
		}
		return nil
	}
	cases := append(planCases[:len(planCases):len(planCases)], denseCases()...)
	if cfg.Short {
		cases = []planCase{
			{"short", "optimizer: gd, dimension: 10, steps: 10", "none", "anisotropy: [1, 2]"},
			{
				"short, dense",
				"optimizer: gd, representation: dense, dimension: 10, steps: 10",
				"none",
				"anisotropy: [1, 2]",
			},
			{"short, recorded", "optimizer: gd, dimension: 10, steps: 10", "{every: 1}", "anisotropy: [1, 2]"},
		}
	}
	for _, c := range cases {
		file := filepath.Join(folder, "case.yaml")
		if err := os.WriteFile(file, []byte(c.text()), 0o644); err != nil {
			return err
		}
		if err := comparePlan(ctx, cfg, report, c.name, file, folder); err != nil {
			return err
		}
	}
	return nil
}

// comparePlan adds the figure of one sweep file.
func comparePlan(ctx context.Context, cfg Config, report *Report, name, file, folder string) error {
	report.begin("%s", name)
	e, err := predict(ctx, file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	predicted := e.Wall
	rounds := planRounds
	if cfg.Short {
		rounds = 1
	}
	measured, busy := 0.0, 0.0
	for round := range rounds {
		took, processor, err := timeRun(ctx, file, folder)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if round == 0 || took.Seconds() < measured {
			measured, busy = took.Seconds(), processor.Seconds()
		}
		if measured < planFactor*predicted {
			break
		}
	}
	targets := []Target{ratioAtLeast(1. / planFactor), {Of: "ratio", Most: planFactor}}
	if cfg.Short {
		targets = nil
	}
	report.add(Figure{
		Name: name, Value: measured, Unit: "s", Ratio: measured / predicted,
		Baseline: "predicted " + significant(predicted) + " s",
		Note: fmt.Sprintf(
			"processor time %s s, of points predicted %s s",
			significant(busy),
			significant(e.Solving()+e.Rows),
		),
	}, targets...)
	return nil
}

// predict is what plan shows.
func predict(ctx context.Context, file string) (estimate.Estimate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return estimate.Estimate{}, err
	}
	spec, err := sweep.Parse(file, text, sweep.Limits{})
	if err != nil {
		return estimate.Estimate{}, err
	}
	plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
	if err != nil {
		return estimate.Estimate{}, err
	}
	return estimate.Of(ctx, spec, plan.Summary(), runtime.GOMAXPROCS(0))
}

// timeRun is the time that phasegrid run takes, and its processor time.
func timeRun(ctx context.Context, file, parent string) (took, processor time.Duration, err error) {
	folder, remove, err := tempFolder(parent)
	if err != nil {
		return 0, 0, err
	}
	defer remove()
	program, err := os.Executable()
	if err != nil {
		return 0, 0, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, "run", file,
		"--out", filepath.Join(folder, "results"), "--state", filepath.Join(folder, "state"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, out)
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// errMissed says that a measurement that must reach its targets has missed some.
var errMissed = errors.New("the predicted time is not within a factor of two of the measured one")

// CheckPlan returns an error about sweeps whose predicted time was not as measured.
func (r *Report) CheckPlan() error {
	var missed []string
	for _, f := range r.Figures {
		for _, t := range f.Targets {
			if f.Bench == Planning && !t.Met {
				missed = append(missed, f.Name)
			}
		}
	}
	if len(missed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; repeat on an idle machine", errMissed, strings.Join(missed, "; "))
}
