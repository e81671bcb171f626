package plot_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

var parameters = []results.Column{{Name: "optimizer", Kind: results.String}, {Name: "dimension", Kind: results.Int64},
	{
		Name: "anisotropy",
		Kind: results.Float64,
	}, {Name: "learning_rate", Kind: results.Float64}, {Name: "seed", Kind: results.Int64}}

// run is one point of a test's sweep.
type run struct {
	optimizer        string
	dimension        int64
	anisotropy, rate float64
	seed, steps90    int64
	alignment        float64
	status           string
	held             int64 // 0: as steps90
	unstable         bool
	id               int     // 0: its own
	recorded         []int64 // nil: 0, 10, ..., 40
}

// write writes a finished set of the runs, each with five recorded steps.
func write(t *testing.T, runs []run) *results.Set {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	options := results.Options{Trajectories: true}
	options.Solver.Name, options.Solver.Version = "phasegrid", "3"
	schema, err := results.NewSchema(parameters, options)
	check(err)
	b := schema.NewBuilder()
	defer b.Release()
	counts := map[string]int64{}
	for i, r := range runs {
		if r.status == "" {
			r.status = results.StatusOK
		}
		counts[r.status]++
		id := uint16(i)
		if r.id > 0 {
			id = uint16(r.id)
		}
		check(
			b.AddPoint(
				results.PointRow{
					Point:          int64(i),
					PointID:        [16]byte{byte(id), byte(id >> 8)},
					Representation: "reduced",
					UnstableStep:   r.unstable,
					Status:         r.status,
					Parameters: []results.Cell{
						{Text: r.optimizer},
						{Int: r.dimension},
						{Float: r.anisotropy},
						{Float: r.rate},
						{Int: r.seed},
					},
					RunSummary: results.RunSummary{
						Metrics:            results.Metrics{SignalAlignment: r.alignment},
						StepsTo90:          r.steps90,
						Held90Step:         cmp.Or(r.held, r.steps90),
						PeakSpikeAlignment: r.alignment / 2,
						StepsRun:           10000,
					},
				},
			),
		)
		steps := r.recorded
		if steps == nil {
			steps = []int64{0, 10, 20, 30, 40}
		}
		for k, step := range steps {
			check(
				b.AddTrajectory(
					results.TrajectoryRow{
						Point:   int64(i),
						Step:    step,
						Metrics: results.Metrics{SignalAlignment: r.alignment * float64(k) / float64(len(steps)-1)},
					},
				),
			)
		}
	}
	d, err := b.Encode()
	check(err)
	dir := filepath.Join(t.TempDir(), "sample-01234567")
	manifest := results.Manifest{
		Name:           "sample",
		Sweep:          "0123456789abcdef0123456789abcdef",
		Solver:         options.Solver,
		Indices:        int64(len(runs)),
		PointsByStatus: counts,
		Parts: []results.Part{
			{IndexRange: results.IndexRange{End: int64(len(runs))}, Points: int64(len(runs))},
		},
	}
	create := func(name string) *os.File {
		check(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		f, err := os.Create(filepath.Join(dir, name))
		check(err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	for _, table := range schema.Tables() {
		file, err := schema.WriteEmpty(table, create(results.EmptyName(table)))
		check(err)
		manifest.Files = append(manifest.Files, file.Entry(results.EmptyName(table)))
	}
	files, err := schema.Merge(context.Background(), []results.Source{{
		Expectation: results.Expectation{End: int64(len(runs)), Points: -1},
		Open:        func(context.Context) (results.Delivery, error) { return d, nil },
	}}, nil, func(table results.Table) (io.Writer, error) { return create(results.PartName(table, 0)), nil })
	check(err)
	for _, file := range files {
		manifest.Files = append(manifest.Files, file.Entry(results.PartName(file.Table, 0)))
	}
	data, err := manifest.Encode()
	check(err)
	_, err = create(results.ManifestName).Write(data)
	check(err)
	set, err := results.OpenSet(dir)
	check(err)
	return set
}

// drawing is what a figure draws.
type drawing struct {
	texts  []string
	fills  map[color.Color]int
	areas  map[color.Color]float64 // of boxes, in square points, but those of the legend
	lines  map[color.Color]int
	legend map[string]mark // what is drawn before each text
	dashed int
}

// mark is the colour of a line or an area, and the dashes of a line.
type mark struct {
	color  color.Color
	dashes string
}

func record(t *testing.T, f *plot.Figure) drawing {
	t.Helper()
	var c recorder.Canvas
	width, height := f.Size()
	f.Draw(draw.NewCanvas(&c, width, height))
	d := drawing{fills: map[color.Color]int{}, areas: map[color.Color]float64{}, lines: map[color.Color]int{},
		legend: map[string]mark{}}
	var current color.Color
	var last mark
	dashes := ""
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.SetColor:
			current = a.Color
		case *recorder.SetLineDash:
			dashes = fmt.Sprint(a.Dashes)
		case *recorder.Fill:
			d.fills[current]++
			last = mark{color: current}
			for i, corner := range a.Path {
				if corner.Type != vg.MoveComp || i+2 >= len(a.Path) {
					continue
				}
				across := a.Path[i+2].Pos.Sub(corner.Pos)
				if area := math.Abs(float64(across.X * across.Y)); math.Abs(area-16*8) > 1e-6 {
					d.areas[current] += area
				}
			}
		case *recorder.Stroke:
			d.lines[current]++
			last = mark{current, dashes}
			if dashes != "[]" && dashes != "" {
				d.dashed++
			}
		case *recorder.FillString:
			d.texts = append(d.texts, a.String)
			d.legend[a.String] = last
			hasGlyphs(t, a.String)
		}
	}
	return d
}

// hasGlyphs checks that the font has a glyph for every rune of a text; it draws the others as boxes
// or not at all.
func hasGlyphs(t *testing.T, text string) {
	t.Helper()
	face := font.DefaultCache.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, 10)
	for _, r := range text {
		if index, err := face.Face.GlyphIndex(nil, r); err != nil || index == 0 {
			t.Errorf("%q: the font has no glyph for %q", text, r)
		}
	}
}

func (d drawing) says(t *testing.T, texts ...string) {
	t.Helper()
	all := strings.Join(d.texts, " ") // the caption is broken into lines
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("the figure does not say %q; it says %q", text, d.texts)
		}
	}
}

// A union may add single points between those of a grid, which keeps the size of its cells.
func TestGridKeepsItsCellsNextToSinglePoints(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 2, 4, 8} {
		for _, d := range []int64{10, 100, 1000} {
			runs = append(runs, run{optimizer: "gd", dimension: d, anisotropy: lambda, rate: 0.1, alignment: 0.2})
		}
	}
	runs = append(runs, run{optimizer: "gd", dimension: 50, anisotropy: 3, rate: 0.1, alignment: 1})
	picture, err := plot.Draw(context.Background(), write(t, runs), figure.Figure{Color: "signal_alignment"})
	if err != nil {
		t.Fatal(err)
	}
	var c recorder.Canvas
	width, height := picture.Size()
	picture.Draw(draw.NewCanvas(&c, width, height))
	last := ""
	area := map[string]float64{}
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.SetColor:
			last = fmt.Sprint(a.Color)
		case *recorder.Fill:
			if len(a.Path) >= 4 {
				width, height := a.Path[1].Pos.X-a.Path[0].Pos.X, a.Path[2].Pos.Y-a.Path[1].Pos.Y
				area[last] += math.Abs(float64(width * height))
			}
		}
	}
	grid, single := area[fmt.Sprint(color.NRGBA{65, 68, 135, 255})], area[fmt.Sprint(color.NRGBA{253, 231, 37, 255})]
	if panel := 170.0 * 120; grid < panel || single == 0 || single > grid/4 {
		t.Errorf("the grid covers %.0f of a panel of %.0f square points, the single point %.0f", grid, panel, single)
	}
}

// phaseRuns is gd and specgd over 8 anisotropies, 4 dimensions and 2 seeds; gd aligns below lambda
// = 2.
func phaseRuns() []run {
	var runs []run
	for _, optimizer := range []string{"gd", "specgd"} {
		for _, d := range []int64{30, 100, 300, 1000} {
			for k := range 8 {
				lambda := 0.25 * math.Pow(2, float64(k))
				for seed := range int64(2) {
					r := run{
						optimizer:  optimizer,
						dimension:  d,
						anisotropy: lambda,
						rate:       0.1,
						seed:       seed,
						alignment:  0.9,
						steps90:    10,
					}
					if optimizer == "gd" {
						r.alignment, r.steps90 = 1/(1+lambda*lambda/4), int64(5*lambda)
					}
					if optimizer == "gd" && lambda == 32 {
						r.status, r.steps90 = results.StatusDiverged, -1
					}
					runs = append(runs, r)
				}
			}
		}
	}
	return runs
}

var (
	divergedColor = color.NRGBA{120, 120, 120, 255}
	censoredColor = color.NRGBA{215, 215, 215, 255}
	theoryColor   = color.NRGBA{200, 30, 30, 255}
	ink           = color.NRGBA{30, 30, 30, 255}
)

func TestPhaseDiagramIsTheDefaultOfTwoAxes(t *testing.T) {
	picture, err := plot.Draw(context.Background(), write(t, phaseRuns()), figure.Figure{})
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, picture)
	d.says(
		t,
		"gd",
		"specgd",
		"anisotropy λ",
		"dimension d",
		"signal alignment",
		"sweep sample (01234567), solver phasegrid 3; 128 points",
		"diverged",
		"theory for gd: λ = 2",
	)
	// Of gd, 4 cells of 32 diverge; those of specgd all have the same colour.
	specgd := color.NRGBA{189, 223, 38, 255} // viridis at 0.9
	if got := 32 * d.areas[divergedColor] / d.areas[specgd]; got < 3.8 || got > 4.2 {
		t.Errorf("%.2f cells are marked as diverged; want 4 and the legend", got)
	}
	if d.fills[divergedColor] != 2 {
		t.Errorf("%d areas of diverged cells; want one, and the legend", d.fills[divergedColor])
	}
	if d.dashed < 2 || d.lines[theoryColor] == 0 {
		t.Error("no line of theory")
	}
	if d.lines[ink] == 0 {
		t.Error("no contour")
	}
}

func TestPhaseDiagramMarksWhatIsNotReached(t *testing.T) {
	runs := phaseRuns()
	for i := range runs {
		if runs[i].anisotropy == 0.25 && runs[i].optimizer == "specgd" {
			runs[i].steps90 = -1
		}
	}
	picture, err := plot.Draw(
		context.Background(),
		write(t, runs),
		figure.Figure{Color: "steps_to_90", Where: "optimizer == 'specgd'"},
	)
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, picture)
	d.says(t, "not reached", "where optimizer == 'specgd'", "steps to 90 % alignment")
	reached := 0.0
	for c, area := range d.areas {
		if c != censoredColor && c != (color.NRGBA{255, 255, 255, 255}) {
			reached = math.Max(reached, area)
		}
	}
	if got := 28 * d.areas[censoredColor] / reached; got < 3.4 || got > 4 {
		t.Errorf("%.2f cells are marked as censored; want 4 beside 28 and the colour bar", got)
	}
}

func TestStabilityMapIsTheDefaultOfAFreeLearningRate(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{0.5, 2, 8, 32} {
		for _, rate := range []float64{0.01, 0.1, 1} {
			r := run{optimizer: "gd", dimension: 100, anisotropy: lambda, rate: rate, alignment: 1}
			if rate > 1/math.Max(3, 1+lambda) {
				r.status = results.StatusDiverged
			}
			runs = append(runs, r)
		}
	}
	picture, err := plot.Draw(context.Background(), write(t, runs), figure.Figure{})
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, picture)
	d.says(t, "fraction diverged", "learning rate η", "1/max(3, 1 + λ)")
	yellow, violet := color.NRGBA{253, 231, 37, 255}, color.NRGBA{68, 1, 84, 255}
	if got := 7 * d.areas[yellow] / d.areas[violet]; got < 4.7 || got > 5.3 {
		t.Errorf("%.2f unstable cells beside 7 stable ones; want 5", got)
	}
}

func TestCurvesShowCrossoverAndTheory(t *testing.T) {
	set := write(t, phaseRuns())
	picture, err := plot.Draw(context.Background(), set, figure.Figure{Kind: figure.Curves, Facet: "dimension"})
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, picture)
	d.says(t, "d = 30", "d = 1000", "gd", "specgd", "theory for specgd: 0.949/η", "not reached",
		"8 of these runs diverged and count as not reached")
	picture, err = plot.Draw(context.Background(), set, figure.Figure{Kind: figure.Curves, Y: "signal_alignment"})
	if err != nil {
		t.Fatal(err)
	}
	record(t, picture).says(t, "d = 300", "signal alignment", "theory for gd: λ = 2")
	if all := strings.Join(d.texts, " "); strings.Contains(all, "λ = 2") {
		t.Errorf("a line about alignment in a figure of times: %s", all)
	}
}

// TestTheoryIsDrawnWhereItHolds: neither line of theory is for muon with newton_schulz, the
// default.
func TestTheoryIsDrawnWhereItHolds(t *testing.T) {
	runs := phaseRuns()
	for i := range runs {
		if runs[i].optimizer == "gd" {
			runs[i].optimizer = "muon"
		}
	}
	set := write(t, runs)
	draw := func(where string) []string {
		picture, err := plot.Draw(context.Background(), set,
			figure.Figure{Kind: figure.Curves, Color: "optimizer", Where: "dimension == 100 and " + where})
		if err != nil {
			t.Fatal(err)
		}
		return record(t, picture).texts
	}
	if texts := strings.Join(draw("optimizer == 'muon'"), "|"); strings.Contains(texts, "theory") {
		t.Errorf("muon alone: %s", texts)
	}
	if texts := strings.Join(draw("optimizer != ''"), "|"); !strings.Contains(texts, "theory for specgd: 0.949/η") ||
		strings.Contains(texts, "λ = 2") {
		t.Errorf("muon and specgd: %s", texts)
	}
}

// TestLargeNumbersAreLegible draws an axis of thirty decades.
func TestLargeNumbersAreLegible(t *testing.T) {
	var runs []run
	for e := -10; e <= 20; e++ {
		runs = append(
			runs,
			run{optimizer: "gd", dimension: 9, anisotropy: math.Pow(10, float64(e)), rate: 0.1, alignment: 1},
		)
	}
	picture, err := plot.Draw(context.Background(), write(t, runs),
		figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment"})
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, picture)
	d.says(t, "1e20", "1e-8", "1e8")
	if strokes := d.lines[ink]; strokes > 60 {
		t.Errorf("%d strokes of axes and ticks over thirty decades", strokes)
	}
}

func TestCurvesTakeTheBestLearningRate(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 4, 16} {
		for i, rate := range []float64{0.25, 0.5, 1} {
			runs = append(
				runs,
				run{optimizer: "gd", dimension: 100, anisotropy: lambda, rate: rate, steps90: int64(100 / (i + 1))},
			)
		}
	}
	picture, err := plot.Draw(context.Background(), write(t, runs), figure.Figure{Kind: figure.Curves})
	if err != nil {
		t.Fatal(err)
	}
	record(t, picture).says(t, "; 3 points; the best of 3 learning rates")
}

func TestTrajectoriesAreTheDefaultWithoutAxes(t *testing.T) {
	var runs []run
	for _, optimizer := range []string{"gd", "muon"} {
		for seed := range int64(5) {
			runs = append(
				runs,
				run{
					optimizer:  optimizer,
					dimension:  100,
					anisotropy: 10,
					rate:       0.1,
					seed:       seed,
					alignment:  0.5 + 0.1*float64(seed),
				},
			)
		}
	}
	set := write(t, runs)
	for _, o := range []figure.Figure{{}, {X: "eta_step"}} {
		picture, err := plot.Draw(context.Background(), set, o)
		if err != nil {
			t.Fatal(err)
		}
		d := record(t, picture)
		d.says(t, "gd", "muon", "step", "median and 10-90 % band over 5 seeds")
		bands := 0
		for c, n := range d.fills {
			if rgb := color.NRGBAModel.Convert(c).(color.NRGBA); rgb.A == 50 {
				bands += n
			}
		}
		if bands != 2 {
			t.Errorf("%d quantile bands; want 2", bands)
		}
	}
}

func TestFiguresAreWrittenInEachFormat(t *testing.T) {
	picture, err := plot.Draw(context.Background(), write(t, phaseRuns()), figure.Figure{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := picture.Write(&b, "png"); err != nil {
		t.Fatal(err)
	}
	pixels, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	width, _ := picture.Size()
	if got, want := pixels.Bounds().Dx(), int(width.Dots(200)+0.5); got < want-1 || got > want+1 {
		t.Errorf("%d pixels wide; want %d", got, want)
	}
	for format, begin := range map[string]string{"svg": "<?xml", "pdf": "%PDF"} {
		b.Reset()
		if err := picture.Write(&b, format); err != nil || !strings.HasPrefix(b.String(), begin) {
			t.Errorf("%s: %v, %.20q", format, err, b.String())
		}
	}
	if picture.Write(&b, "gif") == nil {
		t.Error("gif was written")
	}
}

func TestDrawErrors(t *testing.T) {
	set := write(t, phaseRuns())
	for want, o := range map[string]figure.Figure{
		"parameters on its axes, got the metric held_90_step; show it as color": {
			Kind: figure.Phase, X: "anisotropy", Y: "held_90_step"},
		"stability diagram has parameters on its axes, got the metric loss": {
			Kind: figure.Stability, X: "loss", Y: "learning_rate"},
		"draw stability: got color loss, which it does not have": {Kind: figure.Stability, Color: "loss"},
		"draw stability: got threshold 0.3":                      {Kind: figure.Stability, Threshold: 0.3},
		"draw curves: got threshold 0.3":                         {Kind: figure.Curves, Threshold: 0.3},
		"draw trajectories: got threshold 0.3":                   {Kind: figure.Trajectories, Threshold: 0.3},
		"draw bars: got threshold 0.3":                           {Kind: figure.Bars, Threshold: 0.3},
		"draw bars: got x_scale log, which it does not have: categories have no scale": {
			Kind: figure.Bars, XScale: "log"},
		"draw curves: got anisotropy for both x and color": {
			Kind: figure.Curves, X: "anisotropy", Color: "anisotropy", Y: "loss"},
		"draw phase: got dimension for both x and y":          {Kind: figure.Phase, X: "dimension", Y: "dimension"},
		"draw words by kind bars":                             {Kind: figure.Curves, X: "optimizer", Y: "loss"},
		"want phase, stability, curves, trajectories or bars": {Kind: "pie"},
		"no such column":                                      {Color: "color"},
		"condition":                                           {Where: "dimension >"},
		"unknown name":                                        {Where: "dimensions > 3"},
		"no points":                                           {Where: "dimension > 3000"},
		"must be numbers":                                     {X: "optimizer", Y: "dimension", Kind: "phase"},
		"want step or":                                        {Kind: figure.Trajectories, X: "anisotropy"},
	} {
		if _, err := plot.Draw(context.Background(), set, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", o, err, want)
		}
	}
}
