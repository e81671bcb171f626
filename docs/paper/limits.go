package main

import (
	"fmt"
	"math"
)

func measurePowerLaw(m *measurement) {
	cells := m.runs("power-law",
		func(r run) bool { return r.word("optimizer") == "specgd" && r.number("steps") == 700 })
	short := pick(cells, func(r run) bool { return r.StepsTo90 < 0 })
	m.expect("specgd, constant step: cells that never reach 90 %", float64(len(short)), 100, 115,
		"107, measured before")
	m.says("power-law", "%d of %d cells never do", len(short), len(cells))
	reached := spanOf(pick(cells, func(r run) bool { return r.StepsTo90 >= 0 }),
		func(r run) float64 { return float64(r.StepsTo90) })
	m.says("power-law", "specgd at a constant step: %.0f to %.0f", reached.low, reached.high)
	var from []any
	for _, c := range []struct{ index, exponent float64 }{{0, 0.7}, {1, 0.85}, {2, 0.9}, {4, 1.05}, {9, 1.4}} {
		least := spanOf(pick(short, func(r run) bool { return r.number("teacher_index") == c.index }),
			func(r run) float64 { return r.number("exponent") }).low
		m.expect(fmt.Sprintf("specgd, teacher_index %v: least exponent that falls short", c.index), least,
			c.exponent-0.01, c.exponent+0.01, "measured before")
		from = append(from, least)
	}
	m.says("power-law", "from exponent %v at teacher_index 0, %v at 1, %v at 2, %v at 4 and %v at 9", from...)
	deeper := pick(short, func(r run) bool { return r.number("teacher_index") > 9 })
	m.expect("specgd, teacher_index above 9: cells that fall short", float64(len(deeper)), 0, 0, "measured before")

	spike := spanOf(cells, func(r run) float64 { return r.PeakSpikeAlignment - r.number("teacher_index")/100 })
	m.expect("specgd: most that the spike exceeds its share of the start", rounded(spike.high), 0, 0, "never amplified")
	top := spanOf(
		m.runs("power-law", func(r run) bool { return r.word("optimizer") == "gd" && r.number("teacher_index") == 0 }),
		func(r run) float64 { return censored(r.StepsTo90) })
	m.expect("gd, teacher_index 0: latest steps_to_90", top.high, 1, 40, "gradient descent aligns at once")
	cures(m, short)
	scheduled(m)
	singleRuns(m)
}

// cures counts the cells that fall short and reach 90 % by another step.
func cures(m *measurement, short []run) {
	type cell struct{ exponent, index float64 }
	missing := map[cell]bool{}
	for _, r := range short {
		missing[cell{r.number("exponent"), r.number("teacher_index")}] = true
	}
	for _, c := range []struct {
		name        string
		steps, most float64
	}{{"a cosine schedule", 1001, 50}, {"a tenth of the step", 4000, 60}} {
		left := 0
		for _, r := range m.runs("power-law", func(r run) bool { return r.number("steps") == c.steps }) {
			if missing[cell{r.number("exponent"), r.number("teacher_index")}] && r.Held90Step < 0 {
				left++
			}
		}
		m.expect("specgd with "+c.name+": cells of these that do not hold 90 %", float64(left), 1, c.most,
			"cured in part, not the steepest")
		m.says("power-law", "%d do not with %s", left, c.name)
	}
}

// scheduled measures what a schedule changes with the teacher on top.
func scheduled(m *measurement) {
	ends := map[string]float64{}
	for _, r := range m.runs("power-law", func(r run) bool {
		return r.number("steps") == 1000 && r.number("teacher_index") == 0
	}) {
		ends[fmt.Sprint(r.word("schedule"), r.number("exponent"))] = r.SignalAlignment
	}
	for _, c := range []struct {
		schedule  string
		exponent  float64
		low, high float64
	}{
		{"constant", 1, 0.63, 0.65}, {"constant", 2, 0.19, 0.21},
		{"cosine", 1, 0.995, 0.998}, {"cosine", 2, 0.63, 0.66},
	} {
		m.expect(
			fmt.Sprintf("specgd, %s, teacher_index 0, exponent %v: final signal_alignment", c.schedule, c.exponent),
			ends[fmt.Sprint(c.schedule, c.exponent)], c.low, c.high, "0.64 and 0.20, 0.997 and 0.648, measured before")
	}
	m.says("power-law", "(signal_alignment %.2f at exponent 1, %.2f at exponent 2)", ends["constant1"],
		ends["constant2"])
	m.says("power-law", "a cosine schedule cures exponent 1 (%.3f) and not exponent 2 (%.3f)", ends["cosine1"],
		ends["cosine2"])
}

// singleRuns measures gd at a tenth of its limit.
func singleRuns(m *measurement) {
	at := map[float64]run{}
	for _, r := range m.runs("power-law", is("optimizer", "gd")) {
		for _, lr := range []float64{0.0054, 0.00065, 0.0107} {
			if near(rate(r), lr) {
				at[lr] = r
			}
		}
	}
	from := "misaligned first, measured before"
	m.expect("gd, exponent 1, teacher_index 19: peak_spike_alignment", at[0.0054].PeakSpikeAlignment, 0.991, 0.994,
		from)
	m.expect("gd, exponent 1, teacher_index 19: steps_to_90", float64(at[0.0054].StepsTo90), 555, 565, from)
	m.expect("gd, exponent 1.5, teacher_index 4: steps_to_90", float64(at[0.00065].StepsTo90), 285, 285, from)
	m.expect("gd, exponent 2, teacher_index 19: escape_step", float64(at[0.0107].EscapeStep), -1, -1,
		"-1: it never escapes")
	m.says("power-law", "90 %% after %d steps (peak %.4f), after %d (%.3f), and never", at[0.0054].StepsTo90,
		at[0.0054].PeakSpikeAlignment, at[0.00065].StepsTo90, at[0.00065].PeakSpikeAlignment)
}

func measureSamples(m *measurement) {
	tail := func(r run) float64 { return r.TailSignalAlignment }
	at := func(optimizer, axis string, value float64) []run {
		return m.runs("samples",
			func(r run) bool { return r.word("optimizer") == optimizer && r.number(axis) == value })
	}
	noisy := at("specgd", "batch_size", 20)
	first := spanOf(noisy, func(r run) float64 { return censored(r.StepsTo90) })
	m.expect("specgd, batches of 20: latest steps_to_90", first.high, 300, 400, "it touches 90 %")
	end := spanOf(noisy, tail)
	m.expect("specgd, batches of 20: least tail_signal_alignment", end.low, 0.75, 0.85, "0.79, measured before")
	m.expect("specgd, batches of 20: largest tail_signal_alignment", end.high, 0.75, 0.9, "0.79, measured before")
	gd := spanOf(at("gd", "batch_size", 20), tail)
	m.expect("gd, batches of 20: least tail_signal_alignment", gd.low, 0.99, 1, "0.996, measured before")
	m.says("samples", "at 20 specgd touches 90 %% and ends at %.2f to %.2f, where gd ends at %.3f and more", end.low,
		end.high, gd.low)

	larger := spanOf(m.runs("samples", func(r run) bool {
		return r.word("optimizer") == "specgd" && r.number("batch_size") >= 50
	}), tail)
	m.expect("specgd, batches of 50 and more: least tail_signal_alignment", larger.low, 0.97, 1,
		"the noise of a batch shrinks")
	m.says("samples", "from 50 on it ends at %.3f and more", larger.low)

	reached := 0
	for _, optimizer := range []string{"gd", "specgd"} {
		reached += len(pick(at(optimizer, "samples", 40), func(r run) bool { return r.StepsTo90 >= 0 }))
	}
	m.expect("40 fixed pairs, both optimizers: runs that reach 90 %", float64(reached), 0, 0,
		"two pairs a dimension do not determine θ")
	enough := func(optimizer string) []run {
		return m.runs("samples",
			func(r run) bool { return r.word("optimizer") == optimizer && r.number("samples") >= 200 })
	}
	steps := func(r run) float64 { return censored(r.StepsTo90) }
	spec, grad := spanOf(enough("specgd"), steps), spanOf(enough("gd"), steps)
	m.expect("200 fixed pairs and more: latest steps_to_90 of specgd", spec.high, 230, 260, "like the population's")
	m.expect("200 fixed pairs and more: earliest steps_to_90 of gd", grad.low, 255, 1000, "after specgd")
	peaks := func(r run) float64 { return r.PeakSpikeAlignment }
	through, kept := spanOf(enough("gd"), peaks), spanOf(enough("specgd"), peaks)
	m.expect("200 fixed pairs and more: least peak_spike_alignment of gd", through.low, 0.9, 1, "through the spike")
	m.expect("200 fixed pairs and more: largest peak_spike_alignment of specgd", kept.high, 0.05, 0.06, "1/d = 0.05")
	m.says(
		"samples",
		"specgd aligns in %.0f to %.0f steps, gd in %.0f to %.0f, and only gd passes through the spike (%.2f "+
			"and more against %.2f)",
		spec.low,
		spec.high,
		grad.low,
		grad.high,
		through.low,
		math.Round(100*kept.high)/100,
	)
}

func measureWidth(m *measurement) {
	peak := func(r run) float64 { return r.PeakSpikeAlignment }
	highs := map[float64]span{}
	for _, c := range []struct{ width, low, high float64 }{
		{1, 0.75, 1}, {2, 0.45, 0.6}, {5, 0.17, 0.2}, {10, 0.09, 0.11},
		{20, 0.02, 0.05}, {50, 0.0195, 0.025}} {
		s := spanOf(
			m.runs(
				"width",
				func(r run) bool { return r.word("optimizer") == "specgd" && r.number("width") == c.width },
			),
			peak,
		)
		m.expect(fmt.Sprintf("specgd, width %v: least peak_spike_alignment", c.width), s.low, c.low, c.high,
			"about 1/width, over seeds")
		m.expect(fmt.Sprintf("specgd, width %v: largest peak_spike_alignment", c.width), s.high, c.low, c.high,
			"about 1/width, over seeds")
		highs[c.width] = s
	}
	gd := spanOf(m.runs("width", is("optimizer", "gd")), peak)
	m.expect("gd, every width: least peak_spike_alignment", gd.low, 0.98, 1, "gradient descent follows the spike")
	m.says(
		"width",
		"(%.2f to %.2f at one column, where specgd is normalised gradient descent, %.1f at five, %.2f at twenty, "+
			"%.2f at fifty), while gd follows the spike at every width (%.2f)",
		highs[1].low,
		highs[1].high,
		highs[5].high,
		highs[20].high,
		highs[50].high,
		gd.low,
	)
	full := spanOf(
		m.runs("width", func(r run) bool { return r.word("optimizer") == "specgd" && r.number("width") == 50 }),
		func(r run) float64 { return censored(r.StepsTo90) })
	one := spanOf(
		m.runs("width", func(r run) bool { return r.word("optimizer") == "specgd" && r.number("width") == 1 }),
		func(r run) float64 { return censored(r.StepsTo90) })
	m.says("width", "steps_to_90 of specgd is %.0f to %.0f at full width and less at one column (%.0f to %.0f)",
		full.low, full.high, one.low, one.high)
}

func measureMixed(m *measurement) {
	begins := map[float64]float64{}
	largest := emptySpan()
	for _, r := range m.runs("mixed-teacher", is("optimizer", "specgd")) {
		lambda := r.number("anisotropy")
		if _, seen := begins[lambda]; !seen {
			begins[lambda] = math.Inf(1)
		}
		if r.PeakSpikeAlignment > 0.0101 {
			begins[lambda] = math.Min(begins[lambda], r.number("tilt"))
		}
		largest.add(r.PeakSpikeAlignment)
	}
	for _, c := range []struct{ lambda, tilt float64 }{{1, 0.3}, {3, 0.1}, {10, 0.1}, {30, 0.1}, {100, 0.1}} {
		m.expect(fmt.Sprintf("specgd, λ = %v: least tilt at which the spike exceeds its share of the start", c.lambda),
			begins[c.lambda], c.tilt, c.tilt, "a grid of three values a decade")
	}
	m.expect("specgd: largest peak_spike_alignment", largest.high, 0.1, 0.25, "0.15 at λ = 10, measured before")
	m.says("mixed-teacher", "from tilt %v on at lambda = 1, from %v on at the others, and reaches %.2f", begins[1],
		begins[10], largest.high)
	held := map[float64]float64{}
	for _, r := range m.runs("mixed-teacher", func(r run) bool {
		return r.word("optimizer") == "gd" && r.number("anisotropy") == 100
	}) {
		held[r.number("tilt")] = censored(r.Held90Step)
	}
	m.expect("gd, λ = 100: held_90_step at tilt 0.1 over that at tilt 0", held[0.1]/held[0], 0.1, 0.5,
		"the spike leads to the teacher")
	m.says("mixed-teacher", "gd holds 90 %% after %.0f steps at tilt 0 and after %.0f at 0.1", held[0], held[0.1])
}
