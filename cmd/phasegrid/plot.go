package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/plot"
)

type plotOptions struct {
	plot.Options
	Dir    string
	To     []string
	stdout io.Writer
}

func (m Main) plotCommand() *cobra.Command {
	o := plotOptions{stdout: m.Stdout}
	var kinds []string
	for _, k := range plot.Kinds() {
		kinds = append(kinds, string(k))
	}
	var kind string
	cmd := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw a result set: phase diagrams, curves, trajectories, stability maps",
		Long: `plot draws a result set as PNG, SVG or PDF. Without flags it chooses what suits the axes of the sweep; diverged and
censored points are marked, and the caption says which slice is shown, the sweep's id and the solver's version.

  phasegrid plot results/my-sweep-1a2b3c4d
  phasegrid plot results/my-sweep-1a2b3c4d --kind curves --x anisotropy --y steps_to_90 --color optimizer
  phasegrid plot results/my-sweep-1a2b3c4d --where "dimension == 100" --to figure.svg --to figure.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir, o.Kind = args[0], plot.Kind(kind)
			return runPlot(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&kind, "kind", "", "`kind` of figure: "+strings.Join(kinds, ", ")+" (default: what suits the axes)")
	flags.StringVar(&o.X, "x", "", "`column` along x; for trajectories step, or eta_step (learning rate times step)")
	flags.StringVar(&o.Y, "y", "", "`column` along y")
	flags.StringVar(&o.Color, "color", "", "`column` shown as colour")
	flags.StringVar(&o.Facet, "facet", "", "`column` with a panel for each of its values")
	flags.StringVar(
		&o.Where,
		"where",
		"",
		"`condition` over the columns of points, as in sweep files: \"optimizer == 'gd' and dimension < 1000\"",
	)
	flags.StringVar(
		&o.XScale,
		"x-scale",
		"",
		"linear or log (default: log where numbers are positive and span a factor of 20)",
	)
	flags.StringVar(&o.YScale, "y-scale", "", "linear or log")
	flags.Float64Var(&o.Threshold, "threshold", 0, "level of the contour in a phase diagram (default 0.5)")
	flags.StringArrayVar(
		&o.To,
		"to",
		nil,
		"`file` ending in .png, .svg or .pdf; may be given several times (default: the set's name, .png and .svg)",
	)
	return cmd
}

func runPlot(ctx context.Context, o plotOptions) error {
	set, err := results.OpenSet(o.Dir)
	if err != nil {
		return fmt.Errorf("%w; name a folder that phasegrid run or fetch wrote", err)
	}
	if len(o.To) == 0 {
		absolute, err := filepath.Abs(o.Dir)
		if err != nil {
			return fmt.Errorf("name the figure: %w", err)
		}
		name := filepath.Base(absolute)
		o.To = []string{name + ".png", name + ".svg"}
	}
	for _, name := range o.To {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".png", ".svg", ".pdf":
		default:
			return usageError{fmt.Errorf("--to %s: want a name that ends in .png, .svg or .pdf", name)}
		}
	}
	figure, err := plot.Draw(ctx, set, o.Options)
	if err != nil {
		return usageError{err}
	}
	for _, name := range o.To {
		if err := writeFigure(figure, name); err != nil {
			return err
		}
		fmt.Fprintln(o.stdout, name)
	}
	return nil
}

// writeFigure replaces a file by the figure, whole or not at all.
func writeFigure(figure *plot.Figure, name string) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".plot-*")
	if err != nil {
		return fmt.Errorf("write the figure: %w", err)
	}
	defer os.Remove(temporary.Name()) // gone by then where all went well
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	if err := errors.Join(figure.Write(temporary, format), temporary.Chmod(0o644), temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(temporary.Name(), name); err != nil {
		return fmt.Errorf("write the figure: %w", err)
	}
	return nil
}
