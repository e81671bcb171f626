package plot_test

import (
	"fmt"
	"image/color"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

var hueOfGD, hueOfSpecGD = color.NRGBA{0, 114, 178, 255}, color.NRGBA{204, 121, 167, 255}

// TestAnOptimizerHasOneColour: whatever other optimizers a set has, a filter leaves or a panel
// shows, each is drawn in the colour of its row in the table of optimizers, and no two alike.
func TestAnOptimizerHasOneColour(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 13))
	rules := sweep.Optimizers()
	seen := map[figure.Kind]map[string]mark{figure.Curves: {}, figure.Bars: {}, figure.Trajectories: {}}
	for range 40 {
		var runs []run
		var names []string
		for _, i := range random.Perm(len(rules))[:2+random.IntN(8)] {
			names = append(names, rules[i].Name)
			for _, lambda := range []float64{1, 3} {
				runs = append(runs, run{optimizer: rules[i].Name, dimension: 9, anisotropy: lambda, rate: 0.1,
					alignment: 0.5, steps90: 5})
			}
		}
		set := write(t, runs)
		kept := names[:1+random.IntN(len(names))]
		for kind, marks := range seen {
			o := figure.Figure{Kind: kind, Color: "optimizer", Y: "signal_alignment"}
			if kind != figure.Trajectories {
				o.X = "anisotropy"
			}
			o.Where = "optimizer in ['" + strings.Join(kept, "', '") + "']"
			legend := drawn(t, set, o).legend
			for _, name := range kept {
				if old, ok := marks[name]; ok && old != legend[name] {
					t.Errorf("%s of %v: %s is drawn as %v and as %v", kind, kept, name, old, legend[name])
				}
				marks[name] = legend[name]
			}
		}
	}
	for kind, marks := range seen {
		names := map[mark]string{}
		for name, m := range marks {
			if names[m] != "" {
				t.Errorf("%s: %s and %s are drawn alike", kind, names[m], name)
			}
			names[m] = name
		}
		if len(names) != len(rules) {
			t.Errorf("%s: %d optimizers are drawn, want %d", kind, len(names), len(rules))
		}
	}
}

// TestALoneLineHasTheColourOfItsOptimizer: also where no column is shown as colour.
func TestALoneLineHasTheColourOfItsOptimizer(t *testing.T) {
	var runs []run
	for _, optimizer := range []string{"gd", "specgd"} {
		for _, lambda := range []float64{1, 3} {
			runs = append(runs, run{optimizer: optimizer, dimension: 9, anisotropy: lambda, rate: 0.1,
				alignment: 0.5, steps90: 5})
		}
	}
	set := write(t, runs)
	for _, o := range []figure.Figure{
		{Kind: figure.Curves, X: "anisotropy", Where: "optimizer == 'specgd'"},
		{Kind: figure.Trajectories, Where: "optimizer == 'specgd' and anisotropy == 1"},
		{Kind: figure.Bars, X: "anisotropy", Where: "optimizer == 'specgd'"},
	} {
		d := drawn(t, set, o)
		if d.lines[hueOfSpecGD]+d.fills[hueOfSpecGD] == 0 || d.lines[hueOfGD]+d.fills[hueOfGD] > 0 {
			t.Errorf("%s: lines %v and fills %v are not in the colour of specgd", o.Kind, d.lines, d.fills)
		}
	}
	d := drawn(t, set, figure.Figure{Kind: figure.Bars, X: "anisotropy", Facet: "optimizer"})
	if d.fills[hueOfGD] != 2 || d.fills[hueOfSpecGD] != 2 {
		t.Errorf("panels of gd and specgd have the fills %v", d.fills)
	}
}

// TestWordsOfOnesOwnKeepTheirColour: a filter changes no colour, and no two words are drawn alike.
func TestWordsOfOnesOwnKeepTheirColour(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	for range 20 {
		var runs []run
		var names []string
		for i := range 2 + random.IntN(9) {
			names = append(names, fmt.Sprintf("rule %d", random.IntN(1000)*20+i))
			for _, lambda := range []float64{1, 3} {
				runs = append(runs, run{optimizer: names[i], dimension: 9, anisotropy: lambda, alignment: 0.5})
			}
		}
		set := write(t, runs)
		o := figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment", Color: "optimizer"}
		all := drawn(t, set, o).legend
		different := map[mark]bool{}
		for _, name := range names {
			different[all[name]] = true
			o.Where = "optimizer == '" + name + "'"
			if alone := drawn(t, set, o).legend[name]; alone != all[name] {
				t.Errorf("%s of %v is drawn as %v and alone as %v", name, names, all[name], alone)
			}
		}
		if len(different) < min(len(names), 10) {
			t.Errorf("%v have the marks %v", names, maps.Clone(different))
		}
	}
}
