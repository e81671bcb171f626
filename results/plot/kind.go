package plot

import (
	"context"
	"fmt"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// kind is how a kind of figure is made: choose fills empty options, draw draws them.
type kind struct {
	choose func(*options, *frame, *results.Set) error
	draw   func(context.Context, *results.Set, *frame, options) (*Figure, error)
	// refuses are the options that mean nothing for the kind, and what to do instead.
	refuses map[string]string
	apart   []string // options that must not name the same column
}

func kinds() map[figure.Kind]kind {
	const noContour = "only a phase diagram has a contour"
	lines := []string{"x", "color", "facet"}
	return map[figure.Kind]kind{
		figure.Phase: {choose: (*options).choosePhase, draw: phase, apart: []string{"x", "y", "facet"}},
		figure.Stability: {
			choose: (*options).choosePhase, draw: phase, apart: []string{"x", "y", "facet"},
			refuses: map[string]string{
				"color":     "it shows the fraction of diverged runs; draw a metric by kind phase",
				"threshold": noContour,
			},
		},
		figure.Curves: {
			choose: (*options).chooseCurves, draw: curves, apart: lines,
			refuses: map[string]string{"threshold": noContour},
		},
		figure.Trajectories: {
			choose: (*options).chooseTrajectories, draw: trajectories, apart: lines,
			refuses: map[string]string{"threshold": noContour},
		},
		figure.Bars: {
			choose: (*options).chooseBars, draw: bars, apart: lines,
			refuses: map[string]string{
				"threshold": noContour, "x_scale": "categories have no scale; draw numbers by kind curves",
			},
		},
	}
}

// column returns the option of a name: a column, or a word or number of the figure.
func (o options) column(name string) string {
	switch name {
	case "x":
		return o.X
	case "y":
		return o.Y
	case "color":
		return o.Color
	case "facet":
		return o.Facet
	case "x_scale":
		return o.XScale
	case "threshold":
		if o.Threshold != 0 {
			return number(o.Threshold)
		}
	}
	return ""
}

// checkAsked refuses options that mean nothing for the kind.
func (o options) checkAsked() error {
	refuses := kinds()[o.Kind].refuses
	for _, name := range sorted(refuses) {
		if got := o.column(name); got != "" {
			return fmt.Errorf("plot: draw %s: got %s %s, which it does not have: %s", o.Kind, name, got, refuses[name])
		}
	}
	return nil
}

// checkApart refuses a column that is to be shown in two ways which exclude each other.
func (o options) checkApart() error {
	names := kinds()[o.Kind].apart
	for i, one := range names {
		for _, other := range names[:i] {
			if got := o.column(one); got != "" && got == o.column(other) {
				return fmt.Errorf("plot: draw %s: got %s for both %s and %s; leave one of them out",
					o.Kind, got, other, one)
			}
		}
	}
	return nil
}

// kindNames lists the kinds for a message: "phase, stability, curves, trajectories or bars".
func kindNames() string {
	var names []string
	for _, k := range figure.Kinds() {
		names = append(names, string(k))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
