package main

import (
	"fmt"
	"math"
	"slices"
)

func measureMisalignment(m *measurement) {
	gd := m.runs("spiked-phase-diagram", is("optimizer", "gd"))
	peak := func(r run) float64 { return r.PeakSpikeAlignment }
	weak := spanOf(pick(gd, func(r run) bool { return r.number("anisotropy") <= 1 }), peak)
	strong := spanOf(above(gd, "anisotropy", 5), peak)
	m.expect("gd: largest peak_spike_alignment at λ = 1", weak.high, 0, 0.11, "below the threshold, small start")
	m.expect("gd: least peak_spike_alignment at λ ≥ 5", strong.low, 0.96, 1, "above the threshold, small start")

	half := threshold(gd)
	m.expect("gd: least λ with peak_spike_alignment above one half", half, 2, 2.15, "λ = 2 as the start vanishes")
	crossings(m)

	early := 0
	late := above(gd, "anisotropy", 2.2)
	for _, r := range late {
		if r.PeakSpikeStep < r.EscapeStep {
			early++
		}
	}
	n := float64(len(late))
	m.expect("gd, λ > 2.2: runs whose spike peaks before escape_step", float64(early), n, n, "all of them")
	scaled := spanOf(gd, func(r run) float64 { return float64(r.Held90Step) / (1 + r.number("anisotropy")) })
	m.expect("gd: held_90_step / (1 + λ), least", scaled.low, 4, 10, "time in proportion to 1 + λ")
	m.expect("gd: held_90_step / (1 + λ), largest", scaled.high, 4, 10, "time in proportion to 1 + λ")

	atEscape := func(r run) float64 { return r.AlignmentAtEscape }
	recovered := spanOf(gd, atEscape)
	specgd := m.runs("spiked-phase-diagram", is("optimizer", "specgd"))
	filling := spanOf(specgd, atEscape)
	m.expect("gd: least alignment_at_escape", recovered.low, 0.5, 1, "the loss escapes when the signal has won")
	m.expect("specgd: largest alignment_at_escape", filling.high, 0, 0.5, "the bulk has grown as far as the signal")
	tail := spanOf(gd, func(r run) float64 { return r.TailSignalAlignment })
	m.expect("gd: least tail_signal_alignment", tail.low, 0.999, 1, "gradient descent recovers")

	m.says("spiked-phase-diagram", "from lambda = %.2f on more than half of W is spike on the way, from lambda = "+
		"%.2f on at least %.4f.", half, least(above(gd, "anisotropy", 5)), strong.low)
	m.says("spiked-phase-diagram", "90 %% is held after %.1f to %.1f times 1 + lambda steps.", scaled.low, scaled.high)
	m.says("spiked-phase-diagram", "At escape W of gd is aligned again (%.2f and more), that of specgd is not yet "+
		"(%.2f and less)", recovered.low, filling.high)
	flagship(m)
}

// threshold returns the least anisotropy at which the spike takes more than half of W.
func threshold(runs []run) float64 {
	return least(pick(runs, func(r run) bool { return r.PeakSpikeAlignment > 0.5 }))
}

// least returns the least anisotropy of runs.
func least(runs []run) float64 {
	return spanOf(runs, func(r run) float64 { return r.number("anisotropy") }).low
}

// crossings measures where the spike first takes more than half of W, for four starts.
func crossings(m *measurement) {
	starts := []struct{ scaled, low, high float64 }{{0.001, 2, 2.05}, {0.01, 2.075, 2.125}, {0.1, 4.175, 4.225}}
	at := map[float64]float64{}
	for _, start := range starts {
		runs := m.runs("critical-anisotropy", func(r run) bool { return near(10*r.number("init_scale"), start.scaled) })
		at[start.scaled] = threshold(runs)
		m.expect(
			"gd from init_scale √d = "+number{}.text(start.scaled)+": least λ with peak_spike_alignment above one half",
			at[start.scaled], start.low, start.high, "2.02, 2.10 and 4.20, measured before on a grid of 0.025")
	}
	large := m.runs("critical-anisotropy", func(r run) bool { return near(10*r.number("init_scale"), 1) })
	peak := spanOf(large, func(r run) float64 { return r.PeakSpikeAlignment }).high
	m.expect("gd from init_scale √d = 1: largest peak_spike_alignment", peak, 0.0099, 0.0101,
		"1/d: the peak is the start")

	peaks := map[float64]float64{}
	for _, r := range m.runs("critical-anisotropy", nil) {
		if near(10*r.number("init_scale"), 0.001) {
			peaks[r.number("anisotropy")] = r.PeakSpikeAlignment
		}
	}
	m.says("critical-anisotropy", "alpha sqrt(d) = 0.001 %.2f at lambda 1, %.2f at 2, %.2f at 2.5, %.4f at 10: 0.5 is "+
		"passed at %.2f", peaks[1], peaks[2], peaks[2.5], peaks[10], at[0.001])
	m.says("critical-anisotropy", "0.01 0.5 is passed at %.2f", at[0.01])
	m.says("critical-anisotropy", "0.1 0.5 is passed at %.2f", at[0.1])
}

// flagship compares the summary that a run prints, and a query, which pages show, with the rows.
func flagship(m *measurement) {
	medians := map[string]float64{}
	for _, name := range []string{"gd", "specgd", "muon"} {
		runs := m.runs("spiked-phase-diagram", is("optimizer", name))
		var peaks, held []float64
		for _, r := range runs {
			peaks, held = append(peaks, r.PeakSpikeAlignment), append(held, censored(r.Held90Step))
		}
		medians[name] = median(held)
		m.states("README.md", "%s %s 0 %.4f %.0f", name, thousands(len(runs)), median(peaks), median(held))
		for _, page := range []string{"README.md", "docs/result-set.md"} {
			m.states(page, "%s %d %v", name, len(runs), slices.Max(peaks))
		}
	}
	m.states("README.md", "%s runs", thousands(len(m.runs("spiked-phase-diagram", nil))))
	for _, name := range []string{"specgd", "muon"} {
		m.expect("median held_90_step of gd over that of "+name, medians["gd"]/medians[name], 1.1, 2.5,
			"above 1: the summary of a run must not say the opposite of the claim")
	}
}

// thousands prints a number below a million as tables do.
func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

func measureRemoval(m *measurement) {
	specgd := m.runs("spiked-phase-diagram", is("optimizer", "specgd"))
	peak := spanOf(specgd, func(r run) float64 { return r.PeakSpikeAlignment * r.number("dimension") })
	m.expect("specgd: largest peak_spike_alignment · d", rounded(peak.high), 1, 1, "1/d is the share of the start")
	peakStep := spanOf(specgd, func(r run) float64 { return float64(r.PeakSpikeStep) })
	m.expect("specgd: latest peak_spike_step", peakStep.high, 0, 0, "the start")
	time := spanOf(specgd, func(r run) float64 { return float64(r.Held90Step) * r.number("learning_rate") })
	m.expect("specgd: held_90_step · lr, least", time.low, 0.92, 0.98, "0.949, up to a step of 0.1/√d")
	m.expect("specgd: held_90_step · lr, largest", time.high, 0.92, 0.98, "0.949, up to a step of 0.1/√d")
	grows := heldIn(specgd, 400) / heldIn(specgd, 50)
	m.expect("specgd: median held_90_step at d = 400 over that at d = 50", grows, 2.6, 3,
		"√8 = 2.83: the time is free of d in units of 1/lr, and in steps it grows as √d")
	lost := spanOf(specgd, func(r run) float64 { return float64(r.Held90Step - r.StepsTo90) })
	m.expect("specgd: most steps between the first crossing of 90 % and the last", lost.high, 0, 10,
		"a few: the orbit of the step is crossed, and nothing is lost after it")
	muon := m.runs("spiked-phase-diagram", is("optimizer", "muon"))
	spike := spanOf(muon, func(r run) float64 { return r.PeakSpikeAlignment })
	share := spanOf(muon, func(r run) float64 { return r.PeakSpikeAlignment * r.number("dimension") })
	m.expect("muon: largest peak_spike_alignment", spike.high, 0, 0.1, "Newton-Schulz maps singular values to 0.5..1.5")
	held := spanOf(muon, func(r run) float64 { return float64(r.Held90Step) })
	m.says("spiked-phase-diagram", "90 %% is held after %.2f to %.2f / learning_rate steps", time.low, time.high)
	m.says("spiked-phase-diagram",
		"lets the spike reach %.1f/d, at most %.3f of W. 90 %% is held after %.0f to %.0f steps.", share.high,
		spike.high, held.low, held.high)
	floor(m)
}

// heldIn is the median of held_90_step in a dimension.
func heldIn(runs []run, dimension float64) float64 {
	var held []float64
	for _, r := range runs {
		if r.number("dimension") == dimension {
			held = append(held, censored(r.Held90Step))
		}
	}
	return median(held)
}

// floor measures the orbit on which constant steps end.
func floor(m *measurement) {
	scheduled := func(r run) bool { return near(r.number("init_scale"), 0.00123) }
	orbit, loss := emptySpan(), emptySpan()
	for _, r := range m.runs("step-floor", func(r run) bool { return !scheduled(r) }) {
		d, rate := r.number("dimension"), r.number("learning_rate")
		orbit.add((1 - r.TailSignalAlignment) / (2*rate + d*rate*rate))
		if d*rate <= 0.4 {
			loss.add(r.TailLoss / (rate * rate))
		}
	}
	m.expect("specgd: largest (1 - tail_signal_alignment) / (2 lr + d lr²)", orbit.high, 0.5, 2.5,
		"the orbit of a constant step, over nine phases of the start")
	m.expect("specgd, d lr ≤ 0.4: largest tail_loss / lr²", loss.high, 0.5, 5, "the loss on that orbit")
	m.says("step-floor", "1 - tail_signal_alignment stays below %.2f (2 lr + d lr²), and tail_loss below %.2f lr² "+
		"while d lr <= 0.4", math.Ceil(100*orbit.high)/100, math.Ceil(100*loss.high)/100)
	final := map[string]float64{}
	for _, r := range m.runs("step-floor", scheduled) {
		final[r.word("schedule")] = r.Loss
	}
	m.expect("specgd, constant: final loss", final["constant"], 2.8e-5, 3.2e-5, "3.0e-5, measured before")
	m.expect("specgd, linear: final loss", final["linear"], 2.9e-11, 3.3e-11, "3.1e-11, measured before")
	m.expect("specgd, cosine: log10 of the final loss", math.Round(math.Log10(final["cosine"])), -16, -14,
		"round-off of the loss")
	m.says("step-floor", "loss %.0e constant, %.0e linear, %.0e cosine", final["constant"], final["linear"],
		final["cosine"])
}
