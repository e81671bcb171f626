package plot

import (
	"context"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// kind is how a kind of figure is made: choose fills empty options, draw draws them.
type kind struct {
	choose func(*options, *frame, *results.Set) error
	draw   func(context.Context, *results.Set, *frame, options) (*Figure, error)
}

func kinds() map[figure.Kind]kind {
	return map[figure.Kind]kind{
		figure.Phase:        {choose: (*options).choosePhase, draw: phase},
		figure.Stability:    {choose: (*options).choosePhase, draw: phase},
		figure.Curves:       {choose: (*options).chooseCurves, draw: curves},
		figure.Trajectories: {choose: (*options).chooseTrajectories, draw: trajectories},
		figure.Bars:         {choose: (*options).chooseBars, draw: bars},
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
