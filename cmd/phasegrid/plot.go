package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

type plotOptions struct {
	Figure  figure.Figure
	Name    string // of a figure of the sweep, or its number
	Dir     string
	To      []string
	Formats []string
	stdout  io.Writer
}

func (m Main) plotCommand() *cobra.Command {
	o := plotOptions{stdout: m.Stdout}
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
			o.Dir = args[0]
			return runPlot(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	for _, k := range figure.Keys() {
		if k.Name != "name" {
			f := flags.VarPF(figureFlag{k, &o.Figure}, k.Flag(), "", k.Doc+wordsOf(k))
			if k.Shape() == figure.Switch {
				f.NoOptDefVal = "true"
			}
		}
	}
	flags.SortFlags = false
	flags.StringSliceVar(
		&o.Formats,
		"format",
		nil,
		"formats of the files without --to: png, svg, pdf (default png,svg)",
	)
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

// figureFlag is a key of figures as a flag.
type figureFlag struct {
	key figure.Key
	of  *figure.Figure
}

// String implements pflag.Value.
func (f figureFlag) String() string {
	if f.of == nil {
		return ""
	}
	return f.key.Value(f.of)
}

// Set implements pflag.Value.
func (f figureFlag) Set(text string) error { return f.key.Set(f.of, text) }

// Type implements pflag.Value.
func (f figureFlag) Type() string {
	switch {
	case f.key.Shape() == figure.Switch:
		return "bool"
	case f.key.Column:
		return "column"
	case f.key.Condition:
		return "condition"
	}
	return string(f.key.Shape())
}

// wordsOf lists the words of a key for its help.
func wordsOf(k figure.Key) string {
	if len(k.Words) == 0 {
		return ""
	}
	return ": " + strings.Join(k.Words, ", ")
}

func runPlot(ctx context.Context, o plotOptions) error {
	set, err := openSet(o.Dir)
	if err != nil {
		return err
	}
	if err := o.checkFiles(); err != nil {
		return usageError{err}
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
			for _, format := range o.Formats {
				to = append(to, filepath.Base(absolute)+f.suffix+"."+format)
			}
		}
		for _, name := range to {
			err := replaceFile(name, func(w io.Writer) error { return drawn.Write(w, formatOf(name)) })
			if err != nil {
				return fmt.Errorf("write the figure: %w", err)
			}
			fmt.Fprintln(o.stdout, name)
		}
	}
	return nil
}

// checkFiles checks the names and formats of the files, and fills in the default formats.
func (o *plotOptions) checkFiles() error {
	formats := []string{"png", "svg", "pdf"}
	for _, name := range o.To {
		if !slices.Contains(formats, formatOf(name)) {
			return fmt.Errorf("--to: got %s, want a name that ends in .png, .svg or .pdf", name)
		}
		if len(o.Formats) > 0 && !slices.Contains(o.Formats, formatOf(name)) {
			return fmt.Errorf("--format: got %s beside --to %s; leave --format out, the name says it",
				strings.Join(o.Formats, ","), name)
		}
	}
	for _, format := range o.Formats {
		if !slices.Contains(formats, format) {
			return fmt.Errorf("--format: got %s, want png, svg or pdf", format)
		}
	}
	if len(o.Formats) == 0 {
		o.Formats = []string{"png", "svg"}
	}
	return nil
}

// formatOf is the format that the name of a file says.
func formatOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
}

// askedFigure is a figure to draw, and what its files are called after the set's name.
type askedFigure struct {
	figure figure.Figure
	suffix string
}

// figures are the figure of the flags, or those of the sweep file where no flag says what to
// show. Flags that say how a figure looks apply to those of the sweep file too.
func (o plotOptions) figures() ([]askedFigure, error) {
	if o.Figure.Shows() {
		if o.Name != "" {
			return nil, usageError{
				errors.New("--figure: a figure of the sweep file takes no flags that say what to show"),
			}
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
			suffix := "-" + name
			if f.Name == "" && len(spec.Figures()) == 1 {
				suffix = ""
			}
			out = append(out, askedFigure{f.Restyled(o.Figure), suffix})
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
	return []askedFigure{{figure: o.Figure}}, nil
}
