package sweep

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAutoTakesTheCheapestExactRepresentation(t *testing.T) {
	for _, c := range []struct {
		pairs []any
		want  string
	}{
		// An eigenvector teacher and a multiple of the identity stay on the manifold, whatever the
		// dimension.
		{[]any{}, "reduced"},
		{[]any{"dimension", 1000000}, "reduced"},
		{[]any{"dimension", 2}, "reduced"},
		{[]any{"covariance", "power_law", "exponent", 1.0, "teacher_index", 7}, "reduced"},
		{[]any{"rotate", "householder"}, "reduced"},
		{[]any{"rotate", "householder", "optimizer", "shampoo"}, "reduced"},
		{[]any{"optimizer", "adam"}, "reduced"},
		{[]any{"rotate", "householder", "optimizer", "adam"}, "dense"},
		{[]any{"rotate", "householder", "optimizer", "signgd"}, "dense"},
		{[]any{"rotate", "householder", "optimizer", "signum"}, "dense"},
		// Few special directions: the columns of W stay in span(theta, spikes, W_0).
		{[]any{"init", "gaussian", "width", 6, "dimension", 1000}, "subspace"},
		{[]any{"init", "gaussian", "width", 6, "dimension", 30}, "dense"}, // 8 of 30 directions: little to gain
		{[]any{"init", "gaussian"}, "dense"},
		{[]any{"init", "orthonormal", "width", 5}, "subspace"},
		{[]any{"teacher", "uniform"}, "subspace"},
		{[]any{"teacher", "mix", "teacher_weights", []float64{0, 1, 7, 2}}, "subspace"},
		{[]any{"teacher", "uniform", "optimizer", "shampoo"}, "subspace"},
		{[]any{"teacher", "uniform", "optimizer", "adam"}, "dense"},
		{[]any{"teacher", "uniform", "covariance", "power_law", "exponent", 1.0}, "dense"},
		{[]any{"teacher", "uniform", "covariance", "ar1", "rho", 0.5}, "dense"},
		{[]any{"teacher", "uniform", "covariance", "block", "blocks", []float64{9, 10, 1, 90}}, "subspace"},
		{[]any{"teacher", "uniform", "covariance", "block", "blocks", []float64{9, 40, 1, 60}}, "dense"},
		{[]any{"teacher", "uniform", "covariance", "multi_spike", "spikes", []float64{1, 2, 3}}, "subspace"},
		// Samples have directions of their own; fresh ones are equal in law as long as they fit
		// into the bulk.
		{[]any{"model", "finite_sample", "samples", 50, "dimension", 1000}, "dense"},
		{[]any{"model", "online", "batch_size", 32, "dimension", 10}, "dense"},
		{[]any{"model", "online", "batch_size", 32}, "dense"},
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 1000}, "subspace"},
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 55}, "dense"},
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 56}, "subspace"},
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 55, "optimizer",
			"muon"}, "dense"}, // and a buffer, which gd has room for too
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 56, "optimizer",
			"muon"}, "subspace"},
		{[]any{"model", "online", "batch_size", 32, "init", "gaussian", "width", 4, "dimension", 1000, "optimizer",
			"shampoo"}, "dense"},
	} {
		a := resolved(t, spiked(c.pairs...)...)
		if got := a[Representation].Text(); got != c.want {
			t.Errorf("%v: %s, want %s", c.pairs, got, c.want)
		}
		// What auto chose is accepted when it is asked for, with the same cost.
		again := resolved(t, spiked(append(c.pairs, "representation", c.want)...)...)
		if Cost(a, 10) != Cost(again, 10) {
			t.Errorf("%v: explicit %s costs otherwise", c.pairs, c.want)
		}
		// The dense run is exact everywhere.
		resolved(t, spiked(append(c.pairs, "representation", "dense")...)...)
	}
}

func TestExplicitRepresentationsSayWhyTheyAreNotExact(t *testing.T) {
	for _, c := range []struct {
		representation string
		more           []any
		want           string
	}{
		{"reduced", []any{"model", "online", "batch_size", 3}, "model: online draws random inputs"},
		{"reduced", []any{"covariance", "ar1", "rho", 0.5, "teacher", "uniform"}, "eigenvectors of covariance: ar1"},
		{"reduced", []any{"teacher", "uniform"}, "teacher: uniform is not an eigenvector"},
		{"reduced", []any{"init", "gaussian"}, "init: gaussian is not a multiple of the identity"},
		{"reduced", []any{"optimizer", "adam", "rotate", "householder"}, "optimizer adam depends on the basis"},
		{"subspace", []any{"covariance", "power_law", "exponent", 1.0}, "no large isotropic block"},
		{"subspace", []any{"optimizer", "signgd"}, "optimizer signgd depends on the basis"},
		{"subspace", []any{"init", "gaussian"}, "102 directions are not fewer than dimension 100"},
		{"subspace", []any{"model", "finite_sample", "samples", 3}, "as many directions as samples"},
		{"subspace", []any{"model", "online", "batch_size", 3, "optimizer", "shampoo", "init", "gaussian", "width", 1},
			"shampoo's left factor"},
		{"subspace", []any{"model", "online", "batch_size", 3}, "directions are not fewer"},
	} {
		a := assign(t, spiked(append(c.more, "representation", c.representation)...)...)
		broken := builtin.resolve(a)
		if len(broken) != 1 || broken[0].id != Representation || !strings.Contains(broken[0].text, c.want) ||
			!strings.Contains(broken[0].text, "use auto") {
			t.Errorf("%s with %v: %v, want ...%s...", c.representation, c.more, broken, c.want)
		}
	}
}

// Online points of equal seed share their random numbers across optimizers, at any size.
func TestOnlinePointsArePairedAcrossOptimizers(t *testing.T) {
	seen := map[string]bool{}
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.IntRange(2, 200).Draw(r, "dimension")
		pairs := []any{"model", "online", "batch_size", rapid.IntRange(1, 20).Draw(r, "batch"), "dimension", d,
			"init", "gaussian", "width", rapid.IntRange(1, 10).Draw(r, "width")}
		var first string
		for _, rule := range optimizerTable {
			if rule.BasisDependent || rule.OnlineDense != "" {
				continue
			}
			a := resolved(t, spiked(append(pairs, "optimizer", rule.Name, "power", 0.5)...)...)
			got := a[Representation].Text()
			if first == "" {
				first = got
			}
			if got != first {
				r.Errorf("%v: %s with %s, %s with another", pairs, got, rule.Name, first)
			}
			seen[got] = true
		}
	})
	if !seen["dense"] || !seen["subspace"] {
		t.Errorf("representations taken: %v", seen)
	}
}

func TestUnpairedOptimizersGiveAWarning(t *testing.T) {
	for optimizers, want := range map[string]string{
		"[gd, muon]": "", "[adam, signgd]": "", "[gd, adam]": "optimizer adam:", "[gd, shampoo]": "optimizer shampoo:",
	} {
		for representation, warns := range map[string]bool{"auto": true, "dense": false} {
			file := "name: pairs\nfixed: {model: online, batch_size: 2, covariance: spiked, anisotropy: 4, " +
				"dimension: 100, width: 2, init: gaussian, init_scale: 0.1, steps: 3, learning_rate: 0.01, " +
				"representation: " + representation + "}\ngrid: {optimizer: " + optimizers + "}\n"
			s, err := Parse("sweep.yaml", []byte(file), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(s.Warnings(), "\n")
			got := strings.Contains(text, "not paired")
			if got != (warns && want != "") || got && !strings.Contains(text, want) {
				t.Errorf("%s, %s: %q, want %q", optimizers, representation, text, want)
			}
		}
	}
}
