package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/fit"
)

type fitOptions struct {
	Client         client.Config
	Live           string
	Dir, Out       string
	Fit            fit.Options
	XScale, YScale string
	Table          string
	Output         output
	stdout         io.Writer
}

func (m Main) fitCommand() *cobra.Command {
	o := fitOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "fit [DIR]",
		Short: "Fit exponents and rates: slope, confidence interval, window",
		Long: `fit fits a straight line to the rows of a result set, which may be incomplete: log y against log x,
so that the slope is the exponent of a power law. On other scales it is a rate: with --x-scale linear
that of an exponential, per unit of x; with --y-scale linear the growth of y per factor e in x.
--y and --x are expressions of columns, such as "1 - signal_alignment".

  phasegrid fit results/my-sweep-1a2b3c4d --y held_90_step --x dimension
  phasegrid fit results/my-sweep-1a2b3c4d --y "1 - signal_alignment" --x "learning_rate * step" --from 20
  phasegrid fit --live my-sweep --y loss --x step --x-scale linear --where "optimizer == 'gd'" -o json

There is one line for each combination of the parameters that vary independently of x, or of --by.
Its points are medians over replicates with the conventions of the views: a step that was not
reached counts as later than all others, and a median that falls on one is left out as censored;
other metrics are those of runs that are ok, at least half of the runs. Left out are also null,
values that are not positive on a log scale, and what is outside the window; all are counted. Where
learning rates compete for a step number, the best one at each x counts, as in plot.

The interval is that of ordinary least squares, slope ± t standard errors, with Student's t for two
degrees of freedom less than points. It assumes independent, normal residuals of one variance on the
scales of the fit. Iterates of one run are not independent: there it says how straight the points
lie, not how the slope varies over runs. With --robust the slope is the median over all pairs of
points (Theil-Sen) with Sen's interval, which assumes no distribution of the residuals.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Dir = args[0]
			}
			if !cmd.Flags().Changed("from") {
				o.Fit.From = math.Inf(-1)
			}
			if !cmd.Flags().Changed("to") {
				o.Fit.To = math.Inf(1)
			}
			return runFit(cmd.Context(), o)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *fitOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.Fit.Y, "y", "", "`expression` of columns that is fitted (required)")
	flags.StringVar(&o.Fit.X, "x", "", "`expression` of columns that it is fitted to (required)")
	flags.StringVar(&o.YScale, "y-scale", "log", "log or linear")
	flags.StringVar(&o.XScale, "x-scale", "log", "log or linear")
	flags.Float64Var(&o.Fit.From, "from", 0, "least `x` of the window (default all)")
	flags.Float64Var(&o.Fit.To, "to", 0, "greatest `x` of the window (default all)")
	flags.StringSliceVar(&o.Fit.By, "by", nil, "`columns` of points with one line for each combination of their "+
		"values, separated by commas (default the parameters that vary)")
	flags.StringVar(&o.Fit.Where, "where", "", "`condition` on the columns of rows: \"optimizer == 'gd'\"")
	flags.StringVar(&o.Table, "table", "", "points or trajectories, which have the columns of points too "+
		"(default trajectories where an expression needs them)")
	flags.BoolVar(&o.Fit.Rows, "rows", false, "fit to every row instead of to medians over replicates")
	flags.BoolVar(&o.Fit.Robust, "robust", false, "Theil-Sen instead of least squares")
	flags.Float64Var(&o.Fit.Confidence, "confidence", 0.95, "`probability` of the interval, between 0 and 1")
	flags.StringVar(&o.Live, "live", "", "`sweep` of a cluster, by id or name: fit to its committed rows "+
		"instead of a directory")
	flags.StringVar(&o.Out, "out", "results", "`directory` with result sets: without DIR, the newest one there")
	addClientFlags(flags, &o.Client)
	o.Output.addFlag(flags)
}

func runFit(ctx context.Context, o fitOptions) error {
	if o.Fit.Y == "" || o.Fit.X == "" {
		return usageError{errors.New("name what is fitted: --y and --x are required; see phasegrid columns")}
	}
	for _, scale := range []struct {
		flag, value string
		log         *bool
	}{{"--y-scale", o.YScale, &o.Fit.LogY}, {"--x-scale", o.XScale, &o.Fit.LogX}} {
		if scale.value != "log" && scale.value != "linear" {
			return usageError{fmt.Errorf("%s: got %q, want log or linear", scale.flag, scale.value)}
		}
		*scale.log = scale.value == "log"
	}
	set, done, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	f, err := o.fit(set)
	if err != nil {
		return usageError{err}
	}
	result, err := f.Run(ctx)
	if err != nil {
		return err
	}
	view := o.view(set, result)
	if err := o.Output.print(o.stdout, view, view.print); err != nil {
		return err
	}
	for _, g := range view.Groups {
		if g.Slope != nil {
			return nil
		}
	}
	return errors.New("no group has two points with different x; pool groups with --by, or widen --from and --to")
}

// open opens the set, which done closes.
func (o *fitOptions) open(ctx context.Context) (set *results.Set, done func(), err error) {
	done = func() {}
	switch {
	case o.Live != "" && o.Dir != "":
		return nil, nil, usageError{errors.New("--live and DIR exclude each other; remove one of them")}
	case o.Live != "":
		o.Dir, done, err = copyLive(ctx, o.Client, o.Live)
	case o.Dir == "":
		o.Dir, err = newestSet(o.Out)
	}
	if err != nil {
		return nil, nil, err
	}
	if set, err = openSet(o.Dir); err != nil {
		done()
		return nil, nil, err
	}
	return set, done, nil
}

// fit is the fit to the table that is asked for; else to points, if that has the columns.
func (o *fitOptions) fit(set *results.Set) (*fit.Fit, error) {
	switch o.Table {
	case "points", "trajectories":
	case "":
		o.Table = "points"
		f, err := fit.New(set, o.Fit)
		if err == nil || !set.Schema().Has(results.Trajectories) {
			return f, err
		}
		o.Fit.Table = results.Trajectories
		if f, err2 := fit.New(set, o.Fit); err2 == nil {
			o.Table = "trajectories"
			return f, nil
		}
		return nil, err
	default:
		return nil, fmt.Errorf("--table: got %q, want points or trajectories", o.Table)
	}
	o.Fit.Table = results.Points
	if o.Table == "trajectories" {
		o.Fit.Table = results.Trajectories
	}
	return fit.New(set, o.Fit)
}

// fitView is the result of a fit.
type fitView struct {
	Set        string         `json:"set" yaml:"set"`
	Table      string         `json:"table" yaml:"table"`
	Y          string         `json:"y" yaml:"y"`
	X          string         `json:"x" yaml:"x"`
	YScale     string         `json:"y_scale" yaml:"y_scale"`
	XScale     string         `json:"x_scale" yaml:"x_scale"`
	Where      string         `json:"where,omitempty" yaml:"where,omitempty"`
	From       *float64       `json:"from" yaml:"from"` // null: all
	To         *float64       `json:"to" yaml:"to"`
	Points     string         `json:"points" yaml:"points"`       // medians or rows
	Estimator  string         `json:"estimator" yaml:"estimator"` // least squares or Theil-Sen
	Confidence float64        `json:"confidence" yaml:"confidence"`
	Rank       string         `json:"best_learning_rate_by,omitempty" yaml:"best_learning_rate_by,omitempty"`
	By         []string       `json:"by" yaml:"by"`
	Groups     []fitGroupView `json:"groups" yaml:"groups"`
}

// fitGroupView is a line. What its points do not determine is null.
type fitGroupView struct {
	Group         map[string]any `json:"group" yaml:"group"`
	Points        int            `json:"points" yaml:"points"`
	LeftOut       fitLeftOutView `json:"left_out" yaml:"left_out"`
	First         *float64       `json:"first_x" yaml:"first_x"`
	Last          *float64       `json:"last_x" yaml:"last_x"`
	Slope         *float64       `json:"slope" yaml:"slope"`
	StandardError *float64       `json:"standard_error" yaml:"standard_error"`
	Low           *float64       `json:"low" yaml:"low"`
	High          *float64       `json:"high" yaml:"high"`
	Intercept     *float64       `json:"intercept" yaml:"intercept"`
	Prefactor     *float64       `json:"prefactor" yaml:"prefactor"` // e^intercept on a log scale of y
	R2            *float64       `json:"r2" yaml:"r2"`
}

type fitLeftOutView struct {
	Null        int `json:"null" yaml:"null"`
	Censored    int `json:"censored" yaml:"censored"`
	NotPositive int `json:"not_positive" yaml:"not_positive"`
	Outside     int `json:"outside_window" yaml:"outside_window"`
}

// finite is null in JSON where a number is not determined.
func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func (o *fitOptions) view(set *results.Set, r *fit.Result) *fitView {
	v := &fitView{
		Set: set.Dir(), Table: o.Table, Y: o.Fit.Y, X: o.Fit.X, YScale: o.YScale, XScale: o.XScale,
		Where: o.Fit.Where, From: finite(o.Fit.From), To: finite(o.Fit.To), Points: "medians",
		Estimator: "least squares", Confidence: o.Fit.Confidence, Rank: r.Rank, By: []string{},
		Groups: []fitGroupView{},
	}
	if o.Fit.Rows {
		v.Points = "rows"
	}
	if o.Fit.Robust {
		v.Estimator = "Theil-Sen"
	}
	for _, c := range r.By {
		v.By = append(v.By, c.Name)
	}
	for _, g := range r.Groups {
		view := fitGroupView{
			Group: map[string]any{}, Points: g.Points, LeftOut: fitLeftOutView(g.LeftOut),
			First: finite(g.First), Last: finite(g.Last), Slope: finite(g.Line.Slope),
			StandardError: finite(g.Line.StandardError), Low: finite(g.Line.Low), High: finite(g.Line.High),
			Intercept: finite(g.Line.Intercept), R2: finite(g.Line.R2),
		}
		if o.Fit.LogY {
			view.Prefactor = finite(math.Exp(g.Line.Intercept))
		}
		for i, c := range r.By {
			view.Group[c.Name] = cellValue(c.Kind, g.Values[i])
		}
		v.Groups = append(v.Groups, view)
	}
	return v
}

// print writes what is fitted, and a row for each line.
func (v *fitView) print(w io.Writer) {
	points := "medians over replicates"
	if v.Points == "rows" {
		points = "rows"
	}
	fmt.Fprintf(w, "%s (%s) against %s (%s)\n", v.Y, v.YScale, v.X, v.XScale)
	fmt.Fprintf(w, "%s of %s, %s", points, v.Table, v.Estimator)
	if v.Rank != "" {
		fmt.Fprintf(w, ", at the best learning rate by %s", v.Rank)
	}
	if v.Where != "" {
		fmt.Fprintf(w, ", where %s", v.Where)
	}
	fmt.Fprint(w, "\n\n")
	constant := "PREFACTOR"
	if v.YScale != "log" {
		constant = "INTERCEPT"
	}
	var header []string
	for _, name := range v.By {
		header = append(header, strings.ToUpper(name))
	}
	header = append(header, "POINTS", "LEFT OUT", "X FROM", "X TO", "SLOPE", "STD ERROR",
		fmt.Sprintf("%g %% INTERVAL", math.Round(1e6*v.Confidence)/1e4), constant, "R2")
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for i := range v.Groups {
		g := &v.Groups[i]
		last := g.Intercept
		if v.YScale == "log" {
			last = g.Prefactor
		}
		fmt.Fprintln(w, strings.Join(append(g.cells(v.By), orDash("%.5g", last), orDash("%.5g", g.R2)), "\t"))
	}
}

// cells are those of a row up to the interval.
func (g *fitGroupView) cells(by []string) []string {
	var cells []string
	for _, name := range by {
		cells = append(cells, cellText(g.Group[name]))
	}
	interval := "-"
	if g.Low != nil {
		interval = fmt.Sprintf("%.5g to %.5g", *g.Low, *g.High)
	}
	return append(cells, fmt.Sprint(g.Points), dash(g.LeftOut.String()), orDash("%.5g", g.First),
		orDash("%.5g", g.Last), orDash("%.5g", g.Slope), orDash("%.2g", g.StandardError), interval)
}

// String says what is left out, other than by the window.
func (l fitLeftOutView) String() string {
	var parts []string
	for _, reason := range []struct {
		n    int
		word string
	}{{l.Null, "null"}, {l.Censored, "censored"}, {l.NotPositive, "not positive"}} {
		if reason.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", reason.n, reason.word))
		}
	}
	return strings.Join(parts, ", ")
}
