package plot_test

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// drawn draws a figure of a set and returns what it draws.
func drawn(t *testing.T, set *results.Set, o figure.Figure) drawing {
	t.Helper()
	picture, err := plot.Draw(context.Background(), set, o)
	if err != nil {
		t.Fatal(err)
	}
	return record(t, picture)
}

func TestLogScaleSaysWhatItLeavesOut(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{-0.5, 0, 1, 10} {
		for _, rate := range []float64{0.001, 0.01, 0.1} {
			runs = append(runs, run{optimizer: "gd", dimension: 16, anisotropy: lambda, rate: rate, alignment: 0.5})
		}
	}
	set := write(t, runs)
	phase := figure.Figure{Kind: "phase", X: "anisotropy", Y: "learning_rate", XScale: "log"}
	drawn(t, set, phase).says(t, "; 6 points", "6 points with λ <= 0 not on the log scale")
	curves := figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment", XScale: "log"}
	drawn(t, set, curves).says(t, "points with λ <= 0 not on the log scale")
	phase.Where = "anisotropy <= 0"
	_, err := plot.Draw(context.Background(), set, phase)
	if err == nil || !strings.Contains(err.Error(), "anisotropy on a log scale: got no value above 0 (smallest -0.5)") {
		t.Errorf("an axis without positive values: %v", err)
	}
}

func TestBarsAreTheDefaultOfWords(t *testing.T) {
	set := write(t, []run{
		{optimizer: "gd", dimension: 16, anisotropy: 3, rate: 0.01, steps90: 40},
		{optimizer: "muon", dimension: 16, anisotropy: 3, rate: 0.01, steps90: -1},
		{optimizer: "specgd", dimension: 16, anisotropy: 3, rate: 0.01, steps90: 20},
	})
	bars := figure.Figure{Where: "point >= 0"}
	if set.Schema().Has(results.Trajectories) {
		bars.Kind = "bars"
	}
	d := drawn(t, set, bars)
	d.says(t, "gd", "muon", "specgd", "optimizer", "steps to hold 90 % alignment", "not reached")
	if d.fills[hueOfGD] != 1 || d.fills[hueOfSpecGD] != 1 {
		t.Errorf("fills %v; want a bar of gd and one of specgd", d.fills)
	}
	bars.YScale = "log"
	drawn(t, set, bars).says(t, "gd", "not reached")
}

// TestPanelsShareTheirAxes: each panel has the ticks of all data.
func TestPanelsShareTheirAxes(t *testing.T) {
	var runs []run
	for k, optimizer := range []string{"gd", "specgd"} {
		for _, lambda := range []float64{1, 2, 3} {
			for _, d := range []int64{10, 100} {
				steps := int64(lambda) * int64(1+99*k)
				runs = append(runs, run{optimizer: optimizer, dimension: d, anisotropy: lambda * float64(1+9*k),
					rate: 0.1, steps90: steps, alignment: 0.5})
			}
		}
	}
	set := write(t, runs)
	for _, o := range []figure.Figure{
		{Kind: figure.Curves, X: "anisotropy", Y: "held_90_step", Color: "dimension", Facet: "optimizer"},
		{Kind: "phase", X: "anisotropy", Y: "dimension", Color: "held_90_step", Facet: "optimizer"},
	} {
		counts := map[string]int{}
		for _, text := range drawn(t, set, o).texts {
			counts[text]++
		}
		for _, tick := range []string{"1", "20"} {
			if counts[tick] < 2 {
				t.Errorf(
					"%s: tick %s of the shared axis in %d panels; want 2 of %v",
					o.Kind,
					tick,
					counts[tick],
					counts,
				)
			}
		}
	}
}

// TestLinesAreBounded: at most ten curves, and the caption says of how many.
func TestLinesAreBounded(t *testing.T) {
	var runs []run
	for i := range 37 {
		for _, lambda := range []float64{1, 2} {
			runs = append(
				runs,
				run{optimizer: "gd", dimension: int64(10 + i), anisotropy: lambda, rate: 0.1, steps90: 5},
			)
		}
	}
	d := drawn(t, write(t, runs), figure.Figure{Kind: figure.Curves, X: "anisotropy", Color: "dimension"})
	d.says(t, "; 20 points", "10 of 37 values of d, evenly spread", "d = 10", "d = 46")
}

// TestBestLearningRateHolds: the rate is chosen among stable ones by how long alignment holds, not
// by its first touch.
func TestBestLearningRateHolds(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 4} {
		runs = append(runs,
			run{optimizer: "gd", dimension: 9, anisotropy: lambda, rate: 0.1, steps90: 700, held: 800},
			run{optimizer: "gd", dimension: 9, anisotropy: lambda, rate: 0.2, steps90: 3, held: 9500},
			run{optimizer: "gd", dimension: 9, anisotropy: lambda, rate: 0.3, steps90: 2, held: 2, unstable: true})
	}
	set := write(t, runs)
	d := drawn(t, set, figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "steps_to_90"})
	d.says(t, "; 2 points; the best of 3 learning rates by steps to hold 90 % alignment",
		"6 points tried", "2 of them with an unstable step excluded", "600")
	d = drawn(t, set, figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "held_90_step"})
	d.says(t, "400")
}

// TestMediansAreThoseOfTheViews: of six seeds five never get there; of metrics, those of runs that
// are not ok do not count.
func TestMediansAreThoseOfTheViews(t *testing.T) {
	var runs []run
	for seed := range int64(6) {
		r := run{optimizer: "gd", dimension: 9, anisotropy: 1, rate: 0.1, seed: seed, steps90: -1, alignment: 0.25}
		if seed == 0 {
			r.steps90 = 4
		}
		if seed > 3 {
			r.status, r.alignment = results.StatusDiverged, 1
		}
		runs = append(runs, r)
		r.anisotropy, r.steps90 = 2, 50
		runs = append(runs, r)
	}
	set := write(t, runs)
	d := drawn(t, set, figure.Figure{Kind: "bars", X: "anisotropy", Y: "steps_to_90"})
	d.says(
		t,
		"not reached",
		"median and 10-90 % band over 6 seeds",
		"4 of these runs diverged and count as not reached",
	)
	if got := d.fills[hueOfGD]; got != 1 {
		t.Errorf("%d bars; want 1", got)
	}
	d = drawn(t, set, figure.Figure{Kind: "phase", X: "anisotropy", Y: "dimension", Color: "signal_alignment"})
	quarter := color.NRGBA{59, 82, 138, 255} // viridis at 0.25
	if got := d.fills[quarter]; got < 2 {
		t.Errorf("%d cells have the median of the runs that are ok; want 2 of %v", got, d.fills)
	}
}

// TestCaptionNamesWhatChangesAlongTheAxes: at each anisotropy there is one dimension, so that no
// row is left out, and the figure mixes two effects.
func TestCaptionNamesWhatChangesAlongTheAxes(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 2, 3} {
		for _, rate := range []float64{0.1, 0.2} {
			runs = append(
				runs,
				run{optimizer: "gd", dimension: int64(10 * lambda), anisotropy: lambda, rate: rate, alignment: 0.5},
			)
		}
	}
	set := write(t, runs)
	const want = "along the axes also change: d"
	curves := figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment", Color: "optimizer"}
	drawn(t, set, curves).says(t, want)
	drawn(t, set, figure.Figure{Kind: "phase", X: "anisotropy", Y: "learning_rate"}).says(t, want)
	d := drawn(t, set, figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment", Color: "dimension"})
	if all := strings.Join(d.texts, " "); strings.Contains(all, "along the axes") {
		t.Errorf("one line for each dimension: %s", all)
	}
}

func TestRepeatedPointsCountOnce(t *testing.T) {
	r := run{optimizer: "gd", dimension: 9, anisotropy: 1, rate: 0.1, steps90: 4, alignment: 0.5, id: 7}
	other := run{optimizer: "gd", dimension: 9, anisotropy: 2, rate: 0.1, steps90: 4, alignment: 0.5, id: 8}
	invalid := run{optimizer: "gd", dimension: 9, anisotropy: 3, rate: 0.1, id: 9, status: results.StatusInvalid}
	d := drawn(t, write(t, []run{r, r, r, other, invalid}), figure.Figure{Kind: figure.Curves, X: "anisotropy"})
	d.says(t, "; 2 points", "1 invalid point left out", "2 repeated points left out")
	if strings.Contains(strings.Join(d.texts, " "), "median") {
		t.Errorf("a median over one point: %q", d.texts)
	}
}

// TestLogRecordedStepsHaveALogAxis: a step axis is logarithmic if the steps were recorded so.
func TestLogRecordedStepsHaveALogAxis(t *testing.T) {
	const note = "step 0 not on the log scale"
	r := run{optimizer: "gd", dimension: 9, anisotropy: 1, rate: 0.1, alignment: 1}
	if all := strings.Join(drawn(t, write(t, []run{r}), figure.Figure{}).texts, " "); strings.Contains(all, note) {
		t.Errorf("evenly recorded steps: %s", all)
	}
	r.recorded = []int64{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
	d := drawn(t, write(t, []run{r}), figure.Figure{})
	d.says(t, note, "10", "100")
	d = drawn(t, write(t, []run{r}), figure.Figure{XScale: "linear"})
	if all := strings.Join(d.texts, " "); strings.Contains(all, note) {
		t.Errorf("linear axis: %s", all)
	}
}

// TestMediansEndWithHalfOfTheRuns: a trajectory's median is no median of survivors.
func TestMediansEndWithHalfOfTheRuns(t *testing.T) {
	var runs []run
	for seed := range int64(3) {
		r := run{optimizer: "gd", dimension: 9, anisotropy: 1, rate: 0.1, seed: seed, alignment: 1}
		if r.recorded = []int64{0, 10, 20}; seed == 0 {
			r.recorded = []int64{0, 10, 20, 30, 40, 50, 60, 70}
		} else {
			r.status = results.StatusDiverged
		}
		runs = append(runs, r)
	}
	d := drawn(t, write(t, runs), figure.Figure{Kind: figure.Trajectories})
	d.says(t, "20", "2 of these runs diverged and end early")
	if slices.Contains(d.texts, "30") || slices.Contains(d.texts, "50") {
		t.Errorf("the axis goes on where one of three runs is left: %q", d.texts)
	}
}

// TestBarsStartAtZero: only a linear axis has bars; on a logarithmic one their length means
// nothing.
func TestBarsStartAtZero(t *testing.T) {
	set := write(t, []run{
		{optimizer: "gd", dimension: 16, anisotropy: 3, rate: 0.01, steps90: 40},
		{optimizer: "specgd", dimension: 16, anisotropy: 3, rate: 0.01, steps90: 20},
	})
	for scale, want := range map[string]bool{"linear": true, "log": false} {
		picture, err := plot.Draw(context.Background(), set, figure.Figure{Kind: "bars", YScale: scale})
		if err != nil {
			t.Fatal(err)
		}
		var c recorder.Canvas
		width, height := picture.Size()
		picture.Draw(draw.NewCanvas(&c, width, height))
		boxes := 0
		var current color.Color
		for _, action := range c.Actions {
			switch a := action.(type) {
			case *recorder.SetColor:
				current = a.Color
			case *recorder.Fill:
				if (current == hueOfGD || current == hueOfSpecGD) && a.Path[1].Type == vg.LineComp {
					boxes++
				}
			}
		}
		if (boxes == 2) != want {
			t.Errorf("%s: %d boxes", scale, boxes)
		}
	}
}

// TestTheoryIsOfThePanel: gradient descent's lines are neither in panels of others nor in the
// legend of a figure without it.
func TestTheoryIsOfThePanel(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 4, 16} {
		for _, rate := range []float64{0.01, 0.1, 1} {
			runs = append(runs, run{optimizer: "muon", dimension: 9, anisotropy: lambda, rate: rate, alignment: 0.5})
		}
	}
	d := drawn(t, write(t, runs), figure.Figure{Kind: "stability", X: "anisotropy", Y: "learning_rate"})
	if all := strings.Join(d.texts, " "); strings.Contains(all, "theory") || d.lines[theoryColor] > 0 {
		t.Errorf("theory of gd for muon: %s", all)
	}
}

// TestContourIsOneLine: its rim does not cut it, and it is in the legend only where it is drawn.
func TestContourIsOneLine(t *testing.T) {
	var runs []run
	for _, d := range []int64{10, 20, 30, 40} {
		for lambda := range 20 {
			x := float64(lambda) / 19
			runs = append(
				runs,
				run{optimizer: "gd", dimension: d, anisotropy: x, rate: 0.1, alignment: x * float64(d) / 40,
					steps90: int64(1 + 100*x)},
			)
		}
	}
	set := write(t, runs)
	o := figure.Figure{Kind: "phase", X: "anisotropy", Y: "dimension", Color: "signal_alignment", Threshold: 0.4}
	picture, err := plot.Draw(context.Background(), set, o)
	if err != nil {
		t.Fatal(err)
	}
	var c recorder.Canvas
	width, height := picture.Size()
	picture.Draw(draw.NewCanvas(&c, width, height))
	var current color.Color
	var wide vg.Length
	longest, rims, inkBeforeRim := 0, 0, false
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.SetColor:
			current = a.Color
		case *recorder.SetLineWidth:
			wide = a.Width
		case *recorder.Stroke:
			switch {
			case current == ink && wide == 1.2:
				longest = max(longest, len(a.Path))
			case current == (color.NRGBA{255, 255, 255, 255}) && wide == 2.2:
				rims++
				inkBeforeRim = inkBeforeRim || longest > 0
			}
		}
	}
	if longest < 10 {
		t.Errorf("the longest stroke of the contour has %d points; want one line through the grid", longest)
	}
	if rims == 0 || inkBeforeRim {
		t.Errorf("%d strokes of the rim, over ink: %v; want all of it below", rims, inkBeforeRim)
	}
	record(t, picture).says(t, "signal alignment = 0.4")
	steps := figure.Figure{Kind: "phase", X: "anisotropy", Y: "dimension", Color: "held_90_step", Threshold: 50}
	drawn(t, set, steps).says(t, "held 90 step = 50")
	steps.Threshold = 0
	if all := strings.Join(drawn(t, set, steps).texts, " "); strings.Contains(all, "held 90 step = ") {
		t.Errorf("a contour of steps that was not asked for: %s", all)
	}
	o.Threshold = 2
	if all := strings.Join(drawn(t, set, o).texts, " "); strings.Contains(all, "signal alignment = 2") {
		t.Errorf("the legend has a contour that is not drawn: %s", all)
	}
}

// TestEveryMetricIsDrawn: each number of the points table, parameters included, can be on the y
// axis and be a color, and each of the trajectories table on the y axis.
func TestEveryMetricIsDrawn(t *testing.T) {
	runs := phaseRuns()
	for i := range runs {
		runs[i].alignment *= 1 + float64(i)/1000 // as different in every row as most metrics are
	}
	set := write(t, runs)
	isNumber := func(c results.Column) bool { return c.Kind != results.String && c.Kind != results.Time }
	draw := func(o figure.Figure) {
		t.Helper()
		picture, err := plot.Draw(context.Background(), set, o)
		if err != nil && !strings.Contains(err.Error(), "no point has a value of "+o.Y) {
			t.Errorf("%+v: %v", o, err)
		} else if err == nil {
			finite(t, picture, fmt.Sprintf("%+v", o))
		}
	}
	for _, c := range set.Schema().Columns(results.Points) {
		if !isNumber(c) {
			continue
		}
		for _, kind := range []figure.Kind{"", figure.Curves, "bars"} {
			draw(figure.Figure{Kind: kind, Y: c.Name})
		}
		draw(figure.Figure{Kind: "phase", Color: c.Name})
	}
	for _, c := range set.Schema().Columns(results.Trajectories) {
		if c.Kind == results.Float64 {
			draw(figure.Figure{Y: c.Name, Kind: figure.Trajectories})
		}
	}
	for _, name := range []string{"signal_coefficient", "spike_coefficient"} {
		drawn(t, set, figure.Figure{Y: name}).says(t, "step", strings.ReplaceAll(name, "_", " "))
	}
	drawn(t, set, figure.Figure{X: "anisotropy", Y: "signal_alignment"}).says(t, "signal alignment", "gd")
	drawn(t, set, figure.Figure{Y: "loss", Facet: "dimension"}).says(t, "d = 30", "d = 1000")
}

// TestAnySetIsDrawn draws random sets with censored, diverged, invalid and repeated points in
// random ways: there is a figure with finite coordinates, or an error.
func TestAnySetIsDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 5))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	figures := 0
	for range 100 {
		var runs []run
		for range 1 + random.IntN(60) {
			runs = append(runs, run{
				optimizer: pick("gd", "muon", "specgd", "adam"), dimension: int64(1 + random.IntN(4)),
				anisotropy: []float64{-0.5, 0, 1e-300, 2, 1e12}[random.IntN(5)],
				rate:       []float64{1e-3, 1, 30}[random.IntN(3)],
				seed:       int64(random.IntN(3)), steps90: int64(random.IntN(4) - 1), held: int64(random.IntN(9000)),
				alignment: []float64{0, 0.5, 1, math.NaN()}[random.IntN(4)], unstable: random.IntN(5) == 0,
				status: pick("ok", "ok", "diverged", "failed", "invalid"), id: 1 + random.IntN(200),
			})
		}
		set := write(t, runs)
		column := func() string {
			return pick(
				"",
				"",
				"anisotropy",
				"dimension",
				"learning_rate",
				"optimizer",
				"signal_alignment",
				"held_90_step",
				"seed",
			)
		}
		for range 4 {
			o := figure.Figure{
				X: column(), Y: column(), Color: column(), Facet: column(), XScale: pick("", "linear", "log"),
				YScale: pick("", "linear", "log"),
			}
			if kinds := figure.Kinds(); random.IntN(3) > 0 {
				o.Kind = kinds[random.IntN(len(kinds))]
			}
			drawn, err := plot.Draw(context.Background(), set, o)
			if err == nil {
				figures++
				finite(t, drawn, fmt.Sprintf("%+v of %+v", o, runs))
			} else if !strings.HasPrefix(err.Error(), "plot: ") {
				t.Errorf("%+v: %v", o, err)
			}
		}
	}
	if figures < 100 {
		t.Errorf("%d figures; want more to look at", figures)
	}
}

// finite checks that all coordinates of a figure are finite numbers.
func finite(t *testing.T, picture *plot.Figure, what string) {
	t.Helper()
	var c recorder.Canvas
	width, height := picture.Size()
	picture.Draw(draw.NewCanvas(&c, width, height))
	bad := func(p vg.Point) bool { return math.IsNaN(float64(p.X+p.Y)) || math.IsInf(float64(p.X+p.Y), 0) }
	path := func(p vg.Path) bool { return slices.ContainsFunc(p, func(c vg.PathComp) bool { return bad(c.Pos) }) }
	for _, action := range c.Actions {
		wrong := false
		switch a := action.(type) {
		case *recorder.Fill:
			wrong = path(a.Path)
		case *recorder.Stroke:
			wrong = path(a.Path)
		case *recorder.FillString:
			wrong = bad(a.Point) || strings.Contains(a.String, "NaN")
		}
		if wrong {
			t.Fatalf("%v in %s", action, what)
		}
	}
}
