package plot

import (
	"context"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// Kind is a kind of figure.
type Kind = figure.Kind

// The kinds.
const (
	phaseKind     = figure.Phase
	stabilityKind = figure.Stability
	Curves        = figure.Curves
	Trajectories  = figure.Trajectories
	barsKind      = figure.Bars
)

// kind is how a kind of figure is made: choose fills empty options, draw draws them.
type kind struct {
	choose func(*Options, *frame, *results.Set) error
	draw   func(context.Context, *results.Set, *frame, Options) (*Figure, error)
}

func kinds() map[Kind]kind {
	return map[Kind]kind{
		phaseKind:     {choose: (*Options).choosePhase, draw: phase},
		stabilityKind: {choose: (*Options).choosePhase, draw: phase},
		Curves:        {choose: (*Options).chooseCurves, draw: curves},
		Trajectories:  {choose: (*Options).chooseTrajectories, draw: trajectories},
		barsKind:      {choose: (*Options).chooseBars, draw: bars},
	}
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
