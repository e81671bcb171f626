package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// cell is what optimizers are compared at: a problem, a start and one of the offset grids of rates.
type cell struct {
	dimension, start, anisotropy float64
	grid                         int
}

// offsetGrids is the number of grids that the rates of tuned-comparison are dealt into.
const offsetGrids = 3

// byRate returns the runs of an optimizer at each problem and start, in the order of their rates.
func byRate(m *measurement, optimizer string) map[cell][]run {
	runs := map[cell][]run{}
	for _, r := range m.runs("tuned-comparison", is("optimizer", optimizer)) {
		c := cell{dimension: r.number("dimension"), start: r.number("start"), anisotropy: r.number("anisotropy")}
		runs[c] = append(runs[c], r)
	}
	for _, some := range runs {
		slices.SortFunc(some, func(a, b run) int { return cmp.Compare(rate(a), rate(b)) })
	}
	return runs
}

// tunedHeld returns the shortest held time over the rates of each cell, by optimizer.
func tunedHeld(m *measurement) map[string]map[cell]float64 {
	best := map[string]map[cell]float64{"gd": {}, "specgd": {}}
	for optimizer, held := range best {
		for c, runs := range byRate(m, optimizer) {
			for i, r := range runs {
				c.grid = i % offsetGrids
				if before, seen := held[c]; !seen || r.held() < before {
					held[c] = r.held()
				}
			}
		}
	}
	return best
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

// edges counts the problems and starts whose best rate is the least or largest, and returns the
// number of rates.
func edges(m *measurement) (rates int) {
	for _, optimizer := range []string{"gd", "specgd"} {
		at, cells := 0, byRate(m, optimizer)
		for _, runs := range cells {
			rates = len(runs)
			best := 0
			for i, r := range runs {
				if r.held() < runs[best].held() {
					best = i
				}
			}
			if best == 0 || best == rates-1 {
				at++
			}
		}
		most, from := 0, "the best step is inside"
		if optimizer == "gd" {
			most, from = len(cells), "the largest is next to the limit, above which gd is unstable"
		}
		m.expect(fmt.Sprintf("%s: cells of %d whose best rate is the least or largest of all", optimizer, len(cells)),
			float64(at), 0, float64(most), from)
	}
	return rates
}

func measureTuned(m *measurement) {
	best := tunedHeld(m)
	rates := edges(m)
	m.says("tuned-comparison", "%d rates of a cell are three grids of %d", rates, rates/offsetGrids)
	for _, c := range []struct{ dimension, low, high float64 }{{30, 1, 16}, {100, 4, 20}, {300, 10, 70}} {
		at := crossover(best, c.dimension)
		from := "order 1, 10 and 20 at d = 30, 100 and 300, by other grids and starts"
		m.expect(fmt.Sprintf("d = %v: least λ at which the lead changes", c.dimension), at.low, c.low, c.high, from)
		m.expect(fmt.Sprintf("d = %v: largest λ at which the lead changes", c.dimension), at.high, c.low, c.high, from)
		m.says("tuned-comparison", "%.1f to %.1f at dimension %v", at.low, at.high, c.dimension)
		m.states("README.md", "%.1f to %.1f in dimension %v", at.low, at.high, c.dimension)
	}
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
