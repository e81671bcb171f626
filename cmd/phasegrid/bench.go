package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

type benchOptions struct {
	Output   output
	Schedule benchScheduleOptions
	Merge    benchMergeOptions
	Python   string // that has NumPy, for the solver's comparison with it
	// Only what is named here is measured; all if it is empty.
	Benches []string
	// short measures next to nothing: it shows that all of it works.
	short  bool
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer
}

// benches are what bench can measure, in the order of bench all.
var benches = []struct {
	name, short string
	measure     func(context.Context, benchOptions, *benchReport) error
}{
	{"solver", "Measure the solver against scalar twins, gonum, its SVD, and NumPy", benchSolver},
	{"schedule", "Measure a coordinator with nodes that solve nothing", benchSchedule},
	{"merge", "Measure the merge of trajectories into Parquet, against DuckDB's COPY", benchMerge},
}

func (m Main) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: solver, scheduling, merge; or see a cluster through chaos",
		Long: `bench measures what this machine does. Ratios are taken in one run, ours and the baseline in turns, and are above 1 where
ours is faster: they mean something on a busy machine too. The solver is measured by processor time, and its fastest of
several rounds is shown; the rest is measured by the clock.
Where there is a target, it stands beside the figure.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o := benchOptions{stdout: m.Stdout, stderr: m.Stderr}
	run := func(cmd *cobra.Command, benches ...string) (err error) {
		o.Benches = benches
		if o.log, err = m.logger(cmd); err != nil {
			return err
		}
		return runBench(cmd.Context(), o)
	}
	all := &cobra.Command{
		Use: "all", Short: "Measure everything", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) },
	}
	python := func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&o.Python, "python", "python3", "a Python with NumPy, to measure beside it")
	}
	for _, b := range benches {
		one := &cobra.Command{
			Use: b.name, Short: b.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, b.name) },
		}
		switch b.name {
		case "solver":
			python(one)
		case "schedule":
			o.Schedule.addFlags(one)
		case "merge":
			o.Merge.addFlags(one)
		}
		cmd.AddCommand(one)
	}
	python(all)
	cmd.AddCommand(all)
	for _, c := range cmd.Commands() {
		o.Output.addFlag(c.Flags())
	}
	cmd.AddCommand(m.chaosCommand())
	return cmd
}

func runBench(ctx context.Context, o benchOptions) error {
	report := &benchReport{Machine: thisMachine(), progress: o.stderr}
	for _, b := range benches {
		if len(o.Benches) > 0 && !slices.Contains(o.Benches, b.name) {
			continue
		}
		report.bench = b.name
		if err := b.measure(ctx, o, report); err != nil {
			if ctx.Err() != nil {
				return errInterrupted
			}
			return fmt.Errorf("bench %s: %w", b.name, err)
		}
	}
	return o.Output.print(o.stdout, report, report.print)
}

// benchReport is what was measured, and where.
type benchReport struct {
	Machine machineView   `json:"machine" yaml:"machine"`
	Figures []benchFigure `json:"figures" yaml:"figures"`

	bench    string // being measured
	progress io.Writer
}

// machineView is the machine and the program that figures are from.
type machineView struct {
	CPU      string `json:"cpu" yaml:"cpu"`
	Cores    int    `json:"cores" yaml:"cores"`
	Kernel   string `json:"kernel" yaml:"kernel"`     // of the solver
	System   string `json:"system" yaml:"system"`     // operating system, its release
	Revision string `json:"revision" yaml:"revision"` // of this program
	Go       string `json:"go" yaml:"go"`
	Load     string `json:"load,omitempty" yaml:"load,omitempty"` // processes that wanted a core in the last minute, before the bench
}

func thisMachine() machineView {
	v := currentVersion()
	m := machineView{
		CPU:      "unknown",
		Cores:    runtime.GOMAXPROCS(0),
		Kernel:   v.Kernel,
		System:   v.Platform,
		Revision: v.Revision,
		Go:       v.Go,
	}
	// Where these files are missing, the report says less.
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU = cpuModel(string(text))
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	return m
}

// cpuModel finds the first processor's name in /proc/cpuinfo.
func cpuModel(text string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// benchFigure is one row of the report.
type benchFigure struct {
	Bench    string        `json:"bench" yaml:"bench"`
	Name     string        `json:"name" yaml:"name"`
	Value    float64       `json:"value" yaml:"value"`
	Unit     string        `json:"unit" yaml:"unit"`
	Ratio    float64       `json:"ratio,omitempty" yaml:"ratio,omitempty"` // above 1: better than Baseline
	Baseline string        `json:"baseline,omitempty" yaml:"baseline,omitempty"`
	Targets  []benchTarget `json:"targets,omitempty" yaml:"targets,omitempty"`
	Note     string        `json:"note,omitempty" yaml:"note,omitempty"`
}

// benchTarget is what a figure should be.
type benchTarget struct {
	Of    string  `json:"of" yaml:"of"` // value or ratio
	Least float64 `json:"at_least,omitempty" yaml:"at_least,omitempty"`
	Most  float64 `json:"at_most,omitempty" yaml:"at_most,omitempty"`
	Met   bool    `json:"met" yaml:"met"`
}

func (r *benchReport) add(f benchFigure, targets ...benchTarget) {
	f.Bench = r.bench
	for _, t := range targets {
		x := f.Value
		if t.Of == "ratio" {
			x = f.Ratio
		}
		t.Met = x >= t.Least && (t.Most == 0 || x <= t.Most)
		f.Targets = append(f.Targets, t)
	}
	r.Figures = append(r.Figures, f)
}

// begin tells people what is measured next.
func (r *benchReport) begin(format string, args ...any) {
	fmt.Fprintf(r.progress, "bench %s: %s\n", r.bench, fmt.Sprintf(format, args...))
}

func atMost(x float64) benchTarget       { return benchTarget{Of: "value", Most: x} }
func atLeast(x float64) benchTarget      { return benchTarget{Of: "value", Least: x} }
func ratioAtLeast(x float64) benchTarget { return benchTarget{Of: "ratio", Least: x} }

func (r *benchReport) print(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "cpu\t%s, %d cores, kernel %s\n", m.CPU, m.Cores, m.Kernel)
	fmt.Fprintf(w, "system\t%s\n", m.System)
	fmt.Fprintf(w, "revision\t%s, %s\n", m.Revision, m.Go)
	if m.Load != "" {
		fmt.Fprintf(w, "load\t%s before\n", m.Load)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "BENCH\tFIGURE\tVALUE\tUNIT\tRATIO\tBASELINE\tTARGET\tNOTE")
	for _, f := range r.Figures {
		ratio, baseline := "-", "-"
		if f.Ratio > 0 {
			ratio, baseline = significant(f.Ratio)+"x", f.Baseline
		}
		value := significant(f.Value)
		if f.Value == 0 && f.Unit == "" {
			value = "-"
		}
		fmt.Fprintf(
			w,
			"%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.Bench,
			f.Name,
			value,
			f.Unit,
			ratio,
			baseline,
			f.targets(),
			f.Note,
		)
	}
}

// targets are the row's targets for people.
func (f *benchFigure) targets() string {
	var all []string
	for _, t := range f.Targets {
		text, unit := ">= "+significant(t.Least), ""
		if t.Most > 0 {
			text = "<= " + significant(t.Most)
		}
		if t.Of == "ratio" {
			unit = "x"
		}
		if text += unit; !t.Met {
			text += " (missed)"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// significant writes three digits, without an exponent.
func significant(x float64) string {
	if x >= 100 || x == 0 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if strings.Contains(s, "e") {
		return strconv.FormatFloat(x, 'f', 6, 64)
	}
	return s
}

// benchFolder is a folder for one measurement, and what removes it.
func benchFolder(parent string) (folder string, remove func(), err error) {
	if folder, err = os.MkdirTemp(parent, "phasegrid-bench-"); err != nil {
		return "", nil, fmt.Errorf("folder for the measurement: %w; choose another with TMPDIR", err)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return "", nil, err
	}
	return folder, func() { os.RemoveAll(folder) }, nil
}
