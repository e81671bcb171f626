package main

import (
	"fmt"
	"math"
)

func measureContraction(m *measurement) {
	for _, c := range []struct {
		optimizer string
		low, high float64
	}{{"gd", 66, 76}, {"specgd", 0.98, 1}} {
		time := spanOf(m.runs("noise-contraction", is("optimizer", c.optimizer)),
			func(r run) float64 { return float64(r.Held99Step) * rate(r) })
		m.expect(c.optimizer+": lr · held_99_step, least", time.low, c.low, c.high,
			"75 for 3/(4 lr k), 0.995 for linear arrival")
		m.expect(c.optimizer+": lr · held_99_step, largest", time.high, c.low, c.high,
			"75 for 3/(4 lr k), 0.995 for linear arrival")
		m.says("noise-contraction", "%s %s to %s", c.optimizer, short(time.low), short(time.high))
	}
	slope, constant := algebraicTail(m)
	m.expect("gd, λ = 0, d = 1000: slope of ln(1 - signal_alignment) over ln(lr k) for lr k ≥ 20", slope, -1.02, -1,
		"theory -1")
	m.expect("gd, λ = 0, d = 1000: mean of (1 - signal_alignment) · lr k for lr k ≥ 20", constant, 0.75, 0.76,
		"theory 3/4")
	m.says("noise-contraction", "with slope %.2f and constant %.3f", slope, constant)
	for _, c := range []struct{ lambda, low, high float64 }{{0, 0.85, 0.95}, {10, 3, 3.3}, {100, 27, 30}} {
		steps := map[string]int64{}
		for _, r := range m.runs("noise-contraction", func(r run) bool {
			return r.number("dimension") == 100 && r.number("anisotropy") == c.lambda
		}) {
			steps[r.word("optimizer")] = r.Held99Step
		}
		m.expect(fmt.Sprintf("d = 100, λ = %v: steps of gd to hold 99 %%, over those of specgd", c.lambda),
			float64(steps["gd"])/float64(steps["specgd"]), c.low, c.high, "the rates of the sweep, in steps")
		m.says("noise-contraction", "%d against %d at lambda = %v", steps["gd"], steps["specgd"], c.lambda)
	}
}

// algebraicTail fits the late decay of the noise of gd.
func algebraicTail(m *measurement) (slope, constant float64) {
	r := m.paths("noise-contraction", func(r run) bool {
		return r.word("optimizer") == "gd" && r.number("dimension") == 1000 && r.number("anisotropy") == 0
	})[0]
	var x, y []float64
	for _, t := range r.trajectory {
		if time := rate(r) * float64(t.Step); time >= 20 {
			x, y = append(x, math.Log(time)), append(y, math.Log(1-t.SignalAlignment))
			constant += (1 - t.SignalAlignment) * time
		}
	}
	slope = slopeOf(x, y)
	return slope, constant / float64(len(x))
}

// short prints a number with three digits.
func short(x float64) string { return fmt.Sprintf("%.3g", x) }
