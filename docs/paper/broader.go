package main

import (
	"maps"
	"math"
	"slices"
)

// family is a covariance and what is expected of it at the largest ratio of eigenvalues.
type family struct {
	name     string
	leads    string // who is faster there
	low, top float64
}

var families = []family{
	{"power_law", "specgd", 4, 12},
	{"rotated spike", "specgd", 4, 12},
	{"multi_spike", "specgd", 4, 12},
	{"block", "specgd", 2, 12},
	{"mixed teacher", "gd", 0.05, 1},
	{"ar1", "gd", 0, 1}, // 0: specgd holds 90 % at no rate
}

func measureBroader(m *measurement) {
	for _, f := range families {
		gd, specgd := bestRuns(m, f.name, "gd"), bestRuns(m, f.name, "specgd")
		ratios := slices.Sorted(maps.Keys(gd))
		weak, strong := ratios[0], ratios[len(ratios)-1]
		m.expect(f.name+": peak_spike_alignment of the best gd run at the largest ratio",
			gd[strong].PeakSpikeAlignment, 0.85, 1, "amplified by gradient descent")
		rise := emptySpan()
		for _, r := range m.paths("broader-covariances", func(r run) bool {
			return r.word("family") == f.name && r.word("optimizer") == "specgd" && r.held() < math.Inf(1)
		}) {
			rise.add(r.PeakSpikeAlignment - r.trajectory[0].SpikeAlignment)
		}
		m.expect(f.name+": most that the spike gains over its start in an aligned specgd run", rise.high, 0, 0.01,
			"0, or little where the teacher is no eigenvector")
		m.expect(f.name+": tuned held_90_step of gd over that of specgd at the least ratio",
			gd[weak].held()/specgd[weak].held(), 0.1, 1, "gd leads")
		m.expect(f.name+": tuned held_90_step of gd over that of specgd at the largest ratio",
			gd[strong].held()/specgd[strong].held(), f.low, f.top, f.leads+" leads")
	}
}

// bestRuns returns the run of the shortest held time for each ratio of eigenvalues.
func bestRuns(m *measurement, family, optimizer string) map[float64]run {
	best := map[float64]run{}
	for _, r := range m.paths("broader-covariances", func(r run) bool {
		return r.word("family") == family && r.word("optimizer") == optimizer
	}) {
		ratio := r.number("ratio")
		if before, seen := best[ratio]; !seen || r.held() < before.held() {
			best[ratio] = r
		}
	}
	return best
}
