package main

import (
	"fmt"
	"math"
)

// secondPaper is the claims of the paper on one column under power-law data. Its loss is four times
// ours, so that its rate eta is learning_rate/4.
func secondPaper() section {
	return section{
		title: "The second paper",
		introduction: "\"Fast Escape, Slow Convergence: Learning Dynamics of Phase Retrieval under Power-Law Data\"\n" +
			"([arXiv 2511.18661](https://arxiv.org/abs/2511.18661)): one column, eigenvalues i^-a of trace 1, a\n" +
			"random teacher θ with θᵀQθ = 1, a start uniform on the sphere. s is `weight_covariance_norm2`, u is\n" +
			"`teacher_covariance_overlap`. Its loss is four times ours, so its rate η is `learning_rate`/4.\n\n",
		claims: secondClaims,
	}
}

const secondSource = "arXiv 2511.18661"

var secondClaims = []claim{
	{
		name: "Three phases",
		text: "First s is near 0 and u grows; then s crosses a plateau at 1/3, and u and s approach 1 slowly; " +
			"then only the tail of the spectrum is left.",
		source:   secondSource + ", figures 2 and 3",
		examples: []string{"slow-convergence"},
		measure:  measurePhases,
		verdict:  holdsInPart,
		words: "The phases are there. The plateau is not: from a start that is uniform on the sphere u has grown " +
			"with s when s reaches a third, far from the saddle where u vanishes.",
	},
	{
		name: "Growth of the overlap",
		text: "While the norm is small the overlap u grows like e^(rho t), where rho is the root above four times " +
			"the largest eigenvalue of a secular equation.",
		source:   secondSource + ", Lemma 2",
		examples: []string{"overlap-growth"},
		measure:  measureOverlap,
		verdict:  holds,
		words:    "The fitted rate agrees for every exponent and each of ten teachers.",
	},
	{
		name:     "Fast escape",
		text:     "The time to escape grows like the logarithm of the dimension.",
		source:   secondSource + ", Theorem 1 and figure 6",
		examples: []string{"fast-escape"},
		measure:  measureEscape,
		verdict:  holds,
		words: "Escape times grow by equal amounts for equal factors of the dimension, with the slope that follows " +
			"from the rate of growth and an overlap of one over the root of the dimension at the start.",
	},
	{
		name: "Slow convergence",
		text: "After the escape the time until u is within eps of 1 is at most of order eps^(-2a/(a-1)), up to a " +
			"logarithm.",
		source:   secondSource + ", Theorem 1",
		examples: []string{"slow-convergence"},
		measure:  measureConvergence,
		verdict:  holds,
		words: "It holds as a bound. The measured exponent is about half of it: the error of u decays with the " +
			"tail of the spectrum, whose weights are the eigenvalues.",
	},
	{
		name: "Spectral tail",
		text: "After the second phase the parameter error decays like the average S of e^(-16 λ_i τ), weighted by " +
			"the squared errors at its beginning.",
		source:   secondSource + ", Theorem 2",
		examples: []string{"slow-convergence"},
		measure:  measureTail,
		verdict:  holds,
		words: "The weights are those of a run of our own, drawn and stepped anew; its parameter error agrees with " +
			"the rows.",
	},
	{
		name:     "Online",
		text:     "With one fresh pair a step and label noise the error decays in the same phases.",
		source:   secondSource + ", figures 1, 4 and 5",
		examples: []string{"online-power-law"},
		measure:  measureOnline,
		verdict:  holdsInPart,
		words: "Escape and decay are seen, the faster the larger the exponent at first; the noise of single pairs " +
			"holds up the end.",
	},
}

// flow is the dynamics of one column: w ← w - lr G, in the eigenbasis of Q.
type flow struct {
	lambda, theta, w []float64
	rate             float64
	steps            int
}

// newFlow draws teacher and start of a run of a population model, as docs/model.md says.
func newFlow(r run) *flow {
	d := int(r.number("dimension"))
	f := &flow{rate: rate(r)}
	teacher := gaussian{state: seedOf(r, "teacher_seed") ^ 0xD1B54A32D192ED03}
	start := gaussian{state: seedOf(r, "seed")}
	trace, variance, norm2 := 0.0, 0.0, 0.0
	for i := range d {
		f.lambda = append(f.lambda, math.Pow(float64(i+1), -r.number("exponent")))
		trace += f.lambda[i]
	}
	for i := range d {
		f.lambda[i] /= trace
		f.theta, f.w = append(f.theta, teacher.next()), append(f.w, start.next())
		variance += f.lambda[i] * f.theta[i] * f.theta[i]
		norm2 += f.w[i] * f.w[i]
	}
	for i := range d {
		f.theta[i] /= math.Sqrt(variance)
		f.w[i] *= r.number("init_scale") / math.Sqrt(norm2)
	}
	return f
}

// seedOf returns a seed of a run, which is 0 by default.
func seedOf(r run, name string) uint64 { return uint64(r.cell(name).Int) }

// step is one update: G_i = λ_i ((3 s - 1) w_i - 2 u θ_i).
func (f *flow) step() {
	s, u := f.overlaps()
	for i, lambda := range f.lambda {
		f.w[i] -= f.rate * lambda * ((3*s-1)*f.w[i] - 2*u*f.theta[i])
	}
	f.steps++
}

// overlaps returns s = wᵀQw and u = wᵀQθ.
func (f *flow) overlaps() (s, u float64) {
	for i, lambda := range f.lambda {
		s += lambda * f.w[i] * f.w[i]
		u += lambda * f.w[i] * f.theta[i]
	}
	return s, u
}

// errors returns the squared errors (w_i - θ_i)², of the sign of w that is nearer.
func (f *flow) errors() []float64 {
	product := 0.0
	for i := range f.w {
		product += f.w[i] * f.theta[i]
	}
	squares := make([]float64, len(f.w))
	for i := range f.w {
		difference := math.Copysign(1, product)*f.w[i] - f.theta[i]
		squares[i] = difference * difference
	}
	return squares
}

// growth is rho of Lemma 2: the root above 4 λ_1 of 1 = 8 Σ θ_i² λ_i²/(rho - 4 λ_i).
func (f *flow) growth() float64 {
	low, high := 4*f.lambda[0], 4*f.lambda[0]
	for i, lambda := range f.lambda {
		high += 8 * f.theta[i] * f.theta[i] * lambda * lambda
	}
	for range 100 {
		rho, sum := (low+high)/2, 0.0
		for i, lambda := range f.lambda {
			sum += 8 * f.theta[i] * f.theta[i] * lambda * lambda / (rho - 4*lambda)
		}
		if sum > 1 {
			low = rho
		} else {
			high = rho
		}
	}
	return (low + high) / 2
}

// exponentIs returns a filter for the runs under one power law.
func exponentIs(exponent float64) func(run) bool {
	return func(r run) bool { return r.number("exponent") == exponent }
}

func measurePhases(m *measurement) {
	for _, exponent := range []float64{1.5, 2, 3, 4} {
		r := m.paths("slow-convergence", exponentIs(exponent))[0]
		first, last := r.trajectory[0], r.trajectory[len(r.trajectory)-1]
		crossing := last
		for i := len(r.trajectory) - 1; i >= 0 && r.trajectory[i].WeightCovarianceNorm2 >= 1./3; i-- {
			crossing = r.trajectory[i]
		}
		name := fmt.Sprintf("a = %v: ", exponent)
		m.expect(name+"growth of u until s passes 1/3",
			crossing.TeacherCovarianceOverlap/first.TeacherCovarianceOverlap, 20, 1000, "of order √d")
		m.expect(name+"u²/s as s passes 1/3",
			crossing.TeacherCovarianceOverlap*crossing.TeacherCovarianceOverlap/crossing.WeightCovarianceNorm2, 0.7, 1,
			"0 at the saddle, 1 along the teacher")
		m.expect(name+"s at the end", last.WeightCovarianceNorm2, 0.95, 1, "1")
	}
}

func measureOverlap(m *measurement) {
	worst := 0.0
	for _, exponent := range []float64{1.5, 2, 3, 4} {
		deviation, theory := emptySpan(), emptySpan()
		for _, r := range m.paths("overlap-growth", exponentIs(exponent)) {
			var steps, logs []float64
			for _, t := range r.trajectory {
				if s := t.WeightCovarianceNorm2; s > 1e-8 && s < 1e-4 { // after the transient, before the norm counts
					steps, logs = append(steps, float64(t.Step)), append(logs, math.Log(t.TeacherCovarianceOverlap))
				}
			}
			slope := slopeOf(steps, logs)
			rho := newFlow(r).growth()
			theory.add(math.Log1p(rate(r) / 4 * rho))
			deviation.add(math.Abs(slope/math.Log1p(rate(r)/4*rho) - 1))
		}
		m.expect(
			fmt.Sprintf("a = %v: largest relative deviation of the fitted rate from ln(1 + η rho), ten teachers",
				exponent),
			deviation.high,
			0,
			0.01,
			"Lemma 2, η = 0.01, d = 300, teacher_seed 0 to 9, s from 1e-8 to 1e-4",
		)
		worst = max(worst, deviation.high)
		m.expect(fmt.Sprintf("a = %v: least ln(1 + η rho)", exponent), theory.low, 0, 0.2,
			"the root for the run's teacher")
		m.expect(fmt.Sprintf("a = %v: largest ln(1 + η rho)", exponent), theory.high, 0, 0.2,
			"the root for the run's teacher")
	}
	m.says("overlap-growth", "by at most %.2f %%", 100*worst)
}

func measureEscape(m *measurement) {
	for _, exponent := range []float64{1.5, 2, 4} {
		byTeacher := map[float64][]run{}
		for _, r := range m.runs("fast-escape", exponentIs(exponent)) {
			byTeacher[r.number("seed")] = append(byTeacher[r.number("seed")], r)
		}
		var ratios []float64
		steps := map[float64][]float64{}
		for _, runs := range byTeacher {
			var logs, times []float64
			for _, r := range runs {
				logs, times = append(logs, math.Log(r.number("dimension"))), append(times, censored(r.EscapeStep))
				steps[r.number("dimension")] = append(steps[r.number("dimension")], censored(r.EscapeStep))
			}
			slope := slopeOf(logs, times)
			last := runs[len(runs)-1]
			ratios = append(ratios, slope*2*math.Log1p(rate(last)/4*newFlow(last).growth()))
		}
		m.expect(
			fmt.Sprintf("a = %v: slope of escape_step over ln d, over 1/(2 ln(1 + η rho)), median of five seeds",
				exponent),
			median(ratios), 0.8, 1.3,
			"1: u starts at order 1/√d and grows by rho, with a transient")
		m.says("fast-escape", "%.0f to %.0f at a = %v", median(steps[125]), median(steps[2000]), exponent)
	}
}

func measureConvergence(m *measurement) {
	for _, exponent := range []float64{1.5, 2, 3, 4} {
		r := m.paths("slow-convergence", exponentIs(exponent))[0]
		theory, measured := exponent/(exponent-1), emptySpan()
		for _, window := range []span{{500, 2000}, {1000, 4000}, {2000, 8000}, {5000, 20000}} {
			var times, errors []float64
			for _, t := range r.trajectory {
				if k := float64(t.Step); k >= window.low && k <= window.high {
					times, errors = append(times, math.Log(k)), append(errors, math.Log(1-t.TeacherCovarianceOverlap))
				}
			}
			slope := slopeOf(times, errors)
			measured.add(-1 / slope)
		}
		from := fmt.Sprintf("at most 2a/(a-1) = %.3g; a/(a-1) = %.3g for weights λ_i; four windows", 2*theory, theory)
		m.expect(fmt.Sprintf("a = %v: least exponent of the time over 1/eps", exponent), measured.low, 0.5*theory,
			2*theory, from)
		m.expect(fmt.Sprintf("a = %v: largest exponent of the time over 1/eps", exponent), measured.high, 0.5*theory,
			2*theory, from)
		m.says("slow-convergence", "%.2f to %.2f at a = %v", measured.low, measured.high, exponent)
	}
}

func measureTail(m *measurement) {
	worst := 0.0
	for _, exponent := range []float64{1.5, 2, 3, 4} {
		r := m.paths("slow-convergence", exponentIs(exponent))[0]
		f := newFlow(r)
		var weights []float64
		var begun, first float64
		deviation, agreement := 0.0, 0.0
		for _, t := range r.trajectory {
			for f.steps < int(t.Step) {
				f.step()
			}
			squares, total := f.errors(), 0.0
			for _, e := range squares {
				total += e
			}
			agreement = max(agreement, math.Abs(total/(float64(len(squares))*t.ParameterMSE)-1))
			switch {
			case weights == nil && t.TeacherCovarianceOverlap > 0.9:
				weights, begun, first = squares, float64(t.Step), total
			case weights != nil:
				tau, average := rate(r)/4*(float64(t.Step)-begun), 0.0
				for i, e := range weights {
					average += e / first * math.Exp(-16*f.lambda[i]*tau)
				}
				deviation = max(deviation, math.Abs(total/first/average-1))
			}
		}
		m.expect(fmt.Sprintf("a = %v: digits to which rows and own run agree in parameter_mse, of 9", exponent),
			math.Min(9, math.Floor(-math.Log10(agreement))), 9, 9, "the same equations, written twice")
		m.expect(fmt.Sprintf("a = %v: largest relative deviation of the decay from S after u = 0.9", exponent),
			deviation, 0, 0.02, "Theorem 2, η = 0.01, d = 1000")
		worst = max(worst, deviation)
	}
	m.says("slow-convergence", "it agrees with the rows to %.2f %%", 100*worst)
}

func measureOnline(m *measurement) {
	for _, exponent := range []float64{1.5, 2, 4} {
		r := m.paths("online-power-law", exponentIs(exponent))[0]
		last := r.trajectory[len(r.trajectory)-1]
		m.expect(fmt.Sprintf("a = %v: escape_step", exponent), censored(r.EscapeStep), 500, 10000, "seed 0")
		decay := last.ParameterMSE / r.trajectory[0].ParameterMSE
		m.expect(fmt.Sprintf("a = %v: parameter_mse at the end over that at the start", exponent), decay, 0.1, 1,
			"it decays")
		m.says("online-power-law", "%d steps and %.2f at a = %v", r.EscapeStep, decay, exponent)
		m.expect(fmt.Sprintf("a = %v: u at the end", exponent), last.TeacherCovarianceOverlap, 0.9, 1.02, "near 1")
	}
}
