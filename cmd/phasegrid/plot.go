package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

type plotOptions struct {
	Figure figure.Figure
	Name   string // of a figure of the sweep, or its number
	Dir    string
	To     []string
	stdout io.Writer
}

func (m Main) plotCommand() *cobra.Command {
	o := plotOptions{stdout: m.Stdout}
	var kinds []string
	for _, k := range figure.Kinds() {
		kinds = append(kinds, string(k))
	}
	var kind string
	cmd := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw a result set: phase diagram, curves, trajectories, stability map or bars",
		Long: `plot draws a result set as PNG, SVG or PDF. Without flags it draws the figures that the sweep file
asks for; if there are none, one of the kind that fits the axes. Diverged and censored points are
marked. The caption has the slice that is shown, the sweep id and the solver. Without --to, the
files go to the current directory.

  phasegrid plot results/my-sweep-1a2b3c4d
  phasegrid plot results/my-sweep-1a2b3c4d --kind curves --x anisotropy --y steps_to_90 --color optimizer
  phasegrid plot results/my-sweep-1a2b3c4d --where "dimension == 100" --to figure.svg --to figure.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir, o.Figure.Kind = args[0], figure.Kind(kind)
			return runPlot(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&kind, "kind", "", "`kind` of figure: "+strings.Join(kinds, ", ")+" (default what fits the axes)")
	flags.StringVar(
		&o.Figure.X,
		"x",
		"",
		"`column` on the x axis; for trajectories step, or eta_step (learning rate times step)",
	)
	flags.StringVar(&o.Figure.Y, "y", "", "`column` on the y axis")
	flags.StringVar(&o.Figure.Color, "color", "", "`column` shown as color")
	flags.StringVar(&o.Figure.Facet, "facet", "", "`column` with one panel for each value")
	flags.StringVar(
		&o.Figure.Where,
		"where",
		"",
		"`condition` on the columns of points, as in sweep files: \"optimizer == 'gd' and dimension < 1000\"",
	)
	flags.StringVar(
		&o.Figure.XScale, "x-scale", "", "linear or log (default log for positive values that span a factor of 20)",
	)
	flags.StringVar(&o.Figure.YScale, "y-scale", "", "linear or log")
	flags.Float64Var(&o.Figure.Threshold, "threshold", 0,
		"level of the contour in a phase diagram (default 0.5 of an alignment, none of others)")
	flags.StringVar(&o.Name, "figure", "", "draw one `figure` of the sweep file, by its name or its number from 1")
	flags.StringArrayVar(
		&o.To,
		"to",
		nil,
		"output `file` ending in .png, .svg or .pdf; repeatable "+
			"(default the set's name, and the figure's, with .png and .svg, in the current directory)",
	)
	return cmd
}

func runPlot(ctx context.Context, o plotOptions) error {
	set, err := openSet(o.Dir)
	if err != nil {
		return err
	}
	for _, name := range o.To {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".png", ".svg", ".pdf":
		default:
			return usageError{fmt.Errorf("--to: got %s, want a name that ends in .png, .svg or .pdf", name)}
		}
	}
	figures, err := o.figures()
	if err != nil {
		return err
	}
	if len(o.To) > 0 && len(figures) > 1 {
		return usageError{fmt.Errorf("--to: the sweep has %d figures; choose one by --figure", len(figures))}
	}
	absolute, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("name the figure: %w", err)
	}
	for _, f := range figures {
		drawn, err := plot.Draw(ctx, set, f.figure)
		if err != nil {
			return usageError{err}
		}
		to := o.To
		if len(to) == 0 {
			name := filepath.Base(absolute) + f.suffix
			to = []string{name + ".png", name + ".svg"}
		}
		for _, name := range to {
			format := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
			err := replaceFile(name, func(w io.Writer) error { return drawn.Write(w, format) })
			if err != nil {
				return fmt.Errorf("write the figure: %w", err)
			}
			fmt.Fprintln(o.stdout, name)
		}
	}
	return nil
}

// askedFigure is a figure to draw, and what its files are called after the set's name.
type askedFigure struct {
	figure figure.Figure
	suffix string
}

// figures are the figure of the flags, or those of the sweep file where no flag asks for one.
func (o plotOptions) figures() ([]askedFigure, error) {
	if o.Figure != (figure.Figure{}) {
		if o.Name != "" {
			return nil, usageError{errors.New("--figure: a figure of the sweep file takes no other flags but --to")}
		}
		return []askedFigure{{figure: o.Figure}}, nil
	}
	spec, err := specOf(o.Dir)
	if err != nil {
		return nil, err
	}
	var out []askedFigure
	var names []string
	for i, f := range spec.Figures() {
		number := strconv.Itoa(i + 1)
		name := cmp.Or(f.Name, number)
		names = append(names, name)
		if o.Name == "" || o.Name == name || o.Name == number {
			out = append(out, askedFigure{f, "-" + name})
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case o.Name != "" && len(names) == 0:
		return nil, usageError{errors.New("--figure: the sweep file asks for no figures")}
	case o.Name != "":
		return nil, usageError{fmt.Errorf("--figure: got %s, want one of %s", o.Name, strings.Join(names, ", "))}
	}
	return []askedFigure{{}}, nil
}
