package plot_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// written draws a figure in a format, within bounds of time and size.
func written(t *testing.T, picture *plot.Figure, format, what string) string {
	t.Helper()
	var b bytes.Buffer
	started := time.Now()
	if err := picture.Write(&b, format); err != nil {
		t.Fatalf("%s of %s: %v", format, what, err)
	}
	if took := time.Since(started); took > 20*time.Second || b.Len() > 2<<20 {
		t.Fatalf("%s of %s: %d bytes in %v", format, what, b.Len(), took)
	}
	return b.String()
}

var coordinate = regexp.MustCompile(`-?[0-9.]+(e[-+]?[0-9]+)?`)

// bounded checks that the coordinates of an SVG are numbers on or near its page.
func bounded(t *testing.T, svg, what string) {
	t.Helper()
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Fatalf("NaN or Inf in %s", what)
	}
	for _, path := range regexp.MustCompile(` d="[^"]*"|<text[^>]*>`).FindAllString(svg, -1) {
		for _, text := range coordinate.FindAllString(path, -1) {
			if x, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(x) > 1e6 {
				t.Fatalf("coordinate %s in %s: %.200s", text, what, path)
			}
		}
	}
}

// TestExtremeNumbersAreDrawn: whatever the numbers of a set are, each kind of figure is drawn in
// each format, or says why not.
func TestExtremeNumbersAreDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(308, 324))
	extremes := []float64{
		0, 1, -1, 5e-324, -5e-324, 1e-310, 0x1p-1022, 1e-300, 0.5, 1 + 0x1p-52, 1e15, 1e308, -1e308,
		math.MaxFloat64, -math.MaxFloat64,
	}
	steps := []int64{-1, 0, 1, 2, 1 << 53, math.MaxInt64}
	figures := 0
	for round := range 30 {
		// Some sets have few different values, so that ranges are empty or span two extremes.
		some := make([]float64, 1+random.IntN(4))
		for i := range some {
			some[i] = extremes[random.IntN(len(extremes))]
		}
		pick := func() float64 { return some[random.IntN(len(some))] }
		var runs []run
		for range 1 + random.IntN(12) {
			r := run{
				optimizer: []string{"gd", "specgd"}[random.IntN(2)], dimension: steps[1+random.IntN(5)],
				anisotropy: pick(), rate: pick(), seed: int64(random.IntN(2)),
				steps90: steps[random.IntN(len(steps))], alignment: pick(),
				status: []string{"ok", "ok", "ok", "diverged"}[random.IntN(4)],
			}
			if random.IntN(4) == 0 || round%10 == 0 {
				r.alignment = math.NaN()
			}
			runs = append(runs, r)
		}
		set := write(t, runs)
		for i, kind := range figure.Kinds() {
			for _, scale := range []string{"", "linear", "log"} {
				o := figure.Figure{Kind: kind, XScale: scale, YScale: scale}
				switch kind {
				case figure.Phase, figure.Stability:
					o.X, o.Y = "anisotropy", "learning_rate"
				case figure.Trajectories:
					o.X, o.Y = []string{"step", "eta_step"}[random.IntN(2)], "signal_alignment"
				default:
					o.X = []string{"anisotropy", "dimension"}[random.IntN(2)]
					o.Y = []string{"signal_alignment", "peak_spike_alignment", "learning_rate",
						"held_90_step"}[random.IntN(4)]
				}
				if kind == figure.Phase {
					o.Color = []string{"signal_alignment", "learning_rate", "steps_to_90"}[random.IntN(3)]
				}
				what := fmt.Sprintf("%+v of %+v", o, runs)
				picture, err := plot.Draw(context.Background(), set, o)
				if err != nil {
					if !strings.HasPrefix(err.Error(), "plot: ") {
						t.Errorf("%s: %v", what, err)
					}
					continue
				}
				figures++
				bounded(t, written(t, picture, "svg", what), what)
				if (round+i)%10 == 0 {
					written(t, picture, "png", what)
					written(t, picture, "pdf", what)
				}
			}
		}
	}
	if figures < 150 {
		t.Errorf("%d figures; want more to look at", figures)
	}
}

// TestLoneSubnormalOnALogScale: nothing but the smallest number is a figure like any other.
func TestLoneSubnormalOnALogScale(t *testing.T) {
	var runs []run
	for _, lambda := range []float64{1, 2, 3} {
		runs = append(runs, run{optimizer: "gd", dimension: 9, anisotropy: lambda, rate: 0.1, alignment: 5e-324})
	}
	set := write(t, runs)
	for _, kind := range []figure.Kind{figure.Curves, figure.Bars} {
		o := figure.Figure{Kind: kind, X: "anisotropy", Y: "signal_alignment", YScale: "log"}
		picture, err := plot.Draw(context.Background(), set, o)
		if err != nil {
			t.Fatal(err)
		}
		bounded(t, written(t, picture, "svg", string(kind)), string(kind))
	}
}

// TestManyHugeBarsAreDrawnInTime: bars of both signs that reach to the ends of the numbers.
func TestManyHugeBarsAreDrawnInTime(t *testing.T) {
	var runs []run
	for i := range 200 {
		runs = append(runs, run{optimizer: "gd", dimension: int64(i), anisotropy: 1, rate: 0.1,
			alignment: []float64{1e308, -1e308}[i%2]})
	}
	o := figure.Figure{Kind: figure.Bars, X: "dimension", Y: "signal_alignment"}
	picture, err := plot.Draw(context.Background(), write(t, runs), o)
	if err != nil {
		t.Fatal(err)
	}
	bounded(t, written(t, picture, "svg", "bars"), "bars")
	written(t, picture, "png", "bars")
}

// TestManyCellsAreASmallFile: cells of equal colour are drawn as one area.
func TestManyCellsAreASmallFile(t *testing.T) {
	var runs []run
	for i := range 400 {
		for d := range int64(6) {
			x := float64(i) / 400
			runs = append(runs, run{optimizer: "gd", dimension: d, anisotropy: x, rate: 0.1, alignment: x * x,
				status: map[bool]string{true: results.StatusDiverged}[x > 0.8]})
		}
	}
	o := figure.Figure{Kind: figure.Phase, X: "anisotropy", Y: "dimension", Color: "signal_alignment"}
	picture, err := plot.Draw(context.Background(), write(t, runs), o)
	if err != nil {
		t.Fatal(err)
	}
	svg := written(t, picture, "svg", "phase")
	if len(svg) > 60<<10 {
		t.Errorf("%d bytes for a map of 200 colours", len(svg))
	}
	if texts, named := strings.Count(svg, "<text"), strings.Count(svg, "Arial,Helvetica,sans-serif"); texts != named {
		t.Errorf("%d of %d texts name a font that readers have", named, texts)
	}
}
