package solver

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// A two-layer network f(x) = Σ a_j (w_jᵀx)² with fixed a_j = ±c, trained on ¼ mean (f - y)² by its
// own definition, is W = √c [w_1 ... w_m]: gradient descent with lr is that on W with c·lr, specgd
// with √c·lr.
func TestTwoLayerNetwork(t *testing.T) {
	for _, optimizer := range []Optimizer{GD, SpecGD} {
		for _, scale := range []float64{1, 1. / 3} {
			for negative := range 3 {
				t.Run(fmt.Sprint(optimizer, scale, negative), func(t *testing.T) {
					steps := 200
					if optimizer == SpecGD {
						steps = 40 // its round-off grows as the columns align
					}
					testNetwork(t, optimizer, scale, negative, steps)
				})
			}
		}
	}
}

func testNetwork(t *testing.T, optimizer Optimizer, scale float64, negative, steps int) {
	const d, m, n = 8, 3, 60
	p := Problem{Model: FiniteSample, Representation: Dense, Dimension: d, Width: m, NegativeUnits: negative,
		Steps: steps, Samples: n, LabelNoise: 0.1, Covariance: Covariance{Spectrum: []Run{{1, 2}, {4, 1}, {0.5, 5}}},
		Teacher: Teacher{Kind: Random, Norm2: 1}, Init: Gaussian, InitScale: 0.3, Seed: 6, Optimizer: optimizer,
		LearningRate: 0.004, LRWarm: 100}
	s := newTestDense(t, p)
	data := s.source.(*samples).drawn
	w := append([]float64(nil), s.w...)
	for i := range w {
		w[i] /= math.Sqrt(scale)
	}
	rate := p.LearningRate / scale
	if optimizer == SpecGD {
		rate = p.LearningRate / math.Sqrt(scale)
	}
	for k := range steps {
		u := networkGradient(w, data, scale, m, negative)
		if optimizer == SpecGD {
			u = polarFactor(u, d, m)
		}
		for i := range w {
			w[i] -= rate * u[i]
		}
		if err := s.step(k, p.LearningRate); err != nil {
			t.Fatal(err)
		}
	}
	for i := range w {
		if want := math.Sqrt(scale) * w[i]; math.Abs(s.w[i]-want) > 1e-12*simd.Scalar.Largest(s.w) {
			t.Errorf("W[%d] is %v, want %v", i, s.w[i], want)
		}
	}
}

// networkGradient is the derivative of ¼ mean (f - y)² by every w_ij.
func networkGradient(w []float64, data pairs, scale float64, m, negative int) []float64 {
	n, d := len(data.y), len(w)/m
	g := make([]float64, len(w))
	for i := range n {
		x, f := data.x[i*d:(i+1)*d], 0.0
		hidden, second := make([]float64, m), make([]float64, m)
		for j := range m {
			second[j] = scale
			if j >= m-negative {
				second[j] = -scale
			}
			for k, value := range x {
				hidden[j] += value * w[k*m+j]
			}
			f += second[j] * hidden[j] * hidden[j]
		}
		for j := range m {
			for k, value := range x {
				g[k*m+j] += (f - data.y[i]) * second[j] * hidden[j] * value / float64(n)
			}
		}
	}
	return g
}

func polarFactor(g []float64, d, m int) []float64 {
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(d, m, g), mat.SVDThin) {
		panic("no singular values")
	}
	var u, v, polar mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	polar.Mul(&u, v.T())
	return polar.RawMatrix().Data
}

// Subspace runs follow dense ones whatever the signs in the second layer are.
func TestSubspaceFollowsDenseWithNegativeUnits(t *testing.T) {
	for _, init := range []Init{Gaussian, Sphere, Orthonormal} {
		// muon only before the columns align, from where on it spreads round-off
		for optimizer, steps := range map[Optimizer]int{GD: 100, MomentumGD: 100, Muon: 20} {
			p := Problem{Representation: Dense, Dimension: 40, Width: 4, NegativeUnits: 2, Steps: steps, Init: init,
				InitScale: 0.2, Seed: 3, Teacher: Teacher{Kind: Uniform, Norm2: 1},
				Covariance: Covariance{Spectrum: []Run{{1, 1}, {4, 1}, {1, 38}}}, Optimizer: optimizer,
				LearningRate: 0.005, LRWarm: 100, Momentum: 0.9, NSSteps: 5}
			q := p
			q.Representation = Subspace
			results := make([]Result, 2)
			if err := New().Solve(t.Context(), []Problem{p, q}, results); err != nil {
				t.Fatal(err)
			}
			a, b := results[0].Final, results[1].Final
			signal, mse := a.SignalAlignment-b.SignalAlignment, a.ParameterMSE-b.ParameterMSE
			if results[1].Status != OK || math.Abs(a.Loss-b.Loss) > 1e-11*a.Loss || math.Abs(signal) > 1e-11 ||
				math.Abs(mse) > 1e-11 {
				t.Errorf("init %v, %v: %+v and %+v", init, optimizer, results[0], results[1])
			}
		}
	}
}

// parameter_mse is the minimum over O = diag(O₊, O₋), here over rotations and reflections of a pair
// of units for each sign.
func TestParameterMSEWithNegativeUnitsIsTheMinimum(t *testing.T) {
	p := Problem{Representation: Dense, Dimension: 6, Width: 4, NegativeUnits: 2, Init: Gaussian, InitScale: 0.8,
		Seed: 2, Teacher: Teacher{Kind: Random, Norm2: 1.7}, Covariance: Covariance{Spectrum: []Run{{1, 6}}}}
	s := newTestDense(t, p)
	s.observe()
	least := math.Inf(1)
	for i := range 20_000 {
		angle := 2 * math.Pi * float64(i) / 20_000
		sum := 0.0
		for row, theta := range s.frame.theta {
			w := s.w[4*row : 4*row+4]
			x, y := w[0]*math.Cos(angle)+w[1]*math.Sin(angle), w[1]*math.Cos(angle)-w[0]*math.Sin(angle)
			sum += (x-theta)*(x-theta) + y*y + w[2]*w[2] + w[3]*w[3]
		}
		least = min(least, sum/6)
	}
	if got := s.parameterMSE(0); math.Abs(got-least) > 1e-6 || got > least+1e-14 {
		t.Errorf("%v, minimum over angles %v", got, least)
	}
}

func TestNegativeUnitsAreRefusedWhereTheyAreNotExact(t *testing.T) {
	for name, p := range map[string]Problem{
		"reduced":       {Representation: Reduced, Width: 6, NegativeUnits: 1},
		"identity":      {Representation: Subspace, Width: 6, NegativeUnits: 1},
		"all negative":  {Representation: Dense, Width: 6, NegativeUnits: 6},
		"below nothing": {Representation: Dense, Width: 6, NegativeUnits: -1},
	} {
		p.Dimension, p.InitScale, p.Teacher = 6, 0.1, Teacher{Norm2: 1}
		p.Covariance = Covariance{Spectrum: []Run{{1, 6}}}
		if check(&p) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
