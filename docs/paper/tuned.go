package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

var tunedComparison = claim{
	name: "Weak anisotropy",
	text: "Below some anisotropy a tuned gradient descent is the faster one; SpecGD overtakes it from there " +
		"on, the later the larger the dimension.",
	source:   "against a reading of the abstract by which SpecGD is always faster",
	examples: []string{"tuned-comparison"},
	measure:  measureTuned,
	verdict:  against,
	words: "Each optimizer has its best learning rate in each cell, ranked by held times; runs that are " +
		"unstable, diverge or end below the level are out. Where the lead changes depends on the grid of " +
		"rates and on the start, so it is an interval.",
}

// cell is what optimizers are compared at: a problem, a start and one of the offset grids of rates.
type cell struct {
	dimension, start float64
	grid             int
	anisotropy       float64
}

// offsetGrids is the number of grids that the rates of tuned-comparison are dealt into.
const offsetGrids = 3

// tunedHeld returns the shortest held time over the rates of each cell, by optimizer.
func tunedHeld(m *measurement) map[string]map[cell]float64 {
	fractions := map[float64]int{}
	for _, r := range m.runs("tuned-comparison", nil) {
		fractions[r.number("fraction")] = 0
	}
	for i, fraction := range slices.Sorted(maps.Keys(fractions)) {
		fractions[fraction] = i % offsetGrids
	}
	best := map[string]map[cell]float64{"gd": {}, "specgd": {}}
	for _, r := range m.runs("tuned-comparison", nil) {
		c := cell{r.number("dimension"), r.number("start"), fractions[r.number("fraction")], r.number("anisotropy")}
		held := best[r.word("optimizer")]
		if before, seen := held[c]; !seen || r.held() < before {
			held[c] = r.held()
		}
	}
	return best
}

// rates returns the number of rates.
func rates(m *measurement) int {
	fractions := map[float64]bool{}
	for _, r := range m.runs("tuned-comparison", nil) {
		fractions[r.number("fraction")] = true
	}
	return len(fractions)
}

// crossover is where the lead of gd ends: the anisotropies between which all changes of the lead
// lie, over starts and grids.
func crossover(best map[string]map[cell]float64, dimension float64) span {
	leads := map[cell]map[float64]float64{} // ln of the ratio of held times over the anisotropy
	for c, gd := range best["gd"] {
		if c.dimension != dimension {
			continue
		}
		key := c
		key.anisotropy = 0
		if leads[key] == nil {
			leads[key] = map[float64]float64{}
		}
		leads[key][c.anisotropy] = math.Log(gd / best["specgd"][c])
	}
	all := emptySpan()
	for _, lead := range leads {
		lambdas := slices.Sorted(maps.Keys(lead))
		for i, lambda := range lambdas[1:] {
			before, now := lead[lambdas[i]], lead[lambda]
			if (before <= 0) != (now <= 0) {
				weight := before / (before - now)
				all.add(lambdas[i] * math.Pow(lambda/lambdas[i], weight))
			}
		}
		if lead[lambdas[0]] > 0 || lead[lambdas[len(lambdas)-1]] <= 0 {
			all.add(math.NaN()) // the axis does not hold the change
		}
	}
	return all
}

// edges counts the problems and starts whose best rate is the least or largest that is stable.
func edges(m *measurement) {
	best, first, last := map[string]map[cell]run{"gd": {}, "specgd": {}}, math.Inf(1), 0.0
	for _, r := range m.runs("tuned-comparison", nil) {
		c := cell{dimension: r.number("dimension"), start: r.number("start"), anisotropy: r.number("anisotropy")}
		if before, seen := best[r.word("optimizer")][c]; !seen || r.held() < before.held() {
			best[r.word("optimizer")][c] = r
		}
		first, last = min(first, r.number("fraction")), max(last, r.number("fraction"))
	}
	for _, optimizer := range []string{"gd", "specgd"} {
		at := 0
		for _, r := range best[optimizer] {
			if f := r.number("fraction"); f == first || f == last {
				at++
			}
		}
		most, from := 0, "the best step is inside"
		if optimizer == "gd" {
			most, from = len(best[optimizer]), "the largest is next to the limit, above which gd is unstable"
		}
		m.expect(fmt.Sprintf("%s: cells of %d whose best rate is the least or largest of all", optimizer,
			len(best[optimizer])), float64(at), 0, float64(most), from)
	}
}

func measureTuned(m *measurement) {
	best := tunedHeld(m)
	m.says("tuned-comparison", "three grids of %d", rates(m)/offsetGrids)
	for _, c := range []struct{ dimension, low, high float64 }{{30, 1, 16}, {100, 4, 20}, {300, 10, 70}} {
		at := crossover(best, c.dimension)
		from := "order 1, 10 and 20 at d = 30, 100 and 300, by other grids and starts"
		m.expect(fmt.Sprintf("d = %v: least λ at which the lead changes", c.dimension), at.low, c.low, c.high, from)
		m.expect(fmt.Sprintf("d = %v: largest λ at which the lead changes", c.dimension), at.high, c.low, c.high, from)
		m.says("tuned-comparison", "%.1f to %.1f at dimension %v", at.low, at.high, c.dimension)
		m.states("README.md", "%.1f to %.1f in dimension %v", at.low, at.high, c.dimension)
	}
	edges(m)
	for _, c := range []struct{ lambda, low, high float64 }{{1, 0.1, 0.9}, {128, 3, 30}} {
		ratio := span{math.Inf(1), math.Inf(-1)}
		for at, gd := range best["gd"] {
			if at.dimension == 100 && at.anisotropy == c.lambda {
				ratio.add(gd / best["specgd"][at])
			}
		}
		name := fmt.Sprintf("d = 100, λ = %v: held_90_step of gd over that of specgd, both tuned, ", c.lambda)
		from := "below 1 where gd leads, above 1 where specgd does"
		m.expect(name+"least", ratio.low, c.low, c.high, from)
		m.expect(name+"largest", ratio.high, c.low, c.high, from)
	}
}
