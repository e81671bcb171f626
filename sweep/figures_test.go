package sweep_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

const figuredSweep = `
name: figured
fixed: {covariance: spiked, dimension: 20, optimizer: gd, steps: 50, init_scale: 0.01, learning_rate: 0.01}
grid: {anisotropy: [1, 2, 5]}
`

// Figures are read back from the file of a result set, and are no part of the id.
func TestFiguresAreNoPartOfTheSweep(t *testing.T) {
	plain := parse(t, figuredSweep)
	spec := parse(t, figuredSweep+`
figures:
  - {name: peak, kind: curves, x: anisotropy, y: peak_spike_alignment, where: "optimizer == 'gd' and not unstable_step"}
  - {kind: bars, x: optimizer, y: held_90_step, y_scale: log, threshold: 0.25}
`)
	want := []figure.Figure{
		{
			Name: "peak", Kind: figure.Curves, X: "anisotropy", Y: "peak_spike_alignment",
			Where: "optimizer == 'gd' and not unstable_step",
		},
		{Kind: figure.Bars, X: "optimizer", Y: "held_90_step", YScale: "log", Threshold: 0.25},
	}
	if !slices.Equal(spec.Figures(), want) {
		t.Errorf("got %+v, want %+v", spec.Figures(), want)
	}
	if string(spec.Canonical()) != string(plain.Canonical()) {
		t.Errorf("canonical form is %s with figures, %s without", spec.Canonical(), plain.Canonical())
	}
	file := sweep.File("figured", spec.Canonical(), spec.Figures())
	if again := parse(t, string(file)); !slices.Equal(again.Figures(), want) {
		t.Errorf("read back as %+v from\n%s", again.Figures(), file)
	}
	back, err := figure.Decode(figure.Encode(want))
	if err != nil || !slices.Equal(back, want) {
		t.Errorf("Decode = %+v, %v", back, err)
	}
}

func TestFiguresWithMistakes(t *testing.T) {
	for figures, want := range map[string]string{
		"figures: {kind: phase}": "5:11: figures: got a mapping, want a list",
		"figures: [{kind: phases}]": `kind: got phases, want phase, stability, curves, trajectories or bars; ` +
			`did you mean "phase"?`,
		"figures: [{x: anisotropie}]":                         `x: no column anisotropie; did you mean "anisotropy"?`,
		"figures: [{colour: loss}]":                           `unknown key "colour"; did you mean "color"?`,
		"figures: [{where: 'optimiser == 1'}]":                `where: no column optimiser; did you mean "optimizer"?`,
		"figures: [{where: 'dimension +'}]":                   "where: unexpected token EOF",
		"figures: [{y: {a: 1}}]":                              "y: got a mapping, want one value",
		"figures: [{threshold: high}]":                        "threshold: got high, want a number",
		"figures: [{name: a/b}]":                              "want a word without spaces and slashes",
		"figures: [{name: a}, {name: a}]":                     "figure 2: name a is already taken",
		"figures: [" + strings.Repeat("{x: loss},", 33) + "]": "figures: got 33, want at most 32",
	} {
		_, err := sweep.Parse("s.yaml", []byte(figuredSweep+figures), sweep.Limits{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", figures, err, want)
		}
	}
}
