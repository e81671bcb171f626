package plot

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/replicate"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// options are those of a figure. Empty fields are chosen from the axes of the set.
type options figure.Figure

// axes are parameters that make good axes, best first.
var axes = []string{"anisotropy", "exponent", "rho", "power", "dimension", "learning_rate", "init_scale", "samples",
	"width", "batch_size", "label_noise", "momentum", "weight_decay", "teacher_index"}

// facets are parameters that make good panels or lines.
var facets = []string{"optimizer", "orthogonalizer", "schedule", "covariance", "init", "model", "nesterov"}

// Draw draws a result set.
func Draw(ctx context.Context, set *results.Set, asked figure.Figure) (*Figure, error) {
	o := options(asked)
	if o.Kind != "" && kinds()[o.Kind].draw == nil {
		return nil, fmt.Errorf("plot: got kind %q, want %s", o.Kind, kindNames())
	}
	for _, s := range []string{o.XScale, o.YScale} {
		if s != "" && s != "linear" && s != "log" {
			return nil, fmt.Errorf("plot: got scale %q, want linear or log", s)
		}
	}
	if err := o.checkMetrics(); err != nil {
		return nil, err
	}
	if o.Kind == "" && !hasColumn(set, results.Points, o.Y) && hasColumn(set, results.Trajectories, o.Y) {
		o.Kind = figure.Trajectories
	}
	names := append(slices.Clone(always), o.Color, o.Facet)
	if o.Kind != figure.Trajectories && o.X != "step" && o.X != "eta_step" {
		names = append(append(names, o.X), o.metrics()...)
	}
	if o.Kind == figure.Stability {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "diverged" })
	}
	f, err := load(ctx, set, o.Where, names...)
	if err != nil {
		return nil, err
	}
	if err := o.choose(f, set); err != nil {
		return nil, err
	}
	picture, err := kinds()[o.Kind].draw(ctx, set, f, o)
	if err != nil {
		return nil, err
	}
	if !o.NoCaption {
		picture.caption = caption(set, f, o)
	}
	picture.look = lookOf(set, o)
	return picture, picture.checkRoom()
}

// always are the metrics that defaults need.
var always = []string{"signal_alignment", "peak_spike_alignment", "steps_to_90"}

// choose fills the empty options.
func (o *options) choose(f *frame, set *results.Set) error {
	asked := o.Facet
	if o.Facet == "" && !slices.Contains([]figure.Kind{figure.Curves, figure.Trajectories, figure.Bars}, o.Kind) {
		o.Facet = f.firstVarying(f.facets, o.X, o.Y, o.Color)
	}
	if o.Kind == "" {
		if o.Kind = o.chooseKind(f, set); o.Kind != figure.Phase && o.Kind != figure.Stability {
			o.Facet = asked
		}
	}
	if err := o.checkAsked(); err != nil {
		return err
	}
	if err := kinds()[o.Kind].choose(o, f, set); err != nil {
		return err
	}
	return o.checkApart()
}

// hasColumn reports whether a table of a set has a column.
func hasColumn(set *results.Set, t results.Table, name string) bool {
	return slices.ContainsFunc(set.Schema().Columns(t), func(c results.Column) bool { return c.Name == name })
}

// chooseKind chooses what fits the axes: a metric on the y axis is drawn over the first axis, or by
// word; two parameters make a map.
func (o *options) chooseKind(f *frame, set *results.Set) figure.Kind {
	x := o.X
	if x == "" {
		x = f.freeAxis(o.Facet, o.Y)
	}
	if x == "step" || x == "eta_step" || x == "" && set.Schema().Has(results.Trajectories) {
		return figure.Trajectories
	}
	if o.Y == "" || slices.Contains(f.parameters, o.Y) {
		y := cmp.Or(o.Y, f.secondAxis(o.Facet, x))
		if y == "learning_rate" && o.Color == "" && slices.Contains(f.columns["status"].words, results.StatusDiverged) {
			return figure.Stability
		} else if y != "" && x != "" {
			return figure.Phase
		}
	}
	if x == "" || f.columns[x] != nil && f.columns[x].isWord() {
		return figure.Bars
	}
	return figure.Curves
}

// firstVarying returns the first of the names that varies and is not taken.
func (f *frame) firstVarying(names []string, taken ...string) string {
	for _, name := range names {
		if !slices.Contains(taken, name) && f.varies(name) {
			return name
		}
	}
	return ""
}

// freeAxis returns the first axis that varies independently of the given columns and applies to
// most points.
func (f *frame) freeAxis(beside ...string) string {
	for _, name := range f.axes {
		if f.isFree(name, beside...) {
			return name
		}
	}
	return ""
}

// secondAxis returns the first axis that makes a grid with x: at least half of the pairs of their
// values have points.
func (f *frame) secondAxis(facet, x string) string {
	for _, name := range f.axes {
		if !f.isFree(name, facet, x) || f.columns[x] == nil {
			continue
		}
		pairs := map[string]bool{}
		for row := range f.rows {
			pairs[f.key(row, []string{x, name})] = true
		}
		if 2*len(pairs) >= len(f.distinct(x))*len(f.distinct(name)) {
			return name
		}
	}
	return ""
}

// isFree reports whether a parameter varies independently of the given ones and applies to most
// points.
func (f *frame) isFree(name string, beside ...string) bool {
	isMetric := func(name string) bool { return !slices.Contains(f.parameters, name) }
	if slices.Contains(beside, name) || f.columns[name] == nil ||
		!f.free(name, slices.DeleteFunc(slices.Clone(beside), isMetric)...) {
		return false
	}
	set := 0
	for row := range f.rows {
		if !f.columns[name].at(row).null {
			set++
		}
	}
	return 2*set > f.rows
}

func (o *options) choosePhase(f *frame, _ *results.Set) error {
	if o.X == "" {
		o.X = f.freeAxis(o.Facet, o.Y)
	}
	if o.Y == "" && o.Kind == figure.Stability {
		o.Y = "learning_rate"
	}
	if o.Y == "" {
		o.Y = f.secondAxis(o.Facet, o.X)
	}
	if o.X == "" || o.Y == "" || f.columns[o.X] == nil || f.columns[o.Y] == nil {
		return fmt.Errorf("plot: choose axes: a %s diagram needs two parameters that vary; name them, or draw %s",
			o.Kind, figure.Curves)
	}
	if f.columns[o.X].isWord() || f.columns[o.Y].isWord() {
		return fmt.Errorf("plot: choose axes: %s and %s must be numbers", o.X, o.Y)
	}
	for _, name := range []string{o.X, o.Y} {
		if !slices.Contains(f.parameters, name) {
			return fmt.Errorf("plot: choose axes: a %s diagram has parameters on its axes, got the metric %s; "+
				"show it as color, or draw it over a parameter by kind curves", o.Kind, name)
		}
	}
	if o.Color == "" {
		o.Color = f.widest("signal_alignment", "peak_spike_alignment")
	}
	if o.Kind == figure.Stability {
		o.Color = "diverged"
	} else if f.columns[o.Color] == nil || f.columns[o.Color].isWord() {
		return fmt.Errorf("plot: choose colour: %s is not a column of numbers", o.Color)
	}
	if o.Threshold == 0 && isFraction(o.Color) {
		o.Threshold = 0.5
	}
	return nil
}

// widest returns the metric whose 10 % and 90 % quantiles differ most.
func (f *frame) widest(names ...string) string {
	best, most := names[0], 0.0
	for _, name := range names {
		numbers := slices.DeleteFunc(slices.Clone(f.columns[name].numbers), math.IsNaN)
		if span := replicate.Quantile(numbers, 0.9) - replicate.Quantile(numbers, 0.1); span > most {
			best, most = name, span
		}
	}
	return best
}

func (o *options) chooseCurves(f *frame, _ *results.Set) error {
	if o.Color == "" {
		o.Color = f.firstVarying(f.facets, o.X, o.Y, o.Facet)
	}
	if o.X == "" {
		o.X = f.freeAxis(o.Color, o.Facet, o.Y)
	}
	if o.Y == "" {
		o.Y = f.time()
	}
	if o.Color == "" {
		taken := []string{o.X, o.Y, o.Facet}
		if o.isTime() {
			taken = append(taken, "learning_rate") // the best one counts
		}
		o.Color = f.firstVarying(f.axes, taken...)
	}
	for _, name := range append([]string{o.X}, o.metrics()...) {
		if c := f.columns[name]; c == nil || c.isWord() {
			return fmt.Errorf("plot: choose axes: %q is not a column of numbers; name one for x and one for y, "+
				"or draw words by kind bars", name)
		}
	}
	return nil
}

// time returns the metric that curves and bars show: how long a run takes to hold 90 % alignment,
// or the alignment if none does.
func (f *frame) time() string {
	for _, name := range []string{"held_90_step", "steps_to_90"} {
		if c := f.columns[name]; c != nil &&
			slices.ContainsFunc(c.numbers, func(x float64) bool { return !math.IsNaN(x) }) {
			return name
		}
	}
	return f.widest("signal_alignment", "peak_spike_alignment")
}

// chooseBars chooses the categories: words that vary, else the optimizer.
func (o *options) chooseBars(f *frame, _ *results.Set) error {
	if o.X == "" {
		o.X = cmp.Or(f.firstVarying(slices.Concat(f.facets, f.axes), o.Y, o.Color, o.Facet), "optimizer")
	}
	if o.Y == "" {
		o.Y = f.time()
	}
	for _, name := range o.metrics() {
		if c := f.columns[name]; c == nil || c.isWord() {
			return fmt.Errorf("plot: choose axes: %q is not a column of numbers; name one for y", name)
		}
	}
	if f.columns[o.X] == nil {
		return fmt.Errorf("plot: choose axes: the sweep has no column %s; name one for x", o.X)
	}
	return nil
}

func (o *options) chooseTrajectories(f *frame, set *results.Set) error {
	if !set.Schema().Has(results.Trajectories) {
		return fmt.Errorf("plot: draw trajectories: the sweep records no steps; add record to the sweep file")
	}
	if o.X == "" {
		o.X = "step"
	}
	if o.X != "step" && o.X != "eta_step" {
		return fmt.Errorf(
			"plot: choose axes: got %s for x, want step or eta_step; draw a parameter by kind curves",
			o.X,
		)
	}
	if o.Y == "" {
		o.Y = "signal_alignment"
	}
	if o.Color == "" {
		o.Color = f.firstVarying(slices.Concat(f.facets, f.axes), o.Facet)
	}
	return nil
}
