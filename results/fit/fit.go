package fit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/replicate"
)

// Options say what is fitted to what.
type Options struct {
	Y, X       string        // formulas over columns
	LogY, LogX bool          // fit to the natural logarithm
	Table      results.Table // Points, or Trajectories, whose rows have the columns of their points too
	Where      string        // a condition on the rows
	By         []string      // columns of points that part the groups; nil: the parameters that vary
	From, To   float64       // window in x, ends included
	Rows       bool          // fit to every row, not to medians of replicates
	Robust     bool          // Theil-Sen instead of least squares
	Confidence float64       // of the intervals, in (0, 1)
}

// Result is the lines that were fitted to a set.
type Result struct {
	By     []results.Column // that part the groups
	Groups []Group          // in the order of their values
	// Rank is the column by which the best learning rate is chosen at each x; "" if rates do not
	// compete.
	Rank string
}

// Group is the line through the points that have the same values of Result.By.
type Group struct {
	Values      []results.Cell // of Result.By
	Line        Line
	Points      int     // that the line is fitted to
	First, Last float64 // the least and the greatest x of them; NaN without points
	LeftOut     LeftOut
}

// LeftOut counts the points that a line is not fitted to.
type LeftOut struct {
	Null        int // without x or y
	Censored    int // y is a step number that half of the replicates did not get to
	NotPositive int // x or y <= 0 on a logarithmic scale
	Outside     int // the window
}

// Fit is what is asked of a set.
type Fit struct {
	set      *results.Set
	options  Options
	formulas formulas
}

// New returns the fit that the options ask for, or what is wrong with them.
func New(set *results.Set, o Options) (*Fit, error) {
	schema := set.Schema()
	switch {
	case !(o.Confidence > 0 && o.Confidence < 1):
		return nil, fmt.Errorf("fit: confidence: got %v, want a number between 0 and 1", o.Confidence)
	case !(o.From <= o.To):
		return nil, fmt.Errorf("fit: window: got from %v to %v, want from <= to", o.From, o.To)
	case o.Table != results.Points && o.Table != results.Trajectories:
		return nil, fmt.Errorf("fit: got table %s, want points or trajectories", o.Table)
	case !schema.Has(o.Table):
		return nil, fmt.Errorf("fit: read %s: the sweep records no steps; add record to the sweep file", o.Table)
	}
	for _, name := range o.By {
		if !has(schema.Columns(results.Points), name) {
			return nil, fmt.Errorf("fit: part groups by %s: points has no such column; see phasegrid columns", name)
		}
	}
	f, err := parse(schema, o)
	if err != nil {
		return nil, err
	}
	return &Fit{set, o, f}, nil
}

// Run reads the rows of the set and fits the lines.
func (f *Fit) Run(ctx context.Context) (*Result, error) {
	t, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	by := t.by(f.options)
	r := &Result{Rank: t.rank}
	for _, i := range by {
		r.By = append(r.By, t.columns[i].of)
	}
	for _, samples := range t.groups(by) {
		run := t.runs[samples[0].run]
		g, err := t.fit(samples, f.options)
		if err != nil {
			return nil, err
		}
		for _, i := range by {
			g.Values = append(g.Values, t.columns[i].values[run[i]])
		}
		r.Groups = append(r.Groups, g)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int { return slices.CompareFunc(a.Values, b.Values, compare) })
	return r, nil
}

// groups are the samples by the values of the columns.
func (t *table) groups(by []int) map[string][]sample {
	groups := map[string][]sample{}
	for _, s := range t.samples {
		key := key(t.runs[s.run], by)
		groups[key] = append(groups[key], s)
	}
	return groups
}

// point is a median of replicates, or a row. y is NaN where it is censored or null.
type point struct{ x, y float64 }

// points are those of the samples of a group, by rising x.
func (t *table) points(samples []sample, rows bool) []point {
	if rows {
		points := make([]point, len(samples))
		for i, s := range samples {
			points[i] = point{s.x, math.NaN()}
			if s.counts {
				points[i].y = s.y
			}
		}
		return points
	}
	if t.rank != "" {
		samples = t.best(samples)
	}
	runs := map[int]bool{}
	cells := map[float64]*replicate.Runs{}
	for _, s := range samples {
		if cells[s.x] == nil {
			cells[s.x] = &replicate.Runs{Steps: t.steps}
		}
		cells[s.x].Add(s.counts, s.y)
		runs[s.run] = true
	}
	var points []point
	for x, cell := range cells {
		if t.recorded { // a run that ended before counts as one without a value
			for range len(runs) - cell.Len() {
				cell.Add(false, math.NaN())
			}
		}
		points = append(points, point{x, cell.Quantile(0.5)})
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return points
}

// best keeps, at each x, the samples of the best learning rate; where none is, those of the
// smallest one, uncounted.
func (t *table) best(samples []sample) []sample {
	type cell struct{ x, rate float64 }
	rates := map[cell]*replicate.Rate{}
	at := func(s sample) cell {
		return cell{s.x, t.columns[t.rate].values[t.runs[s.run][t.rate]].Float}
	}
	for _, s := range samples {
		if rates[at(s)] == nil {
			rates[at(s)] = &replicate.Rate{}
		}
		rates[at(s)].Add(s.counts, s.held, s.length, s.unstable)
	}
	best := map[float64]cell{}
	for c, rate := range rates {
		old, ok := best[c.x]
		if !ok || cmp.Or(cmp.Compare(rate.Rank(), rates[old].Rank()), cmp.Compare(c.rate, old.rate)) < 0 {
			best[c.x] = c
		}
	}
	samples = slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return best[s.x] != at(s) })
	for i, s := range samples {
		samples[i].counts = s.counts && !math.IsInf(rates[at(s)].Rank(), 1)
	}
	return samples
}

// fit fits a line to the samples of a group.
func (t *table) fit(samples []sample, o Options) (Group, error) {
	var g Group
	g.LeftOut.Null = len(samples)
	samples = slices.DeleteFunc(samples, func(s sample) bool { return math.IsNaN(s.x) })
	g.LeftOut.Null -= len(samples)
	var x, y []float64
	g.First, g.Last = math.Inf(1), math.Inf(-1)
	for _, p := range t.points(samples, o.Rows) {
		switch {
		case p.x < o.From || p.x > o.To:
			g.LeftOut.Outside++
		case math.IsNaN(p.y) && t.steps:
			g.LeftOut.Censored++
		case math.IsNaN(p.y):
			g.LeftOut.Null++
		case o.LogX && p.x <= 0 || o.LogY && p.y <= 0:
			g.LeftOut.NotPositive++
		default:
			g.First, g.Last = min(g.First, p.x), max(g.Last, p.x)
			x, y = append(x, scaled(p.x, o.LogX)), append(y, scaled(p.y, o.LogY))
		}
	}
	if g.Points = len(x); g.Points == 0 {
		g.First, g.Last = math.NaN(), math.NaN()
	}
	switch {
	case !o.Robust:
		g.Line = LeastSquares(x, y, o.Confidence)
	case len(x) > maxRobust:
		return g, fmt.Errorf("fit: got %d points in a group, want at most %d for a robust fit; narrow the window",
			len(x), maxRobust)
	default:
		g.Line = theilSen(x, y, o.Confidence)
	}
	return g, nil
}

func scaled(x float64, log bool) float64 {
	if log {
		return math.Log(x)
	}
	return x
}

// compare orders the cells of a column: numbers and words rise, null is last.
func compare(a, b results.Cell) int {
	truth := map[bool]int{true: 1}
	return cmp.Or(
		cmp.Compare(truth[a.Null], truth[b.Null]), cmp.Compare(a.Int, b.Int), cmp.Compare(a.Float, b.Float),
		cmp.Compare(a.Text, b.Text), cmp.Compare(truth[a.Bool], truth[b.Bool]),
	)
}
