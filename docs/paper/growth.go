package main

import (
	"math"

	"github.com/phasegrid/phasegrid/results"
)

func measureGrowth(m *measurement) {
	kinds := []struct {
		name  string
		of    func(results.TrajectoryRow) float64
		theta func(lambda float64) float64 // growth of the coefficient in units of the learning rate
	}{
		{"signal", func(t results.TrajectoryRow) float64 { return t.SignalCoefficient },
			func(float64) float64 { return 3 }},
		{"spike", func(t results.TrajectoryRow) float64 { return t.SpikeCoefficient },
			func(lambda float64) float64 { return 1 + lambda }},
		{"bulk", func(t results.TrajectoryRow) float64 { return t.BulkCoefficient },
			func(float64) float64 { return 1 }},
	}
	largest := 0.0
	for _, k := range kinds {
		worst := 0.0
		for _, r := range m.paths("growth-rates", nil) {
			var steps, logs []float64
			for _, t := range r.trajectory {
				steps, logs = append(steps, float64(t.Step)), append(logs, math.Log(k.of(t)))
			}
			if slope := slopeOf(steps, logs); !math.IsNaN(slope) { // there is no spike at lambda = 0
				theory := math.Log1p(k.theta(r.number("anisotropy")) * r.number("learning_rate"))
				worst = math.Max(worst, math.Abs(slope/theory-1))
			}
		}
		m.expect(k.name+": largest relative deviation of the fitted rate of growth from theory, over λ",
			worst, 0, 0.01, "ln(1 + 3 lr), ln(1 + (1 + λ) lr) and ln(1 + lr) a step")
		largest = max(largest, worst)
	}
	m.says("growth-rates", "by at most %.2f %%", 100*largest)
}
