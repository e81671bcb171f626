package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

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
		Long: `plan checks a sweep file and estimates the sweep without solving anything. Times are rough
estimates for this machine: runs that diverge end early, and rates differ between machines.`,
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
	Name          string      `json:"name" yaml:"name"`
	Indices       int64       `json:"indices" yaml:"indices"`
	Points        int64       `json:"points" yaml:"points"`
	Exact         bool        `json:"points_exact" yaml:"points_exact"`
	Shards        int64       `json:"shards" yaml:"shards"`
	Parts         int64       `json:"parts" yaml:"parts"`
	Flops         float64     `json:"flops" yaml:"flops"`
	PointBytes    int64       `json:"point_bytes" yaml:"point_bytes"`
	ArrowBytes    int64       `json:"arrow_bytes" yaml:"arrow_bytes"`
	ParquetBytes  int64       `json:"parquet_bytes" yaml:"parquet_bytes"`
	Seconds       float64     `json:"seconds" yaml:"seconds"`
	Slots         int         `json:"slots" yaml:"slots"`
	Shapes        []shapeView `json:"shapes" yaml:"shapes"`
	MoreShapes    bool        `json:"more_shapes,omitempty" yaml:"more_shapes,omitempty"`
	Warnings      []string    `json:"warnings,omitempty" yaml:"warnings,omitempty"`
	SolverVersion int         `json:"solver_version" yaml:"solver_version"`
	PlanVersion   int         `json:"plan_version" yaml:"plan_version"`
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
	spec, err := parseSweepFile(o.File, o.stdin, o.MaxPointBytes)
	if err != nil {
		return err
	}
	plan, err := sweep.NewPlan(ctx, spec, sweep.PlanVersion)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", o.File, err)}
	}
	view := viewPlan(spec, plan.Summary())
	for _, w := range view.Warnings {
		fmt.Fprintln(o.stderr, "warning:", w)
	}
	return o.Output.print(o.stdout, view, func(w io.Writer) { printPlan(w, view) })
}

// parseSweepFile reads and checks a sweep file.
func parseSweepFile(name string, stdin io.Reader, maxPointBytes int64) (*sweep.Spec, error) {
	file, err := readSweepFile(name, stdin)
	if err != nil {
		return nil, err
	}
	spec, err := sweep.Parse(name, file, sweep.Limits{PointBytes: maxPointBytes})
	if err != nil {
		return nil, usageError{err}
	}
	return spec, nil
}

// rates are estimates of what one core with AVX-512 does in flop/s, by representation. They divide
// static counts, in which metrics are counted roughly.
var rates = map[string]float64{"reduced": 16e9, "subspace": 3.5e9, "dense": 28e9}

// quietRates are those of gd and specgd with three coefficients, by kernel: a step without metrics
// is a few instructions.
var quietRates = map[string]float64{"avx512": 45e9, "avx2": 15e9, "scalar": 2e9}

const (
	threeRate  = 6e9   // of the other optimizers with three coefficients, where roots and divisions are not hidden
	muonRate   = 18e9  // of muon with three coefficients, which is products
	powersRate = 3.5e9 // of powers of coefficients, which are elementary functions
	// writingRate is how much Arrow one core makes, delivers and merges, in bytes a second.
	writingRate = 25e6
)

// kernelSpeeds are estimates of the speed of each kernel relative to AVX-512.
var kernelSpeeds = map[string]float64{"avx512": 1, "avx2": 0.55, "scalar": 0.15}

// solvingTime estimates how many seconds one core takes for the points of a shape.
func solvingTime(s sweep.Shape, kernel string) float64 {
	rate := rates[s.Representation]
	if s.Representation == "reduced" {
		three := s.Groups <= 3
		switch {
		case s.Optimizer == "power" || s.Optimizer == "dynmuon":
			rate = powersRate
		case three && (s.Optimizer == "gd" || s.Optimizer == "specgd"):
			return s.Flops / quietRates[kernel]
		case three && s.Optimizer == "muon":
			rate = muonRate
		case three:
			rate = threeRate
		}
	}
	return s.Flops / (rate * kernelSpeeds[kernel])
}

func viewPlan(spec *sweep.Spec, s sweep.Summary) planView {
	slots := runtime.GOMAXPROCS(0)
	view := planView{
		Name: spec.Name(), Indices: s.Indices, Points: s.Points, Exact: s.Exact, Shards: s.Shards, Parts: s.Parts,
		Flops: s.Flops, PointBytes: s.PointBytes,
		ArrowBytes: s.Arrow.Points + s.Arrow.Trajectories + s.Arrow.Coefficients, ParquetBytes: s.ParquetBytes,
		Slots: slots, MoreShapes: s.MoreShapes, Warnings: spec.Warnings(),
		SolverVersion: currentVersion().SolverVersion, PlanVersion: sweep.PlanVersion,
	}
	named, seconds := 0.0, 0.0
	for _, shape := range s.Shapes {
		view.Shapes = append(view.Shapes, shapeView{shape.Model, shape.Representation, shape.Optimizer, shape.Dimension,
			shape.Width, shape.Samples, shape.Points, shape.Flops})
		named += shape.Flops
		seconds += solvingTime(shape, currentVersion().Kernel)
	}
	if named > 0 {
		view.Seconds = (seconds*s.Flops/named + float64(view.ArrowBytes)/writingRate) / float64(slots)
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
