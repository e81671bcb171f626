package plot

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/phasegrid/phasegrid/sweep/figure"
)

// law is a line that theory draws over the anisotropy λ, for the runs that satisfy its assumptions.
type law struct {
	text  string   // what the line is
	y     []string // vertical axes that it is for
	shown []string // or metrics that it is about: the colour of a map, or the y of curves
	holds func(f *frame, row int) bool
	// line returns the points of the line within the axes, for the rows for which the law holds.
	line func(f *frame, rows []int, axes panelAxes) [][2]float64
}

// laws is the table of lines.
func laws() []law {
	return []law{
		{text: "1/max(3, 1 + λ)", y: []string{"learning_rate"}, holds: followsGradient, line: stabilityLimit},
		{text: "0.949/η", y: []string{"steps_to_90", "held_90_step"}, holds: movesAllAlike, line: arrival},
		{text: "λ = 2", shown: alignments, holds: followsGradient, line: criticalAnisotropy},
	}
}

// alignments are the metrics that change where the spike begins to grow faster than the signal;
// times do not.
var alignments = []string{
	"peak_spike_alignment", "spike_alignment", "spike_at_escape", "signal_alignment", "alignment_at_escape",
}

// theories returns the lines for the rows of a panel: those of laws that hold for some of them.
func (f *frame) theories(o options, rows []int, axes panelAxes) []*theory {
	if o.X != "anisotropy" || f.columns["optimizer"] == nil {
		return nil
	}
	shown := o.Y
	if o.Kind == figure.Phase || o.Kind == figure.Stability {
		shown = o.Color
	}
	var lines []*theory
	for _, l := range laws() {
		if !slices.Contains(l.y, o.Y) && (!slices.Contains(l.shown, shown) || o.Y == "learning_rate") {
			continue
		}
		var of []int
		optimizers := map[string]bool{}
		for _, row := range rows {
			if l.holds(f, row) {
				of = append(of, row)
				optimizers[f.columns["optimizer"].words[row]] = true
			}
		}
		points := l.line(f, of, axes)
		if len(of) == 0 || len(points) == 0 {
			continue
		}
		text := "theory for " + strings.Join(sorted(optimizers), ", ") + ": " + l.text
		lines = append(lines, &theory{text: text, points: points, dashes: dashes, axes: axes})
	}
	return lines
}

// word returns a parameter of a row, or its default.
func (f *frame) word(row int, name, unset string) string {
	if c := f.columns[name]; c != nil && c.isWord() {
		return cmp.Or(c.words[row], unset)
	}
	return unset
}

// number returns a parameter of a row, or its default.
func (f *frame) number(row int, name string, unset float64) float64 {
	if c := f.columns[name]; c != nil && !c.isWord() && !math.IsNaN(c.numbers[row]) {
		return c.numbers[row]
	}
	return unset
}

// isSpiked reports whether a run descends the population loss with one spike beside a unit teacher
// in the bulk.
func (f *frame) isSpiked(row int) bool {
	return f.word(row, "model", "population") == "population" && f.word(row, "covariance", "spiked") == "spiked" &&
		f.word(row, "teacher", "eigen") == "eigen" && f.number(row, "teacher_index", 0) != 1 &&
		f.number(row, "teacher_norm2", 1) == 1 && f.number(row, "teacher_variance", 1) == 1 &&
		f.word(row, "normalize", "none") == "none" && f.number(row, "negative_units", 0) == 0
}

// followsGradient reports whether a run is gradient descent of a spiked problem: the spike grows
// faster than the signal beyond λ = 2, and steps above 1/max(3, 1 + λ) are unstable.
func followsGradient(f *frame, row int) bool {
	return f.isSpiked(row) && f.word(row, "optimizer", "") == "gd" && f.number(row, "weight_decay", 0) == 0
}

// movesAllAlike reports whether a run reaches 90 % alignment at learning rate times step = 0.949
// for any anisotropy, from a small start: if the update has all its singular values at 1, and
// follows the gradient without momentum.
func movesAllAlike(f *frame, row int) bool {
	optimizer := f.word(row, "optimizer", "")
	exact := optimizer == "specgd" || optimizer == "muon" && f.number(row, "momentum", 1) == 0 &&
		f.word(row, "orthogonalizer", "newton_schulz") == "exact"
	return exact && f.isSpiked(row) && f.word(row, "init", "identity") == "identity" &&
		f.word(row, "schedule", "constant") == "constant" && f.number(row, "weight_decay", 0) == 0
}

func criticalAnisotropy(_ *frame, _ []int, axes panelAxes) [][2]float64 {
	if !axes.x.shows(2) {
		return nil
	}
	return [][2]float64{{2, axes.y.back(axes.y.low)}, {2, axes.y.back(axes.y.high)}}
}

func stabilityLimit(_ *frame, _ []int, axes panelAxes) [][2]float64 {
	var line [][2]float64
	for i := range 201 {
		λ := axes.x.back(axes.x.low + (axes.x.high-axes.x.low)*math.Pow(float64(i)/200, 3))
		line = append(line, [2]float64{λ, 1 / math.Max(3, 1+λ)})
	}
	return line
}

// arrival returns 0.949/learning rate at the anisotropies that have one learning rate.
func arrival(f *frame, rows []int, _ panelAxes) [][2]float64 {
	if f.columns["learning_rate"] == nil {
		return nil
	}
	rates := map[float64]map[float64]bool{}
	xs := map[float64]bool{}
	for _, row := range rows {
		x := f.columns["anisotropy"].numbers[row]
		if xs[x] = true; rates[x] == nil {
			rates[x] = map[float64]bool{}
		}
		rates[x][f.columns["learning_rate"].numbers[row]] = true
	}
	var points [][2]float64
	for _, x := range sorted(xs) {
		for rate := range rates[x] {
			if len(rates[x]) == 1 && rate > 0 {
				points = append(points, [2]float64{x, 0.949 / rate})
			}
		}
	}
	return points
}

var dashes = []vg.Length{3, 2}

// theory is a plotter of a dashed line.
type theory struct {
	text   string
	points [][2]float64
	dashes []vg.Length
	axes   panelAxes
}

// Plot implements plot.Plotter.
func (t *theory) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var line []vg.Point
	for _, point := range t.points {
		if !t.axes.x.has(point[0]) || !t.axes.y.has(point[1]) {
			continue
		}
		line = append(line, vg.Point{X: tx(point[0]), Y: ty(point[1])})
	}
	if len(line) > 1 {
		c.StrokeLines(draw.LineStyle{Color: theoryColor, Width: 1.2, Dashes: t.dashes}, c.ClipLinesXY(line)...)
	}
}
