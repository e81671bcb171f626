package main

import (
	"math"

	"github.com/phasegrid/phasegrid/results"
)

func measureMuon(m *measurement) {
	peak := func(r run) float64 { return r.PeakSpikeAlignment }
	peaks := map[string]float64{}
	for _, name := range []string{"exact", "polar_express", "newton_schulz"} {
		peaks[name] = spanOf(m.runs("muon-variants", is("orthogonalizer", name)), peak).high
		m.expect("muon, "+name+": largest peak_spike_alignment", peaks[name], 0.01, 0.03,
			"near 1/d = 0.01, the share of the start")
	}
	gd := spanOf(m.runs("muon-variants", is("optimizer", "gd")), peak).high
	m.expect("gd: largest peak_spike_alignment", gd, 0.99, 1, "misaligned")
	m.says("muon-variants", "exact orthogonalization to %.4f of W, polar_express to %.4f, newton_schulz to %.4f, "+
		"where the start has 0.01 and gd reaches %.4f", peaks["exact"], peaks["polar_express"],
		peaks["newton_schulz"], gd)

	muon := m.runs("muon-variants", is("optimizer", "muon"))
	heavy := func(r run) bool { return r.number("momentum") >= 0.9 && !r.cell("nesterov").Bool }
	held := func(r run) float64 { return censored(r.Held90Step) }
	late := pick(muon, heavy)
	lost := len(pick(late, func(r run) bool { return math.IsInf(r.held(), 1) }))
	m.expect("muon, momentum ≥ 0.9 without Nesterov: runs that hold 90 % in the last tenth of the steps or never",
		float64(lost), 10, 25, "overshooting; there are 30 runs")
	others := spanOf(pick(muon, func(r run) bool { return !heavy(r) }), held)
	m.expect("muon, all other variants: latest held_90_step", others.high, 90, 200, "near 0.949/lr = 95")
	tail := spanOf(pick(muon, func(r run) bool { return !heavy(r) }),
		func(r run) float64 { return r.TailSignalAlignment })
	m.expect("muon, all other variants: least tail_signal_alignment", tail.low, 0.95, 1, "aligned up to the floor")
	m.says(
		"muon-variants",
		"%d of 30 runs hold 90 %% in the last tenth of their steps or never, against %.0f steps at "+
			"most in all other variants",
		lost,
		others.high,
	)
}

func measureBetween(m *measurement) {
	peaks := map[string]float64{}
	for _, r := range m.runs("optimizers-side-by-side", is("rotate", "none")) {
		name := r.word("optimizer")
		switch name {
		case "power":
			name += " " + number{}.text(r.number("power"))
		case "muon":
			name += " " + r.word("orthogonalizer")
		case "dynmuon":
			name += " " + number{}.text(r.number("steps"))
		}
		peaks[name] = r.PeakSpikeAlignment
	}
	for _, c := range []struct {
		name string
		want float64
	}{
		{"specgd", .01}, {"nucspec", .01}, {"signgd", .01}, {"adam", .01}, {"shampoo", .01},
		{"muon newton_schulz", .01}, {"muon polar_express", .011}, {"muon exact", .01},
		{"power 0.25", .041}, {"dynmuon 400", .109}, {"dynmuon 1000", .143}, {"power 0.5", .279},
		{"power 0.75", .851}, {"ngd", .919}, {"momentum", .979}, {"gd", .983},
	} {
		m.expect(c.name+": peak_spike_alignment at λ = 10", peaks[c.name], 0.95*c.want, 1.05*c.want,
			"measured before; the start has 0.01")
	}
	m.says("optimizers-side-by-side", "gradient descent and its momentum and normalised forms pass through the spike "+
		"(%.2f to %.2f)", peaks["ngd"], peaks["gd"])
	equalised := 0.0
	for _, name := range []string{
		"specgd", "nucspec", "signgd", "adam", "shampoo", "muon newton_schulz", "muon exact",
	} {
		equalised = max(equalised, peaks[name])
	}
	m.says("optimizers-side-by-side", "(near 1/d = %.2f)", equalised)
	m.says("optimizers-side-by-side", "in the order of p: %.2f, %.2f, %.2f", peaks["power 0.25"], peaks["power 0.5"],
		peaks["power 0.75"])
	measurePowers(m)
	measureSigns(m)
}

// measurePowers measures the powers of singular values between specgd and gd.
func measurePowers(m *measurement) {
	falls := 0
	at := map[float64]float64{}
	crossing := math.Inf(1)
	for _, lambda := range []float64{3, 10, 30, 100} {
		last := math.Inf(1)
		for _, r := range m.runs("spectral-power", func(r run) bool { return r.number("anisotropy") == lambda }) {
			if r.PeakSpikeAlignment > last {
				falls++ // the powers fall from 1 to 0
			}
			last = r.PeakSpikeAlignment
			if lambda == 10 {
				at[r.number("power")] = last
				if last >= 0.5 {
					crossing = r.number("power")
				}
			}
		}
		m.expect("power 0 at λ = "+number{}.text(lambda)+": peak_spike_alignment", rounded(last), 0.01, 0.01,
			"SpecGD's 1/d")
	}
	m.expect("pairs of neighbouring powers at which the peak of the spike falls", float64(falls), 0, 0,
		"it rises with the power")
	m.expect("λ = 10: least power with peak_spike_alignment of one half", crossing, 0.55, 0.6,
		"0.58, measured before, up to the grid")
	m.says("spectral-power", "at lambda = 10 from %.2f at p = 0.3 over %.2f at p = %.3g to %.2f at p = 0.8",
		at[0.3], at[crossing], crossing, at[0.8])
}

// measureSigns measures steps along the sign of the gradient, in the eigenbasis and in another one.
func measureSigns(m *measurement) {
	steps, tails := map[string]float64{}, map[string]float64{}
	for _, r := range m.runs("sign-momentum", nil) {
		name := r.word("optimizer")
		if name == "signum" {
			name += " " + number{}.text(r.number("momentum"))
		}
		if r.word("rotate") == "none" {
			steps[name] = censored(r.StepsTo90)
			continue
		}
		tails[name] = r.TailSignalAlignment
		if r.StepsTo90 >= 0 || r.Status != results.StatusOK {
			tails[name] = math.NaN()
		}
	}
	for _, c := range []struct {
		name       string
		steps, end float64
	}{{"signgd", 229, .109}, {"signum 0.9", 227, .696}, {"signum 0.99", 179, .383}, {"lion", 227, .811}} {
		m.expect(c.name+": steps_to_90 in the eigenbasis", steps[c.name], c.steps, c.steps, "like SpecGD")
		m.expect(c.name+": tail_signal_alignment in a rotated basis, where it never reaches 90 %", tails[c.name],
			0.95*c.end, 1.05*c.end, "measured before")
	}
	for _, r := range m.runs("optimizers-side-by-side", is("rotate", "householder")) {
		if r.word("optimizer") == "signgd" {
			m.says("optimizers-side-by-side", "signgd no longer aligns at all (%.2f)", r.TailSignalAlignment)
		}
	}
	m.says("sign-momentum", "after %.0f, %.0f, %.0f and %.0f steps", steps["signgd"], steps["signum 0.9"],
		steps["signum 0.99"], steps["lion"])
	m.says(
		"sign-momentum",
		"signgd ends at an alignment of %.2f, signum at %.2f (momentum 0.9) and %.2f (0.99), lion, "+
			"which mixes the two, at %.2f",
		tails["signgd"],
		tails["signum 0.9"],
		tails["signum 0.99"],
		tails["lion"],
	)
}
