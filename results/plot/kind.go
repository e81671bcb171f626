package plot

import (
	"context"
	"strings"

	"github.com/phasegrid/phasegrid/results"
)

// Kind is a kind of figure.
type Kind string

const (
	Phase        Kind = "phase"        // heat map of Color over X and Y, one panel for each Facet
	Stability    Kind = "stability"    // heat map of the fraction of diverged runs over X and the learning rate
	Curves       Kind = "curves"       // Y against X, one line for each Color, one panel for each Facet
	Trajectories Kind = "trajectories" // Y against the step, one line for each Color, one panel for each Facet
	Bars         Kind = "bars"         // Y for each value of X, one bar for each Color, one panel for each Facet
)

// kind is how a kind of figure is made: choose fills empty options, draw draws them.
type kind struct {
	choose func(*Options, *frame, *results.Set) error
	draw   func(context.Context, *results.Set, *frame, Options) (*Figure, error)
}

func kinds() map[Kind]kind {
	return map[Kind]kind{
		Phase:        {choose: (*Options).choosePhase, draw: phase},
		Stability:    {choose: (*Options).choosePhase, draw: phase},
		Curves:       {choose: (*Options).chooseCurves, draw: curves},
		Trajectories: {choose: (*Options).chooseTrajectories, draw: trajectories},
		Bars:         {choose: (*Options).chooseBars, draw: bars},
	}
}

// Kinds lists the kinds of figures.
func Kinds() []Kind { return []Kind{Phase, Stability, Curves, Trajectories, Bars} }

// kindNames lists the kinds for a message: "phase, stability, curves, trajectories or bars".
func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
