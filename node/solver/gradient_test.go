package solver

import (
	"context"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// The problems whose gradients are held against the definition, small enough to form A and Q.
func gradientProblems() map[string]Problem {
	p := Problem{Representation: Dense, Dimension: 9, Width: 4, Steps: 1, Init: Gaussian, InitScale: 0.7, Seed: 3,
		Teacher:    Teacher{Kind: Mix, Weights: []IndexWeight{{0, 1}, {3, -2}}, Norm2: 1.3},
		Covariance: Covariance{Spectrum: []Run{{1, 2}, {5, 1}, {0.3, 6}}}}
	rotated, ar1, rotatedAR1, wide := p, p, p, p
	rotated.Covariance.Rotate = true
	ar1.Covariance = Covariance{AR1: true, Rho: -0.6}
	rotatedAR1.Covariance = Covariance{AR1: true, Rho: 0.8, Rotate: true}
	wide.Width = 13
	negative, negativeRotated := p, rotatedAR1
	negative.NegativeUnits, negativeRotated.NegativeUnits = 1, 3
	return map[string]Problem{"diagonal": p, "rotated": rotated, "ar1": ar1, "rotated ar1": rotatedAR1, "wide": wide,
		"negative unit": negative, "three negative units": negativeRotated}
}

// formed is Q as a matrix, from its definition.
func formed(p *Problem) []float64 {
	d := p.Dimension
	q := make([]float64, d*d)
	if p.Covariance.AR1 {
		for i := range d {
			for j := range d {
				q[i*d+j] = math.Pow(p.Covariance.Rho, math.Abs(float64(i-j)))
			}
		}
	} else {
		for i, x := range expand(p.Covariance.Spectrum, make([]float64, d)) {
			q[i*d+i] = x
		}
	}
	if p.Covariance.Rotate {
		h, norm2 := make([]float64, d*d), 0.0
		for i := range d {
			norm2 += 1 / float64((i+2)*(i+2))
		}
		for i := range d {
			h[i*d+i] = 1
			for j := range d {
				h[i*d+j] -= 2 / (float64((i+2)*(j+2)) * norm2)
			}
		}
		hq := make([]float64, d*d)
		times(hq, h, q, d, d, d)
		times(q, hq, h, d, d, d)
	}
	return q
}

// times stores C = A B, with A n x k, B k x m.
func times(c, a, b []float64, n, k, m int) {
	for i := range n {
		for j := range m {
			sum := 0.0
			for l := range k {
				sum += a[i*k+l] * b[l*m+j]
			}
			c[i*m+j] = sum
		}
	}
}

// naive returns L and G by way of A = WDWᵀ - θθᵀ and QAQ.
func naive(q, theta, w []float64, d, m, negative int) (loss float64, g []float64) {
	a, second := make([]float64, d*d), make([]float64, m)
	for k := range second {
		second[k] = 1
		if k >= m-negative {
			second[k] = -1
		}
	}
	for i := range d {
		for j := range d {
			a[i*d+j] = -theta[i] * theta[j]
			for k := range m {
				a[i*d+j] += second[k] * w[i*m+k] * w[j*m+k]
			}
		}
	}
	aq, aqaq, qaq := make([]float64, d*d), make([]float64, d*d), make([]float64, d*d)
	times(aq, a, q, d, d, d)
	times(aqaq, aq, aq, d, d, d)
	times(qaq, q, aq, d, d, d)
	trace, trace2 := 0.0, 0.0
	for i := range d {
		trace += aq[i*d+i]
		trace2 += aqaq[i*d+i]
	}
	for i := range qaq {
		qaq[i] = 2*qaq[i] + trace*q[i]
	}
	g = make([]float64, d*m)
	times(g, qaq, w, d, d, m)
	for i := range g {
		g[i] *= second[i%m]
	}
	return trace2/2 + trace*trace/4, g
}

func newTestDense(t *testing.T, p Problem) *matrix {
	t.Helper()
	s, err := newDense(&p, newWorkspace(simd.Scalar))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFastGradientIsTheNaiveOne(t *testing.T) {
	for name, p := range gradientProblems() {
		s := newTestDense(t, p)
		seen, _ := s.observe()
		s.gradient()
		loss, g := naive(formed(&p), s.frame.theta, s.w, p.Dimension, p.Width, p.NegativeUnits)
		if math.Abs(seen.loss-loss) > 1e-12*loss {
			t.Errorf("%s: loss %v, want %v", name, seen.loss, loss)
		}
		for i := range g {
			if math.Abs(s.g[i]-g[i]) > 1e-12*simd.Scalar.Largest(g) {
				t.Errorf("%s: G[%d] = %v, want %v", name, i, s.g[i], g[i])
			}
		}
	}
}

func TestGradientIsTheDerivativeOfTheLoss(t *testing.T) {
	const h = 1e-5
	for name, p := range gradientProblems() {
		s := newTestDense(t, p)
		s.observe()
		s.gradient()
		for i, x := range s.w {
			s.w[i] = x + h
			up, _ := s.observe()
			s.w[i] = x - h
			down, _ := s.observe()
			s.w[i] = x
			if slope := (up.loss - down.loss) / (2 * h); math.Abs(slope-s.g[i]) > 1e-8*(1+simd.Scalar.Largest(s.g)) {
				t.Errorf("%s: dL/dW[%d] = %v, G = %v", name, i, slope, s.g[i])
			}
		}
	}
}

func TestReducedGradientIsTheDenseOne(t *testing.T) {
	p := Problem{Dimension: 7, Width: 7, Steps: 1, InitScale: 0.4, Teacher: Teacher{Index: 2, Norm2: 0.8},
		Covariance: Covariance{Spectrum: []Run{{1, 3}, {4, 2}, {0.5, 1}, {1, 1}}}, Record: []int{0, 1}}
	p.LearningRate = 1
	var r [1]Result
	if err := New().Solve(context.Background(), []Problem{p}, r[:]); err != nil {
		t.Fatal(err)
	}
	var g [4]float64
	for i, w := range r[0].Trajectory[1].Coefficients {
		g[i] = p.InitScale - w
	}
	full := newTestDense(t, p)
	full.observe()
	full.gradient()
	for i, want := range []float64{g[2], g[2], g[0], g[1], g[1], g[3], g[2]} {
		if got := full.g[i*7+i]; math.Abs(got-want) > 1e-14 {
			t.Errorf("G[%d][%d] = %v, reduced %v", i, i, got, want)
		}
	}
}

// The sample gradient tends to the population's; the noise of 200,000 samples is about a percent.
func TestSampleGradientTendsToThePopulations(t *testing.T) {
	for name, p := range gradientProblems() {
		p.Model, p.Samples, p.LabelNoise = FiniteSample, 200_000, 0.1
		s := newTestDense(t, p)
		s.observe()
		s.gradient()
		want := append([]float64(nil), s.g...)
		s.source.gradient(s.g, s.w)
		for i := range want {
			s.g[i] -= want[i]
		}
		if off := math.Sqrt(dot(s.g, s.g) / dot(want, want)); off > 0.03 {
			t.Errorf("%s: relative distance %v", name, off)
		}
	}
}
