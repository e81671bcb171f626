package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/estimate"
	"github.com/phasegrid/phasegrid/sweep"
)

type planOptions struct {
	File          string
	MaxPointBytes int64
	Output        output
	stdin         io.Reader
	stdout        io.Writer
	stderr        io.Writer
}

func (m Main) planCommand() *cobra.Command {
	o := planOptions{stdin: m.Stdin, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "Estimate a sweep: points, shards, time and size",
		Long: `plan checks a sweep file and estimates the sweep. Times are those of phasegrid run on this machine,
from a few steps of the sweep's points that plan takes to measure them. They are within a factor of
two, but for runs that diverge, which end early, and dense runs of spectral optimizers that go on long
after they have converged: there a polar factor takes longer.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.File = args[0]
			return runPlan(cmd.Context(), o)
		},
	}
	addPointBytesFlag(cmd, &o.MaxPointBytes)
	o.Output.addFlag(cmd.Flags())
	return cmd
}

// addPointBytesFlag adds the bound on the memory of one point.
func addPointBytesFlag(cmd *cobra.Command, bytes *int64) {
	cmd.Flags().Int64Var(
		bytes,
		"max-point-bytes",
		sweep.DefaultPointBytes,
		"maximum memory of one point in `bytes`; sweeps that need more are rejected",
	)
}

func checkPointBytes(bytes int64) error {
	if bytes < 0 {
		return usageError{fmt.Errorf("--max-point-bytes: got %d, want a number above 0, or 0 for the default", bytes)}
	}
	return nil
}

type planView struct {
	Name          string               `json:"name" yaml:"name"`
	Indices       int64                `json:"indices" yaml:"indices"`
	Points        int64                `json:"points" yaml:"points"`
	Exact         bool                 `json:"points_exact" yaml:"points_exact"`
	Shards        int64                `json:"shards" yaml:"shards"`
	Parts         int64                `json:"parts" yaml:"parts"`
	Flops         float64              `json:"flops" yaml:"flops"`
	PointBytes    int64                `json:"point_bytes" yaml:"point_bytes"`
	ArrowBytes    int64                `json:"arrow_bytes" yaml:"arrow_bytes"`
	ParquetBytes  int64                `json:"parquet_bytes" yaml:"parquet_bytes"`
	Seconds       float64              `json:"seconds" yaml:"seconds"`
	StepSeconds   float64              `json:"step_seconds" yaml:"step_seconds"`     // of one core, as the next two
	MetricSeconds float64              `json:"metric_seconds" yaml:"metric_seconds"` // of recorded and last iterates
	RowSeconds    float64              `json:"row_seconds" yaml:"row_seconds"`
	Slots         int                  `json:"slots" yaml:"slots"`
	Shapes        []shapeView          `json:"shapes" yaml:"shapes"`
	MoreShapes    bool                 `json:"more_shapes,omitempty" yaml:"more_shapes,omitempty"`
	Warnings      []string             `json:"warnings,omitempty" yaml:"warnings,omitempty"`
	Solver        sweep.SolverIdentity `json:"solver" yaml:"solver"`
	PlanVersion   int                  `json:"plan_version" yaml:"plan_version"`
}

type shapeView struct {
	Model          string  `json:"model" yaml:"model"`
	Representation string  `json:"representation" yaml:"representation"`
	Optimizer      string  `json:"optimizer" yaml:"optimizer"`
	Dimension      int64   `json:"dimension" yaml:"dimension"`
	Width          int64   `json:"width" yaml:"width"`
	Samples        int64   `json:"samples,omitempty" yaml:"samples,omitempty"`
	Indices        int64   `json:"indices" yaml:"indices"` // where may exclude some of them
	Flops          float64 `json:"flops" yaml:"flops"`
}

func runPlan(ctx context.Context, o planOptions) error {
	if err := checkPointBytes(o.MaxPointBytes); err != nil {
		return err
	}
	spec, _, err := parseSweepFile(o.File, o.stdin, o.MaxPointBytes)
	if err != nil {
		return err
	}
	plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", o.File, err)}
	}
	summary, slots := plan.Summary(), runtime.GOMAXPROCS(0)
	took, err := estimate.Of(ctx, spec, summary, slots)
	if err != nil {
		return err
	}
	view := viewPlan(spec, summary, took, slots)
	for _, w := range view.Warnings {
		fmt.Fprintln(o.stderr, "warning:", w)
	}
	return o.Output.print(o.stdout, view, func(w io.Writer) { printPlan(w, view) })
}

func viewPlan(spec *sweep.Spec, s sweep.Summary, e estimate.Estimate, slots int) planView {
	view := planView{
		Name: spec.Name(), Indices: s.Indices, Points: s.Points, Exact: s.Exact, Shards: s.Shards, Parts: s.Parts,
		Flops: s.Flops, PointBytes: s.PointBytes,
		ArrowBytes: s.Arrow.Points + s.Arrow.Trajectories + s.Arrow.Coefficients, ParquetBytes: s.ParquetBytes,
		Seconds: e.Wall, StepSeconds: e.Setup + e.Steps, MetricSeconds: e.Metrics, RowSeconds: e.Rows,
		Slots: slots, MoreShapes: s.MoreShapes, Warnings: spec.Warnings(),
		Solver: currentVersion().Solver, PlanVersion: sweep.PlanVersion,
	}
	if e.MetricsDominate() {
		view.Warnings = append(view.Warnings, fmt.Sprintf(
			"record: metrics cost more than the steps (%s against %s on one core); record fewer steps",
			roughly(e.Metrics), roughly(e.Setup+e.Steps)))
	}
	for _, shape := range s.Shapes {
		view.Shapes = append(view.Shapes, shapeView{shape.Model, shape.Representation, shape.Optimizer, shape.Dimension,
			shape.Width, shape.Samples, shape.Points, shape.Flops})
	}
	return view
}

// shapesShown bounds the table; JSON and YAML have all shapes.
const shapesShown = 40

func printPlan(w io.Writer, v planView) {
	about := ""
	if !v.Exact {
		about = "about "
	}
	fmt.Fprintf(w, "sweep\t%s\n", v.Name)
	fmt.Fprintf(w, "points\t%s%s of %s indices\n", about, humanize.Comma(v.Points), humanize.Comma(v.Indices))
	fmt.Fprintf(w, "shards\t%s in %s\n", humanize.Comma(v.Shards), counted(v.Parts, "part"))
	fmt.Fprintf(w, "flops\t%.3g\n", v.Flops)
	fmt.Fprintf(w, "memory\tat most %s a point\n", humanize.IBytes(uint64(v.PointBytes)))
	fmt.Fprintf(w, "time\tabout %s on %d slots of this machine\n", roughly(v.Seconds), v.Slots)
	fmt.Fprintf(w, "size\tabout %s of Parquet\n", humanize.IBytes(uint64(v.ParquetBytes)))
	fmt.Fprintln(w)
	fmt.Fprintln(w, "MODEL\tREPRESENTATION\tOPTIMIZER\tDIMENSION\tWIDTH\tSAMPLES\tINDICES\tFLOPS")
	for i, s := range v.Shapes {
		if i == shapesShown {
			fmt.Fprintf(w, "... %d more shapes (-o json lists them)\n", len(v.Shapes)-i)
			break
		}
		samples := "-"
		if s.Samples > 0 {
			samples = humanize.Comma(s.Samples)
		}
		fmt.Fprintf(
			w,
			"%s\t%s\t%s\t%d\t%d\t%s\t%s\t%.3g\n",
			s.Model,
			s.Representation,
			s.Optimizer,
			s.Dimension,
			s.Width,
			samples,
			humanize.Comma(s.Indices),
			s.Flops,
		)
	}
}

// roughly formats an estimated time.
func roughly(seconds float64) string {
	const century = 100 * 365 * 24 * 3600
	switch {
	case seconds < 1:
		return "a second"
	case seconds > century:
		return "more than a century"
	}
	d := time.Duration(seconds * float64(time.Second))
	if d > 48*time.Hour {
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	}
	return duration(d)
}
