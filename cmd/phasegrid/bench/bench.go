package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The measurements, in the order in which Run takes them.
const (
	Solver     = "solver"
	Scheduling = "schedule"
	Merging    = "merge"
	Planning   = "plan"
)

// Config configures Run.
type Config struct {
	Schedule ScheduleConfig
	Merge    MergeConfig
	Sweeps   []string // files whose time is predicted; none for the built-in cases
	Python   string   // an interpreter with NumPy, for comparisons of the solver
	Revision string   // of this program
	Short    bool     // measure next to nothing: shows that everything works
	Log      *slog.Logger
	Progress io.Writer // gets a line for each measurement
	// Failovers takes the leader of a cluster of processes away in several ways, at most in max of
	// them, and calls each with the way and the time until the next leader acknowledges a shard.
	Failovers func(ctx context.Context, folder string, max int, each func(way string, took time.Duration)) error
}

// Defaults are the values that targets are set for.
func Defaults() Config {
	return Config{
		Schedule: ScheduleConfig{Nodes: 1000, Shards: 20_000, Duration: 5 * time.Second},
		Merge:    MergeConfig{Rows: 2_000_000},
		Python:   "python3",
	}
}

// Check returns an error about values that are out of range.
func (c Config) Check() error {
	if err := c.Schedule.check(); err != nil {
		return err
	}
	return c.Merge.check()
}

// Run takes the named measurements; all if none is named.
func Run(ctx context.Context, cfg Config, names ...string) (*Report, error) {
	report := &Report{Machine: thisMachine(cfg.Revision), progress: cfg.Progress}
	for _, m := range []struct {
		name    string
		measure func(context.Context, Config, *Report) error
	}{{Solver, measureSolver}, {Scheduling, measureSchedule}, {Merging, measureMerge}, {Planning, measurePlan}} {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		report.bench = m.name
		if err := m.measure(ctx, cfg, report); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("bench %s: %w", m.name, err)
		}
	}
	return report, nil
}

// tempFolder creates a directory for one measurement, and returns what removes it.
func tempFolder(parent string) (folder string, remove func(), err error) {
	if folder, err = os.MkdirTemp(parent, "phasegrid-bench-"); err != nil {
		return "", nil, fmt.Errorf("create a directory for the measurement: %w; choose another one with TMPDIR", err)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return "", nil, err
	}
	return folder, func() { os.RemoveAll(folder) }, nil
}
