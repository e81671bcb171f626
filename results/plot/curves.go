package plot

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
)

// maxNumbers and maxWords bound the lines of a panel: more cannot be distinguished.
const (
	maxNumbers = 6
	maxWords   = 2 * len(hues)
)

// curves draws a metric against a parameter. If several learning rates compete for a first-passage
// time, it draws the best one.
func curves(f *frame, o Options) (*Figure, error) {
	keys := []string{o.Facet, o.Color, o.X}
	best := results.IsCensored(o.Y) && f.columns["learning_rate"] != nil &&
		f.free("learning_rate", append(keys, "seed")...)
	if best {
		f.slice(keys, "learning_rate", "steps")
		f.notes = append(f.notes, "best learning rate")
	} else {
		f.slice(keys)
	}
	f.noteBands()
	colors := f.lineValues(o.Color)
	figure := &Figure{legend: lineLegend(o.Color, colors)}
	var marks curveMarks
	for _, facet := range f.lineValues(o.Facet) {
		p, err := f.curvesPanel(o, facet, colors, best, &marks)
		if err != nil {
			return nil, err
		}
		figure.panels = append(figure.panels, p)
	}
	figure.legend = append(figure.legend, marks.legend()...)
	f.noteDiverged(o)
	return figure, nil
}

// curveMarks are the marks in panels that the legend explains.
type curveMarks struct {
	censored, border bool
	asymptotes       []string // optimizers
}

func (m *curveMarks) addAsymptote(optimizer string) {
	if !slices.Contains(m.asymptotes, optimizer) {
		m.asymptotes = append(m.asymptotes, optimizer)
	}
}

func (m *curveMarks) legend() (legend []legendEntry) {
	if m.border {
		legend = append(legend, legendEntry{text: "theory: λ = 2 (gd)", color: theoryColor, dashes: dashes})
	}
	if len(m.asymptotes) > 0 {
		text := "theory: 0.949/η (" + strings.Join(m.asymptotes, ", ") + ")"
		legend = append(legend, legendEntry{text: text, color: theoryColor, dashes: dashes})
	}
	if m.censored {
		legend = append(legend, legendEntry{text: "not reached", color: ink, cross: true})
	}
	return legend
}

// curvesPanel draws the lines of one facet.
func (f *frame) curvesPanel(o Options, facet value, colors []value, best bool, marks *curveMarks) (*panel, error) {
	p := newPanel(facetTitle(o.Facet, facet), label(o.X), label(o.Y))
	var lines []*line
	var theories []*theory
	for i, v := range colors {
		rows := f.rowsOf(o, facet, v)
		l := f.curve(rows, o, best)
		l.color, l.dashes = lineStyle(colors, i)
		lines = append(lines, l)
		if o.Y == "steps_to_90" && o.X == "anisotropy" && o.Color == "optimizer" {
			if points := f.asymptote(rows, l); len(points) > 0 {
				theories = append(theories, &theory{points})
				marks.addAsymptote(v.word)
			}
		}
		marks.censored = marks.censored || slices.ContainsFunc(l.mid, math.IsNaN)
	}
	sx, sy, ok := frameLines(p.Plot, lines, o)
	if !ok {
		return nil, fmt.Errorf("plot: draw %s over %s: no row has both", o.Y, o.X)
	}
	if o.X == "anisotropy" && p.X.Min < 2 && p.X.Max > 2 && f.hasGradientDescent(o, facet) {
		marks.border = true
		theories = append(theories, &theory{points: [][2]float64{{2, p.Y.Min}, {2, p.Y.Max}}})
	}
	p.addLines(lines, sx, sy)
	for _, t := range theories {
		p.Add(t)
	}
	return p, nil
}

// hasGradientDescent reports whether runs of gd are drawn in a panel.
func (f *frame) hasGradientDescent(o Options, facet value) bool {
	optimizer := f.columns["optimizer"]
	for row := range f.rows {
		if (o.Facet == "" || f.columns[o.Facet].at(row) == facet) && optimizer != nil && optimizer.words[row] == "gd" {
			return true
		}
	}
	return false
}

// noteDiverged adds to the caption how many of the runs diverged.
func (f *frame) noteDiverged(o Options) {
	diverged := 0
	for row := range f.rows {
		if f.columns["status"].words[row] == results.StatusDiverged {
			diverged++
		}
	}
	text := "%d of these runs diverged"
	if results.IsCensored(o.Y) {
		text += " and count as not reached"
	}
	if diverged > 0 {
		f.notes = append(f.notes, fmt.Sprintf(text, diverged))
	}
}

// noteBands explains the bands in the caption, if there are replicates.
func (f *frame) noteBands() {
	if f.varies("seed") {
		f.notes = append(f.notes, "median and 10-90 % band over seeds")
	}
}

// lineValues returns the values of a column that become lines or panels, evenly spread if there are
// too many; without a column, one null.
func (f *frame) lineValues(name string) []value {
	if name == "" {
		return []value{{null: true}}
	}
	all, most := f.distinct(name), maxNumbers
	if f.columns[name].isWord() {
		most = maxWords
	}
	if len(all) <= most {
		return all
	}
	var some []value
	for i := range most {
		some = append(some, all[i*(len(all)-1)/(most-1)])
	}
	return some
}

// facetTitle is the title of a panel or line.
func facetTitle(name string, v value) string {
	switch {
	case name == "":
		return ""
	case v.word != "":
		return v.word
	}
	return symbol(name) + " = " + v.String()
}

// rowsOf returns the rows of one line of one panel.
func (f *frame) rowsOf(o Options, facet, color value) []int {
	var rows []int
	for row := range f.rows {
		if (o.Facet == "" || f.columns[o.Facet].at(row) == facet) &&
			(o.Color == "" || f.columns[o.Color].at(row) == color) {
			rows = append(rows, row)
		}
	}
	return rows
}

// curve returns the line through the rows: median, 10 % and 90 % quantiles over replicates at each
// x; if best, at the learning rate with the smallest median.
func (f *frame) curve(rows []int, o Options, best bool) *line {
	type at struct{ x, rate float64 }
	values := map[at][]float64{}
	xs := map[float64]bool{}
	for _, row := range rows {
		k := at{x: f.columns[o.X].numbers[row]}
		if math.IsNaN(k.x) {
			continue
		}
		if best {
			k.rate = f.columns["learning_rate"].numbers[row]
		}
		y := f.columns[o.Y].numbers[row]
		if results.IsCensored(o.Y) && f.columns["status"].words[row] == results.StatusDiverged {
			y = math.NaN()
		}
		xs[k.x] = true
		values[k] = append(values[k], y)
	}
	l := &line{x: sorted(xs)}
	for _, x := range l.x {
		var chosen []float64
		for k, v := range values {
			if k.x == x && (chosen == nil || earlier(v, chosen)) {
				chosen = v
			}
		}
		if !results.IsCensored(o.Y) {
			chosen = slices.DeleteFunc(chosen, math.IsNaN)
		}
		l.low = append(l.low, censoredQuantile(chosen, 0.1))
		l.mid = append(l.mid, censoredQuantile(chosen, 0.5))
		l.high = append(l.high, censoredQuantile(chosen, 0.9))
	}
	return l
}

// earlier reports whether the median of a is less than that of b; a censored one is later than all
// others.
func earlier(a, b []float64) bool {
	x, y := censoredQuantile(a, 0.5), censoredQuantile(b, 0.5)
	return !math.IsNaN(x) && (math.IsNaN(y) || x < y)
}

// hasAsymptote reports whether a run reaches 90 % alignment at learning rate times step = 0.949 for
// any anisotropy, from a small start: if the update of the population gradient has all its singular
// values at 1.
func (f *frame) hasAsymptote(row int) bool {
	word := func(name, unset string) string {
		if c := f.columns[name]; c != nil && c.words[row] != "" {
			return c.words[row]
		}
		return unset
	}
	switch word("optimizer", "") {
	case "specgd":
	case "muon":
		if word("orthogonalizer", "newton_schulz") != "exact" {
			return false
		}
	default:
		return false
	}
	return word("model", "population") == "population" && word("init", "identity") == "identity"
}

// asymptote returns 0.949/eta at the anisotropies of a line that have one learning rate, if theory
// holds for all its runs.
func (f *frame) asymptote(rows []int, l *line) [][2]float64 {
	if f.columns["learning_rate"] == nil ||
		slices.ContainsFunc(rows, func(row int) bool { return !f.hasAsymptote(row) }) {
		return nil
	}
	rates := map[float64]map[float64]bool{}
	for _, row := range rows {
		x := f.columns["anisotropy"].numbers[row]
		if rates[x] == nil {
			rates[x] = map[float64]bool{}
		}
		rates[x][f.columns["learning_rate"].numbers[row]] = true
	}
	var points [][2]float64
	for _, x := range l.x {
		for rate := range rates[x] {
			if len(rates[x]) == 1 && rate > 0 {
				points = append(points, [2]float64{x, 0.949 / rate})
			}
		}
	}
	return points
}
