package plot_test

import (
	"context"
	"image/color"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// TestPanelsAreInTheOrderOfTheTable: of optimizers, not of the alphabet. The colour bar has numbers
// on one side only.
func TestPanelsAreInTheOrderOfTheTable(t *testing.T) {
	var runs []run
	for _, optimizer := range []string{"muon", "gd", "specgd"} {
		for _, lambda := range []float64{1, 2} {
			for _, d := range []int64{9, 20} {
				runs = append(runs,
					run{optimizer: optimizer, dimension: d, anisotropy: lambda, rate: 0.1, alignment: 0.5})
			}
		}
	}
	texts := drawn(t, write(t, runs), figure.Figure{Kind: figure.Phase, Facet: "optimizer"}).texts
	gd, specgd, muon := slices.Index(texts, "gd"), slices.Index(texts, "specgd"), slices.Index(texts, "muon")
	if gd < 0 || specgd < gd || muon < specgd {
		t.Errorf("gd, specgd and muon are panels %d, %d and %d", gd, specgd, muon)
	}
	if slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, "-0") }) {
		t.Errorf("the colour bar has ticks below: %q", texts)
	}
	for _, tick := range []string{"0", "0.2", "0.4", "0.6", "0.8", "1"} {
		if !slices.Contains(texts, tick) {
			t.Errorf("no tick %s on the scale of a fraction: %q", tick, texts)
		}
	}
}

// TestMarksOfLinesDoNotOverlap: two optimizers that do not get there have two marks.
func TestMarksOfLinesDoNotOverlap(t *testing.T) {
	var runs []run
	for _, optimizer := range []string{"gd", "specgd"} {
		for i, lambda := range []float64{1, 2, 3} {
			runs = append(runs, run{optimizer: optimizer, dimension: 9, anisotropy: lambda, rate: 0.1,
				steps90: []int64{5, 5, -1}[i]})
		}
	}
	o := figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "held_90_step", Color: "optimizer"}
	picture, err := plot.Draw(context.Background(), write(t, runs), o)
	if err != nil {
		t.Fatal(err)
	}
	var c recorder.Canvas
	width, height := picture.Size()
	picture.Draw(draw.NewCanvas(&c, width, height))
	marks := map[color.Color]vg.Point{}
	var current color.Color
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.SetColor:
			current = a.Color
		case *recorder.Stroke:
			from, to := a.Path[0].Pos, a.Path[len(a.Path)-1].Pos
			if across := to.Sub(from); max(across.X, -across.X) < 6 && across.X != 0 {
				marks[current] = from
			}
		}
	}
	gd, specgd := marks[hueOfGD], marks[hueOfSpecGD]
	if gd == (vg.Point{}) || gd.X != specgd.X || gd.Y-specgd.Y < 5 {
		t.Errorf("marks at %v and %v; want one below the other", gd, specgd)
	}
}

// TestBarsOfNegativeNumbersStartAtZero: at the top of the panel.
func TestBarsOfNegativeNumbersStartAtZero(t *testing.T) {
	d := drawn(t, write(t, []run{
		{optimizer: "gd", dimension: 9, anisotropy: 1, rate: -0.5},
		{optimizer: "specgd", dimension: 9, anisotropy: 1, rate: -1},
	}), figure.Figure{Kind: figure.Bars, Y: "learning_rate"})
	if ratio := d.areas[hueOfSpecGD] / d.areas[hueOfGD]; ratio < 1.99 || ratio > 2.01 {
		t.Errorf("the bar of -1 is %.2f times that of -0.5", ratio)
	}
}

// TestStepScaleIsThatOfEachLine: lines of different learning rates have different steps, each of
// them evenly recorded.
func TestStepScaleIsThatOfEachLine(t *testing.T) {
	steps := []int64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}
	set := write(t, []run{
		{optimizer: "gd", dimension: 9, anisotropy: 1, rate: 0.01, alignment: 1, recorded: steps},
		{optimizer: "specgd", dimension: 9, anisotropy: 1, rate: 1, alignment: 1, recorded: steps},
	})
	d := drawn(t, set, figure.Figure{Kind: figure.Trajectories, X: "eta_step", Color: "optimizer"})
	if all := strings.Join(d.texts, " "); strings.Contains(all, "log scale") {
		t.Errorf("evenly recorded steps: %s", all)
	}
}

// TestMarksOfDivergedCellsDoNotOverlap: each cell that has room has a cross, apart from the next.
func TestMarksOfDivergedCellsDoNotOverlap(t *testing.T) {
	for _, n := range []int{3, 8, 60} {
		var runs []run
		for i := range n {
			for d := range int64(n) {
				runs = append(runs, run{optimizer: "gd", dimension: d, anisotropy: float64(i), rate: 0.1,
					status: "diverged"})
			}
		}
		o := figure.Figure{Kind: figure.Phase, X: "anisotropy", Y: "dimension", Color: "signal_alignment"}
		picture, err := plot.Draw(context.Background(), write(t, runs), o)
		if err != nil {
			t.Fatal(err)
		}
		var c recorder.Canvas
		width, height := picture.Size()
		picture.Draw(draw.NewCanvas(&c, width, height))
		var middles []vg.Point
		arm := vg.Length(0)
		var current color.Color
		for _, action := range c.Actions {
			switch a := action.(type) {
			case *recorder.SetColor:
				current = a.Color
			case *recorder.Stroke:
				from, to := a.Path[0].Pos, a.Path[len(a.Path)-1].Pos
				if current == (color.NRGBA{255, 255, 255, 255}) && to.Y > from.Y {
					middles = append(middles, from.Add(to).Scale(0.5))
					arm = max(arm, (to.X-from.X)/2)
				}
			}
		}
		if want := map[int]int{3: 9, 8: 64}[n]; len(middles) != want {
			t.Errorf("%d crosses in %d x %d cells, want %d", len(middles), n, n, want)
		}
		for i, one := range middles {
			for _, other := range middles[:i] {
				if d := one.Sub(other); max(d.X, -d.X) < 2.5*arm && max(d.Y, -d.Y) < 2.5*arm {
					t.Fatalf("crosses at %v and %v with arms of %v", one, other, arm)
				}
			}
		}
	}
}
