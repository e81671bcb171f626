package node

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// exampleRun is a point of a shipped example and its result.
type exampleRun struct {
	*sweep.Point
	solver.Result
}

func (s exampleRun) text(id sweep.ParameterID) string    { return s.Params[id].Text() }
func (s exampleRun) number(id sweep.ParameterID) float64 { return s.Params[id].Float() }

// solveExample solves the selected points of sweep/examples/<name>.yaml and records their first and
// last step.
func solveExample(t *testing.T, name string, pick func(p *sweep.Point) bool) []exampleRun {
	t.Helper()
	file := "../sweep/examples/" + name + ".yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Parse(file, text, sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out []exampleRun
	s := solver.New()
	for p := range spec.Points(0, spec.Size()) {
		if !pick(&p) {
			continue
		}
		q, err := NewProblem(p.Params, []int{0, int(p.Params[sweep.Steps].Int())}, true)
		if err != nil {
			t.Fatal(err)
		}
		result := make([]solver.Result, 1)
		if err := s.Solve(context.Background(), []solver.Problem{q}, result); err != nil {
			t.Fatal(err)
		}
		out = append(out, exampleRun{&p, result[0]})
	}
	if len(out) == 0 {
		t.Fatalf("%s: no point is picked", name)
	}
	return out
}

func everyPoint(*sweep.Point) bool { return true }

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*math.Abs(want) }

// Early growth factors: 1 + 3lr for the signal, 1 + (1+lambda)lr for the spike, 1 + lr for the
// bulk. The measured slopes at lambda = 5 are .02953, .05777 and .00992; at an init_scale of 1e-6
// the nonlinearity takes less than 1 % off.
func TestExampleGrowthRates(t *testing.T) {
	for _, s := range solveExample(t, "growth-rates", everyPoint) {
		lambda, rate := s.number(sweep.Anisotropy), s.number(sweep.LearningRate)
		first, last := s.Trajectory[0], s.Trajectory[len(s.Trajectory)-1]
		for _, c := range []struct {
			name   string
			group  int
			factor float64
		}{
			{"signal", s.SignalGroup, 1 + 3*rate},
			{"spike", s.SpikeGroup, 1 + (1+lambda)*rate},
			{"bulk", s.BulkGroup, 1 + rate},
		} {
			if c.group < 0 {
				continue // without anisotropy there is no spike
			}
			slope := math.Log(last.Coefficients[c.group]/first.Coefficients[c.group]) / float64(last.Step)
			if !near(slope, math.Log(c.factor), 0.01) {
				t.Errorf("lambda %v: %s grows by %v a step, want %v", lambda, c.name, slope, math.Log(c.factor))
			}
		}
	}
}

// The spike first takes more than half of W at lambda = 2.02, 2.10 and 4.20 as init_scale·sqrt(d)
// is 1e-3, 1e-2 and 1e-1, and never at 1.
func TestExampleCriticalAnisotropy(t *testing.T) {
	crossing := map[float64]float64{}
	for _, s := range solveExample(t, "critical-anisotropy", everyPoint) {
		scale, lambda := s.number(sweep.InitScale)*10, s.number(sweep.Anisotropy)
		if _, crossed := crossing[scale]; !crossed && s.PeakSpike > 0.5 {
			crossing[scale] = lambda
		}
		if scale == 0.001 {
			for at, peak := range map[float64]float64{
				1: .0505, 1.5: .158, 2: .489, 2.5: .860, 3: .964, 5: .9986, 10: .9998,
			} {
				if math.Abs(lambda-at) < 1e-9 && !near(s.PeakSpike, peak, 0.01) {
					t.Errorf("lambda %v: peak %v, want %v", lambda, s.PeakSpike, peak)
				}
			}
		}
		if scale == 1 && s.PeakSpike > 0.0101 {
			t.Errorf("lambda %v from a large start: peak %v, want 1/d", lambda, s.PeakSpike)
		}
	}
	for scale, want := range map[float64]float64{0.001: 2.02, 0.01: 2.10, 0.1: 4.20} {
		if got := crossing[scale]; math.Abs(got-want) > 0.03 { // the grid has steps of 0.025
			t.Errorf("init_scale·sqrt(d) %v: the peak passes 0.5 at lambda %v, want %v", scale, got, want)
		}
	}
}

// thinned picks some columns of the phase diagram: every 16th anisotropy, dimensions to 3000.
func thinned(optimizer string) func(p *sweep.Point) bool {
	return func(p *sweep.Point) bool {
		return p.Params[sweep.Optimizer].Text() == optimizer && p.Params[sweep.Dimension].Int() <= 3000 &&
			p.Index%16 == 0
	}
}

func TestExamplePhaseDiagramGD(t *testing.T) {
	for _, s := range solveExample(t, "spiked-phase-diagram", thinned("gd")) {
		d, lambda := s.number(sweep.Dimension), s.number(sweep.Anisotropy)
		switch {
		case s.Status != solver.OK || s.UnstableStep:
			t.Errorf("d %v, lambda %v: status %v, unstable %v", d, lambda, s.Status, s.UnstableStep)
		case lambda >= 5 && lambda <= 100 && d >= 100 && s.PeakSpike < 0.96,
			lambda <= 1 && d >= 100 && s.PeakSpike > 0.07,
			lambda <= 1 && s.PeakSpike > 0.11:
			t.Errorf("d %v, lambda %v: peak %v", d, lambda, s.PeakSpike)
		case s.Final.SignalAlignment < 0.99:
			t.Errorf("d %v, lambda %v: ends at %v", d, lambda, s.Final.SignalAlignment)
		}
		// Up to 22.7 below lambda = 2 and 12.3 from there on, at two million.
		scaled := float64(s.StepsTo90) / (1 + lambda)
		if lambda >= 2 && (scaled < 4.6 || scaled > 9.2) || scaled < 4.6 || scaled > 14 {
			t.Errorf("d %v, lambda %v: steps_to_90/(1 + lambda) is %v", d, lambda, scaled)
		}
	}
}

// The oscillation of Newton-Schulz amplifies the spike, to 13/d at two million.
func TestExamplePhaseDiagramMuon(t *testing.T) {
	for _, s := range solveExample(t, "spiked-phase-diagram", thinned("muon")) {
		if d := s.number(sweep.Dimension); s.PeakSpike > 3/d || s.Final.SignalAlignment < 0.99 {
			t.Errorf("d %v, lambda %v: peak %v/d, ends at %v",
				d, s.number(sweep.Anisotropy), s.PeakSpike*d, s.Final.SignalAlignment)
		}
	}
}

// From alpha·I specgd never amplifies the spike, and its time in units of 1/lr is free of lambda
// and d.
func TestExamplePhaseDiagramSpecGD(t *testing.T) {
	earliest, latest := map[float64]int{}, map[float64]int{}
	for _, s := range solveExample(t, "spiked-phase-diagram", thinned("specgd")) {
		d, lambda := s.number(sweep.Dimension), s.number(sweep.Anisotropy)
		if s.PeakSpikeStep != 0 || !near(s.PeakSpike, 1/d, 1e-12) {
			t.Errorf("d %v, lambda %v: peak %v at step %d, want 1/d at 0", d, lambda, s.PeakSpike, s.PeakSpikeStep)
		}
		if time := float64(s.StepsTo90) * s.number(sweep.LearningRate); time < 0.90 || time > 0.96 {
			t.Errorf("d %v, lambda %v: steps_to_90·lr is %v", d, lambda, time)
		}
		if first, seen := earliest[d]; !seen || s.StepsTo90 < first {
			earliest[d] = s.StepsTo90
		}
		latest[d] = max(latest[d], s.StepsTo90)
	}
	for d, first := range earliest {
		if spread := float64(latest[d]-first) / float64(first); spread > 0.02 {
			t.Errorf("d %v: steps_to_90 varies by %v over lambda", d, spread)
		}
	}
}

// A Gaussian start: the spike's share shrinks with the width. Ranges over seeds: .75-1 at one
// column, .17-.20 at five, .02-.05 from twenty on.
func TestExampleWidth(t *testing.T) {
	for _, s := range solveExample(t, "width", func(p *sweep.Point) bool {
		m, seed := p.Params[sweep.Width].Int(), p.Params[sweep.Seed].Int()
		return p.Params[sweep.Optimizer].Text() == "specgd" && (m == 1 || m == 5 || m == 20 && seed < 2)
	}) {
		low, high := 0.75, 1.0
		switch s.number(sweep.Width) {
		case 5:
			low, high = 0.17, 0.20
		case 20:
			low, high = 0.02, 0.05
		}
		if s.PeakSpike < low || s.PeakSpike > high {
			t.Errorf(
				"width %v, seed %v: peak %v, want %v to %v",
				s.number(sweep.Width),
				s.number(sweep.Seed),
				s.PeakSpike,
				low,
				high,
			)
		}
	}
}

// The dense run diverges above 1/max(3, 1+lambda), the reduced one near twice that.
func TestExampleLearningRateStability(t *testing.T) {
	for _, s := range solveExample(t, "learning-rate-stability", func(p *sweep.Point) bool {
		return p.Params[sweep.Rotate].Text() == "householder" || p.Params[sweep.Anisotropy].Float() >= 5
	}) {
		lambda, rate := s.number(sweep.Anisotropy), s.number(sweep.LearningRate)
		limit := 1 / max(3, 1+lambda)
		if s.UnstableStep != (rate > limit) {
			t.Errorf("lambda %v, lr %v: unstable_step %v with the limit %v", lambda, rate, s.UnstableStep, limit)
		}
		diverges := rate > 2.2*limit
		if s.text(sweep.Representation) == "dense" {
			diverges = rate > limit
		} else if rate > 2*limit && !diverges {
			continue // the border itself
		}
		if (s.Status == solver.Diverged) != diverges {
			t.Errorf(
				"%s, lambda %v, lr %v: status %v, want diverged: %v",
				s.text(sweep.Representation),
				lambda,
				rate,
				s.Status,
				diverges,
			)
		}
	}
}

// Constant-step specgd ends on an orbit: 1-sig <= 2.5(2lr + d lr²), loss <= 5 lr² while d lr <=
// 0.4; a falling schedule has no floor.
func TestExampleStepFloor(t *testing.T) {
	schedules := map[string]float64{}
	for _, s := range solveExample(t, "step-floor", everyPoint) {
		d, rate := s.number(sweep.Dimension), s.number(sweep.LearningRate)
		if s.number(sweep.Steps) == 1000 && s.number(sweep.InitScale) == 0.00123 {
			schedules[s.text(sweep.Schedule)] = s.Final.Loss
			continue
		}
		if bound := 2.5 * (2*rate + d*rate*rate); !s.TailOK || 1-s.TailSignal > bound {
			t.Errorf("d %v, lr %v: tail 1-sig %v above %v", d, rate, 1-s.TailSignal, bound)
		}
		if d*rate <= 0.4 && s.TailLoss > 5*rate*rate {
			t.Errorf("d %v, lr %v: tail loss %v above %v", d, rate, s.TailLoss, 5*rate*rate)
		}
	}
	if !near(schedules["constant"], 3.0e-5, 0.05) || !near(schedules["linear"], 3.1e-11, 0.05) ||
		schedules["cosine"] > 1e-14 {
		t.Errorf("losses by schedule %v", schedules)
	}
}

func TestExamplePowerLaw(t *testing.T) {
	seen := 0
	for _, s := range solveExample(t, "power-law", func(p *sweep.Point) bool {
		e := p.Params[sweep.Exponent].Float()
		return e == 1 || e == 1.5 || e == 2
	}) {
		e, j, rate := s.number(sweep.Exponent), s.number(sweep.TeacherIndex), s.number(sweep.LearningRate)
		bad := false
		switch s.text(sweep.Optimizer) {
		case "specgd":
			// The spike directions never take more than their share of the start, j of 100.
			bad = math.Abs(s.PeakSpike-j/100) > 1e-12
			// The map: runs arrive after 228 to 257 steps or are censored.
			if s.number(sweep.Steps) == 700 {
				arrives := s.StepsTo90 >= 228 && s.StepsTo90 <= 257
				bad = bad || !arrives && (s.StepsTo90 >= 0 || j > 9)
			}
			if s.text(sweep.Schedule) == "cosine" && e == 1 && j == 0 {
				seen++
				bad = bad || !near(s.Final.SignalAlignment, .9968, 1e-3)
			}
			if s.text(sweep.Schedule) == "constant" && s.number(sweep.Steps) == 1000 {
				seen++
				switch {
				case j == 19:
					bad = bad || s.StepsTo90 < 235 || s.StepsTo90 > 255
				case e == 1:
					bad = bad || !near(s.Final.SignalAlignment, .64, 0.01)
				case e == 2:
					bad = bad || !near(s.Final.SignalAlignment, .20, 0.01)
				}
			}
		case "gd":
			switch {
			case j == 0: // the teacher on top
				bad = s.PeakSpike != 0 || s.StepsTo90 < 0 || s.StepsTo90 > 40
			case e == 1 && j == 19 && rate == 0.0054:
				seen++
				bad = !near(s.PeakSpike, .9925, 1e-3) || !near(float64(s.StepsTo90), 560, 0.01) ||
					!near(float64(s.StepsTo99), 1034, 0.01)
			case e == 1.5 && j == 4 && rate == 0.00065:
				seen++
				bad = !near(s.PeakSpike, .993, 1e-3) || s.StepsTo90 != 285
			case e == 2 && j == 19 && rate == 0.0107:
				seen++
				bad = s.EscapeStep >= 0
			}
		}
		if bad {
			t.Errorf(
				"%s, exponent %v, teacher_index %v, %s, lr %v: peak %v, t90 %d, t99 %d, escape %d, sig %v",
				s.text(sweep.Optimizer),
				e,
				j,
				s.text(
					sweep.Schedule,
				),
				rate,
				s.PeakSpike,
				s.StepsTo90,
				s.StepsTo99,
				s.EscapeStep,
				s.Final.SignalAlignment,
			)
		}
	}
	if seen != 8 {
		t.Errorf("%d of the 8 single runs were there", seen)
	}
}

// Peak spike alignments at lambda = 10, in the order of how much of the gradient's spectrum an
// optimizer keeps.
func TestExampleOptimizersSideBySide(t *testing.T) {
	peak := map[string]float64{}
	unrotated := func(p *sweep.Point) bool { return p.Params[sweep.Rotate].Text() == "none" }
	for _, s := range solveExample(t, "optimizers-side-by-side", unrotated) {
		name := s.text(sweep.Optimizer)
		switch name {
		case "power":
			name += " " + s.Params[sweep.Power].String()
		case "muon":
			name += " " + s.text(sweep.Orthogonalizer)
		case "dynmuon":
			name += " " + s.Params[sweep.Steps].String()
		}
		peak[name] = s.PeakSpike
	}
	for name, want := range map[string]float64{
		"specgd": .01, "nucspec": .01, "signgd": .01, "adam": .01, "shampoo": .01,
		"muon newton_schulz": .01, "muon polar_express": .011, "muon exact": .01,
		"power 0.25": .041, "power 0.5": .279, "power 0.75": .851, "dynmuon 400": .109, "dynmuon 1000": .143,
		"ngd": .919, "momentum": .979, "gd": .983,
	} {
		if got, there := peak[name]; !there || !near(got, want, 0.05) {
			t.Errorf("%s: peak %v, want %v", name, got, want)
		}
	}
	order := []string{"specgd", "power 0.25", "power 0.5", "power 0.75", "gd"}
	for i := 1; i < len(order); i++ {
		if peak[order[i-1]] >= peak[order[i]] {
			t.Errorf("%s has the peak %v, %s %v", order[i-1], peak[order[i-1]], order[i], peak[order[i]])
		}
	}
}

// Signs of a gradient in the eigenbasis of Q are its polar factor; in another basis they are not.
func TestExampleSignMomentum(t *testing.T) {
	tail := map[string]float64{}
	for _, s := range solveExample(t, "sign-momentum", everyPoint) {
		name := s.text(sweep.Optimizer)
		if name == "signum" {
			name += " " + s.Params[sweep.Momentum].String()
		}
		turned := s.text(sweep.Rotate) != "none"
		if reached := s.StepsTo90 >= 0; reached == turned {
			t.Errorf("%s, eigenbasis turned %v: steps to 90 %% %d", name, turned, s.StepsTo90)
		}
		if turned {
			tail[name] = s.TailSignal
		}
	}
	for name, want := range map[string]float64{"signgd": .109, "signum 0.9": .696, "signum 0.99": .383, "lion": .811} {
		if got := tail[name]; !near(got, want, 0.05) {
			t.Errorf("%s ends at an alignment of %v, want %v", name, got, want)
		}
	}
}

func TestExampleSpectralPower(t *testing.T) {
	last := map[float64]exampleRun{}
	for _, s := range solveExample(t, "spectral-power", everyPoint) {
		lambda := s.number(sweep.Anisotropy)
		if before, seen := last[lambda]; seen &&
			(s.number(sweep.Power) >= before.number(sweep.Power) || s.PeakSpike > before.PeakSpike) {
			t.Errorf(
				"lambda %v: peak %v at p = %v, %v at p = %v",
				lambda,
				before.PeakSpike,
				before.number(sweep.Power),
				s.PeakSpike,
				s.number(sweep.Power),
			)
		}
		last[lambda] = s
	}
	for lambda, s := range last {
		if s.number(sweep.Power) != 0 || !near(s.PeakSpike, 0.01, 1e-9) {
			t.Errorf(
				"lambda %v: the last power is %v with the peak %v, want SpecGD's 1/d",
				lambda,
				s.number(sweep.Power),
				s.PeakSpike,
			)
		}
	}
}

// Two pairs a dimension do not determine theta; ten and more do, and then specgd is the faster one
// and avoids the spike.
func TestExampleSamples(t *testing.T) {
	type setting struct{ samples, batch, seed float64 }
	number := func(p *sweep.Point, id sweep.ParameterID) float64 { return float64(p.Params[id].Int()) }
	gd := map[setting]exampleRun{}
	for _, s := range solveExample(t, "samples", func(p *sweep.Point) bool {
		return number(p, sweep.Samples) == 40 || number(p, sweep.Samples) == 200 || number(p, sweep.BatchSize) == 50
	}) {
		key := setting{number(s.Point, sweep.Samples), number(s.Point, sweep.BatchSize), number(s.Point, sweep.Seed)}
		switch {
		case key.samples == 40:
			if s.StepsTo90 >= 0 {
				t.Errorf(
					"%s aligns on 40 pairs after %d steps (seed %v)",
					s.text(sweep.Optimizer),
					s.StepsTo90,
					key.seed,
				)
			}
		case s.text(sweep.Optimizer) == "gd":
			gd[key] = s
		default:
			other := gd[key]
			if s.StepsTo90 < 0 || s.StepsTo90 >= other.StepsTo90 || s.PeakSpike > 0.1 || other.PeakSpike < 0.9 {
				t.Errorf(
					"%+v: specgd in %d steps with peak %v, gd in %d with %v",
					key,
					s.StepsTo90,
					s.PeakSpike,
					other.StepsTo90,
					other.PeakSpike,
				)
			}
		}
	}
}
