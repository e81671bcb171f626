package main

import (
	"cmp"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results"
)

func measureStability(m *measurement) {
	for _, representation := range []string{"dense", "reduced"} {
		runs := m.runs("learning-rate-stability", func(r run) bool {
			return r.Representation == representation && r.number("dimension") == 20
		})
		stable := spanOf(pick(runs, func(r run) bool { return r.Status == results.StatusOK }), rate)
		low, high := 0.16, 0.16
		if representation == "reduced" {
			low, high = 0.3, 0.4
		}
		m.expect("gd, λ = 5, "+representation+": largest rate that does not diverge", stable.high, low, high,
			"the limit 1/(1 + λ) = 0.1667, which the reduced run exceeds up to twofold")
	}
	for _, c := range []struct {
		optimizer         string
		first, last, fall span
		from              string
	}{
		{"gd", span{0.25, 1. / 3}, span{0.0007, 1. / 1001}, span{250, 400}, "1/max(3, 1 + λ), up to the grid"},
		{"specgd", span{0.0125, 0.02}, span{0.008, 0.0125}, span{1, 2.1}, "about twofold, up to the grid"},
	} {
		rates := usableRates(m.runs("learning-rate-stability", func(r run) bool {
			return r.word("optimizer") == c.optimizer && r.number("dimension") == 100
		}))
		first, last := rates[0], rates[len(rates)-1]
		m.expect(c.optimizer+": usable rate at λ = 1", first, c.first.low, c.first.high, c.from)
		m.expect(c.optimizer+": usable rate at λ = 1000", last, c.last.low, c.last.high, c.from)
		m.expect(c.optimizer+": fall of the usable rate", first/last, c.fall.low, c.fall.high, c.from)
		m.says("learning-rate-stability", "falls from %.4f to %.4f for "+c.optimizer, first, last)
	}
	m.says("learning-rate-stability", "lambda = 5, limit %.4f, in a rotated basis", 1./6)
	measureLimit(m)
	diverged := pick(m.runs("learning-rate-stability", is("optimizer", "specgd")), func(r run) bool {
		return r.Status != results.StatusOK
	})
	m.expect("specgd: runs that diverge", float64(len(diverged)), 0, 0, "a step has bounded length")
}

// measureLimit compares gd with its limit, where the reduced run diverges at about twice of it.
func measureLimit(m *measurement) {
	wrong, most, least := 0, 0.0, math.Inf(1)
	for _, r := range m.runs("learning-rate-stability", is("optimizer", "gd")) {
		lambda := r.number("anisotropy")
		limit := 1 / max(3, 1+lambda)
		if r.UnstableStep != (rate(r) > limit) {
			wrong++
		}
		switch {
		case r.number("dimension") != 100 || lambda < 5:
		case r.Status == results.StatusOK:
			most = max(most, rate(r)/limit)
		default:
			least = min(least, rate(r)/limit)
		}
	}
	m.expect("gd: runs whose unstable_step is not rate > 1/max(3, 1 + λ)", float64(wrong), 0, 0,
		"the limit at the optimum")
	m.expect("gd, reduced, λ ≥ 5: largest rate that does not diverge, over the limit", most, 1.9, 2.3,
		"2, or a little more")
	m.expect("gd, reduced, λ ≥ 5: least rate that diverges, over the limit", least, 2, 2.3, "2, or a little more")
}

func rate(r run) float64 { return r.number("learning_rate") }

// usableRates returns, by rising anisotropy, the largest rate up to which all runs hold 90 %.
func usableRates(runs []run) []float64 {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b run) int {
		return cmp.Or(cmp.Compare(a.number("anisotropy"), b.number("anisotropy")), cmp.Compare(rate(a), rate(b)))
	})
	var rates []float64
	last, broken := math.NaN(), false
	for _, r := range runs {
		if lambda := r.number("anisotropy"); lambda != last {
			rates, last, broken = append(rates, 0), lambda, false
		}
		if broken = broken || !r.aligned(); !broken {
			rates[len(rates)-1] = rate(r)
		}
	}
	return rates
}
