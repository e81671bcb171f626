package solver

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// explicit evaluates the definitions of the metrics of W, Q and θ as they are written.
func explicit(w, q *mat.Dense, theta []float64, dimension int) Metrics {
	d, m := w.Dims()
	t := mat.NewDense(d, m, nil) // [θ, 0, ..., 0]
	for i, x := range theta {
		t.Set(i, 0, x)
	}
	var qw, wqw, overlap mat.Dense
	qw.Mul(q, w)
	wqw.Mul(w.T(), &qw)
	overlap.Mul(qw.T(), t)

	// The O that minimises ‖WO - T‖_F is U Vᵀ of WᵀT = U S Vᵀ.
	var cross, u, v, o, residual mat.Dense
	cross.Mul(w.T(), t)
	var svd mat.SVD
	svd.Factorize(&cross, mat.SVDFull)
	svd.UTo(&u)
	svd.VTo(&v)
	o.Mul(&u, v.T())
	residual.Mul(w, &o)
	residual.Sub(&residual, t)

	// G = (2QAQ + tr(AQ) Q) W.
	var a, tt, aq, qaq, g mat.Dense
	a.Mul(w, w.T())
	tt.Mul(t, t.T())
	a.Sub(&a, &tt)
	aq.Mul(&a, q)
	qaq.Mul(q, &aq)
	qaq.Scale(2, &qaq)
	var tq mat.Dense
	tq.Scale(mat.Trace(&aq), q)
	qaq.Add(&qaq, &tq)
	g.Mul(&qaq, w)
	svd.Factorize(&g, mat.SVDNone)
	nuclear, square := 0.0, 0.0
	for _, s := range svd.Values(nil) {
		nuclear += s
		square += s * s
	}
	return Metrics{
		TeacherCovarianceOverlap: mat.Norm(&overlap, 2),
		WeightCovarianceNorm2:    mat.Trace(&wqw),
		ParameterMSE:             math.Pow(mat.Norm(&residual, 2), 2) / float64(dimension),
		GradientNuclearRank:      nuclear * nuclear / square,
	}
}

// whole is the iterate with Q and θ in all d directions, the ones beside a frame included.
func (s *matrix) whole() (w, q *mat.Dense, theta []float64) {
	d := s.n + int(s.rest)
	m := s.m + int(s.rest)
	w, q, theta = mat.NewDense(d, m, nil), mat.NewDense(d, d, nil), make([]float64, d)
	for i := range s.n {
		for j := range s.m {
			w.Set(i, j, s.w[i*s.m+j])
		}
	}
	unit, column := make([]float64, s.n), make([]float64, s.n)
	for j := range s.n {
		clear(unit)
		unit[j] = 1
		s.frame.q.apply(column, unit, 1)
		for i, x := range column {
			q.Set(i, j, x)
		}
	}
	for i := s.n; i < d; i++ {
		w.Set(i, i, s.w[s.n*s.m])
		q.Set(i, i, s.frame.bulk)
	}
	copy(theta, s.frame.theta)
	return w, q, theta
}

func matrixOf(t *testing.T, system dynamics) *matrix {
	t.Helper()
	switch s := system.(type) {
	case *matrix:
		return s
	case *subspaceOnline:
		return s.matrix
	}
	t.Fatalf("no matrix in %T", system)
	return nil
}

// The metrics of a run agree with their definitions, evaluated on explicit matrices, in every
// representation with a matrix.
func TestMetricsAgreeWithTheirDefinitions(t *testing.T) {
	base := Problem{
		Representation: Dense, Dimension: 30, Width: 4, Steps: 40, Seed: 3, Init: Gaussian, InitScale: 0.3,
		Covariance:   Covariance{Spectrum: []Run{{1, 1}, {4, 2}, {0.5, 27}}},
		Teacher:      Teacher{Norm2: 1.7},
		LearningRate: 0.01, LRWarm: 100, Momentum: 0.9,
	}
	identity := func(p *Problem) { p.Init, p.Width = Identity, p.Dimension }
	for name, set := range map[string]func(p *Problem){
		"dense":           func(*Problem) {},
		"wide":            func(p *Problem) { p.Width = 33 },
		"one column":      func(p *Problem) { p.Width = 1 },
		"uniform teacher": func(p *Problem) { p.Teacher.Kind = Uniform },
		"rotated":         func(p *Problem) { p.Covariance.Rotate = true },
		"ar1": func(p *Problem) {
			p.Covariance = Covariance{AR1: true, Rho: 0.6}
			p.Teacher.Kind = Uniform
		},
		"identity":    identity,
		"samples":     func(p *Problem) { p.Model, p.Samples = FiniteSample, 50 },
		"one sample":  func(p *Problem) { p.Model, p.Samples, p.LearningRate = Online, 1, 0.001 },
		"subspace":    func(p *Problem) { p.Representation, p.Teacher.Kind = Subspace, Uniform },
		"many inputs": func(p *Problem) { p.Representation, p.Model, p.Samples = Subspace, Online, 8 },
		"bulk beside": func(p *Problem) { p.Representation, p.Teacher.Kind = Subspace, Uniform; identity(p) },
	} {
		for _, o := range []Optimizer{GD, SpecGD, MomentumGD} {
			t.Run(fmt.Sprintf("%s/%v", name, o), func(t *testing.T) {
				p := base
				p.Optimizer = o
				set(&p)
				system, err := newDynamics(&p, newWorkspace(simd.Best()))
				if err != nil {
					t.Fatal(err)
				}
				for k := range p.Steps {
					if _, bounded := system.observe(); !bounded {
						t.Fatalf("diverged at step %d", k)
					}
					if k%5 == 0 {
						w, q, theta := matrixOf(t, system).whole()
						compareMetrics(t, k, system.metrics(), explicit(w, q, theta, p.Dimension))
					}
					if err := system.step(k, p.LearningRate); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

func compareMetrics(t *testing.T, k int, got, want Metrics) {
	t.Helper()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"teacher_covariance_overlap", got.TeacherCovarianceOverlap, want.TeacherCovarianceOverlap},
		{"weight_covariance_norm2", got.WeightCovarianceNorm2, want.WeightCovarianceNorm2},
		{"parameter_mse", got.ParameterMSE, want.ParameterMSE},
		{"gradient_nuclear_rank", got.GradientNuclearRank, want.GradientNuclearRank},
	} {
		if !(math.Abs(c.got-c.want) <= 1e-10*math.Abs(c.want)) {
			t.Errorf("step %d: %s is %v, want %v", k, c.name, c.got, c.want)
		}
	}
}

// Recording metrics does not change a run: they share memory with its steps.
func TestMetricsLeaveTheRunAlone(t *testing.T) {
	for i := range table {
		o := Optimizer(i)
		for _, model := range []Model{Population, FiniteSample} {
			p := selfCheckProblem(o, 14)
			p.Representation, p.Model, p.Samples, p.Steps = Dense, model, 20, 12
			quiet := p
			for k := range p.Steps + 1 {
				p.Record = append(p.Record, k)
			}
			results := make([]Result, 2)
			if err := New().Solve(t.Context(), []Problem{p, quiet}, results); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(results[0].Final) != fmt.Sprint(results[1].Final) {
				t.Errorf("%v: %+v when recorded, else %+v", o, results[0].Final, results[1].Final)
			}
		}
	}
}

// Reduced runs have the metrics of the dense ones, wherever the gradient is more than round-off.
func TestReducedMetricsAgreeWithDense(t *testing.T) {
	for i := range table {
		o := Optimizer(i)
		for _, groups := range []int{3, 9} {
			p := selfCheckProblem(o, groups)
			p.Steps, p.LearningRate = 25, 0.01
			for k := range p.Steps + 1 {
				p.Record = append(p.Record, k)
			}
			dense := p
			dense.Representation = Dense
			results := make([]Result, 2)
			if err := New().Solve(t.Context(), []Problem{p, dense}, results); err != nil {
				t.Fatal(err)
			}
			for k := range p.Record {
				compareMetrics(t, k, results[0].Trajectory[k].Metrics, results[1].Trajectory[k].Metrics)
			}
		}
	}
}

// The nuclear rank is null exactly where G = 0.
func TestNuclearRankOfNoGradient(t *testing.T) {
	p := Problem{
		Dimension: 3, Width: 3, Steps: 0, InitScale: 1, Optimizer: GD, LearningRate: 0.1,
		Teacher:    Teacher{Norm2: 1}, // W = I: A = 0 along θ, and Q is 0 elsewhere
		Covariance: Covariance{Spectrum: []Run{{1, 1}, {0, 2}}},
	}
	for _, representation := range []Representation{Reduced, Dense} {
		p.Representation = representation
		results := make([]Result, 1)
		if err := New().Solve(t.Context(), []Problem{p}, results); err != nil {
			t.Fatal(err)
		}
		if r := results[0]; r.Status != OK || !math.IsNaN(r.Final.GradientNuclearRank) {
			t.Errorf("representation %d: %v %q, %v", representation, r.Status, r.Detail, r.Final.GradientNuclearRank)
		}
	}
}
