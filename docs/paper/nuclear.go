package main

import (
	"maps"
	"math"
	"slices"
)

func measureNuclearRank(m *measurement) {
	start, escape := emptySpan(), emptySpan()
	share := map[float64]float64{}
	for _, r := range m.paths("nuclear-rank", is("optimizer", "gd")) {
		favoured := 0
		for _, t := range r.trajectory {
			ratio := t.GradientNuclearRank / r.InputStableRank
			switch t.Step {
			case 0:
				start.add(ratio)
			case r.EscapeStep:
				escape.add(ratio)
			}
			if t.Step < r.Held90Step && ratio > 1 {
				favoured++
			}
		}
		share[r.number("anisotropy")] = float64(favoured) / float64(r.Held90Step)
	}
	m.expect("gd, start: least gradient_nuclear_rank / input_stable_rank over λ", start.low, 1, 10,
		"above 1: the rule favours the spectral step")
	m.expect("gd, escape: largest gradient_nuclear_rank / input_stable_rank over λ", escape.high, 0, 1,
		"below 1: the rule favours the Euclidean step")

	m.says("nuclear-rank", "at every lambda (%.2f and more), at escape at none (%.2f and less)", start.low, escape.high)

	lead := map[float64]float64{} // the median of held times of gd over those of specgd
	best := tunedHeld(m)
	for _, lambda := range slices.Sorted(maps.Keys(share)) {
		var ratios []float64
		for c, gd := range best["gd"] {
			if c.dimension == 100 && c.anisotropy == lambda {
				ratios = append(ratios, gd/best["specgd"][c])
			}
		}
		lead[lambda] = median(ratios)
		m.says("nuclear-rank", "%.0f %.2f %.2f", lambda, share[lambda], lead[lambda])
	}
	from := "the same order: above the threshold both grow with λ"
	for _, lambda := range []float64{8, 16, 32, 64, 128} {
		name := "λ = " + number{}.text(lambda)
		m.expect(name+": share of the steps of gd to 90 % at which the rule favours the spectral step", share[lambda],
			0, 1, from)
		m.expect(name+": tuned ratio of held times, gd over specgd, d = 100", lead[lambda], 0.5, 20, from)
	}
	m.expect("rank correlation of the two over λ = 8..128", agreement(share, lead, 8), 1, 1, from)
	m.expect("rank correlation of the two over λ = 1..128", agreement(share, lead, 1), -1, 0.99,
		"below the threshold the share falls with λ")
}

// agreement is Kendall's rank correlation of two functions from a value on.
func agreement(x, y map[float64]float64, from float64) float64 {
	sum, pairs := 0.0, 0.0
	for a := range x {
		for b := range x {
			if from <= a && a < b {
				sum += math.Copysign(1, (x[b]-x[a])*(y[b]-y[a]))
				pairs++
			}
		}
	}
	return sum / pairs
}
