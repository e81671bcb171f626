package solver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"
)

// Comparison is a benchmark of a part of the solver against a baseline that computes the same.
// It is not safe for concurrent use.
type Comparison struct {
	Name     string
	Baseline string // what Theirs is
	// Unit of Work: what one call of Ours does, and TheirWork one call of Theirs.
	Unit            string
	Work, TheirWork float64
	// Reset, where there is one, comes before every call and is not part of what is measured.
	Reset        func() error
	Ours, Theirs func(context.Context) error
}

// Units of a Comparison's work.
const (
	PointSteps = "point-step"
	Steps      = "step"
	Flops      = "flop"
	factors    = "factor"
)

// Comparisons yields the solver's comparisons, the large ones last. With short the problems are
// small, for tests that run them.
func Comparisons(short bool) iter.Seq2[Comparison, error] {
	sizes := func(all ...int) []int {
		if short {
			return []int{16}
		}
		return all
	}
	return func(yield func(Comparison, error) bool) {
		for _, groups := range []int{3, 100} {
			for _, rule := range comparedRules {
				if c, err := compareLanes(rule, groups, short); !yield(c, err) {
					return
				}
			}
		}
		for _, n := range sizes(64, 128, 256, 512, 1024) {
			if !yield(compareProduct(n), nil) {
				return
			}
		}
		for _, rule := range comparedRules[:2] {
			if c, err := compareSubspace(rule, sizes(1_000_000)[0]); !yield(c, err) {
				return
			}
		}
		for _, n := range sizes(128, 256, 512) {
			if !yield(compareDense(n), nil) {
				return
			}
		}
		for _, n := range sizes(128, 256, 512, 1024) {
			if !yield(comparePolar(n), nil) {
				return
			}
		}
	}
}

// comparedRule is an optimizer with usual settings.
type comparedRule struct {
	name string
	set  func(*Problem)
}

var comparedRules = []comparedRule{
	{"gd", func(p *Problem) { p.Optimizer = GD }},
	{"specgd", func(p *Problem) { p.Optimizer = SpecGD }},
	{"muon", func(p *Problem) { p.Optimizer, p.Momentum, p.Nesterov, p.NSSteps = Muon, 0.95, true, 5 }},
	{"muon polar express", func(p *Problem) {
		p.Optimizer, p.Momentum, p.NSSteps, p.Orthogonalizer = Muon, 0.95, 5, PolarExpress
	}},
	{"momentum", func(p *Problem) { p.Optimizer, p.Momentum = MomentumGD, 0.9 }},
	{"ngd", func(p *Problem) { p.Optimizer = NGD }},
	{"power", func(p *Problem) { p.Optimizer, p.Power, p.NormalizePower = Power, 0.5, true }},
	{"signgd", func(p *Problem) { p.Optimizer = SignGD }},
	{"signum", func(p *Problem) { p.Optimizer, p.Momentum = Signum, 0.9 }},
	{"adam", func(p *Problem) { p.Optimizer, p.Beta1, p.Beta2, p.Epsilon = Adam, 0.9, 0.999, 1e-8 }},
	{"shampoo", func(p *Problem) { p.Optimizer, p.Epsilon = Shampoo, 1e-6 }},
}

// spikedProblem is the problem of the paper's figures: signal, spike and bulk.
func spikedProblem(d int, anisotropy float64) Problem {
	return Problem{
		Dimension: d, Width: d, Teacher: Teacher{Norm2: 1}, LRWarm: 100,
		Covariance: Covariance{Spectrum: []Run{{1, 1}, {1 + anisotropy, 1}, {1, d - 2}}},
	}
}

// compareLanes is a batch of reduced points with every per-step metric, against the scalar twin.
// With three coefficients they are as long as those of gd in the phase diagram that comes with
// phasegrid.
func compareLanes(rule comparedRule, groups int, short bool) (Comparison, error) {
	points, steps, name := 128, 8000, rule.name+", 3 coefficients"
	if groups > 3 {
		points, steps, name = 32, 1000, fmt.Sprintf("%s, power law of %d groups", rule.name, groups)
	}
	if short {
		points, steps = 5, 20
	}
	problems := make([]Problem, points)
	for i := range problems {
		anisotropy := 0.5 + 32*float64(i)/float64(points)
		p := spikedProblem(100, anisotropy)
		p.InitScale, p.Steps, p.LearningRate = 0.00123, steps, 4.14/float64(steps)
		if rule.name == "gd" {
			p.LearningRate = 0.5 / max(3, 1+anisotropy)
		}
		if groups > 3 {
			p.Covariance.Spectrum = decaying(groups, 0.5+float64(i)/float64(points))
			p.LearningRate /= 200
		}
		rule.set(&p)
		problems[i] = p
	}
	ours, theirs := New(), newKernel(simd.Scalar)
	results := make([]Result, points)
	if err := ours.Solve(context.Background(), problems, results); err != nil {
		return Comparison{}, err
	}
	c := Comparison{Name: name, Baseline: "scalar twin", Unit: PointSteps}
	for i := range results {
		if results[i].Status == Failed {
			return Comparison{}, fmt.Errorf("%s: %s", name, results[i].Detail)
		}
		c.Work += float64(results[i].StepsRun)
	}
	c.TheirWork = c.Work
	c.Ours = func(ctx context.Context) error { return ours.Solve(ctx, problems, results) }
	c.Theirs = func(ctx context.Context) error { return theirs.Solve(ctx, problems, results) }
	return c, nil
}

// ManyGroups returns what solves one reduced point with so many distinct eigenvalues, and all that
// is observed at every step, for a stopwatch.
func ManyGroups(optimizer string, groups, steps int) (solve func(context.Context) error, err error) {
	for _, rule := range comparedRules {
		if rule.name != optimizer {
			continue
		}
		p := spikedProblem(groups, 0)
		p.Covariance.Spectrum = decaying(groups, 1)
		p.InitScale, p.Steps, p.LearningRate = 0.001, steps, 1e-4/float64(groups)
		rule.set(&p)
		s, problems, results := New(), []Problem{p}, make([]Result, 1)
		return func(ctx context.Context) error { return s.Solve(ctx, problems, results) }, nil
	}
	return nil, fmt.Errorf("optimizer %q is not compared", optimizer)
}

// decaying is a power law of d eigenvalues with trace d.
func decaying(d int, exponent float64) []Run {
	runs, trace := make([]Run, d), 0.0
	for i := range runs {
		runs[i] = Run{math.Pow(float64(i+1), -exponent), 1}
		trace += runs[i].Value
	}
	for i := range runs {
		runs[i].Value *= float64(d) / trace
	}
	return runs
}

// gaussianMatrix is n x n, the same at every call.
func gaussianMatrix(n int, seed uint64) []float64 {
	g := make([]float64, n*n)
	newRandom(seed, newWorkspace(simd.Best())).Fill(g)
	return g
}

// compareProduct is C = A B, n x n, against gonum's Dgemm.
func compareProduct(n int) Comparison {
	a, b, c := gaussianMatrix(n, 1), gaussianMatrix(n, 2), make([]float64, n*n)
	ws, library := newWorkspace(simd.Best()), gonum.Implementation{}
	work := 2 * float64(n) * float64(n) * float64(n)
	return Comparison{
		Name: fmt.Sprintf("dgemm, n = %d", n), Baseline: "gonum dgemm", Unit: Flops, Work: work, TheirWork: work,
		Ours: func(context.Context) error { ws.multiply(c, a, b, n, n, n); return nil },
		Theirs: func(context.Context) error {
			library.Dgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
			return nil
		},
	}
}

// comparePolar is the polar factor of an n x n Gaussian matrix, against U Vᵀ of gonum's SVD.
func comparePolar(n int) Comparison {
	g, p := gaussianMatrix(n, 3), make([]float64, n*n)
	algebra := newMatrices(n, n, &Problem{Dimension: n, Width: n}, newWorkspace(simd.Best()))
	return Comparison{
		Name: fmt.Sprintf("polar factor, n = %d", n), Baseline: "gonum SVD", Unit: factors, Work: 1, TheirWork: 1,
		Ours:   func(context.Context) error { _, err := algebra.polar(p, g); return err },
		Theirs: func(context.Context) error { return polarBySVD(mat.NewDense(n, n, p), mat.NewDense(n, n, g)) },
	}
}

func polarBySVD(p, g *mat.Dense) error {
	var svd mat.SVD
	if !svd.Factorize(g, mat.SVDThin) {
		return errSVD
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	p.Mul(&u, v.T())
	return nil
}

const (
	denseSteps    = 20
	subspaceSteps = 500
)

// denseProblem is dense specgd at d = m, λ = 10, from a gaussian start.
func denseProblem(d int) Problem {
	p := spikedProblem(d, 10)
	p.Representation, p.Optimizer, p.Init, p.InitScale = Dense, SpecGD, Gaussian, 0.05
	p.LearningRate, p.Steps, p.Seed = 0.02/math.Sqrt(float64(d)), denseSteps, 1
	return p
}

// compareDense is steps 0 to 20 of denseProblem, against the same formulas with gonum's products
// and SVD.
func compareDense(d int) Comparison {
	p, ws := denseProblem(d), newWorkspace(simd.Best())
	var ours dynamics
	var theirs *plainSpecGD
	return Comparison{
		Name: fmt.Sprintf(
			"dense specgd, d = m = %d",
			d,
		), Baseline: "gonum products and SVD", Unit: Steps, Work: denseSteps, TheirWork: 1,
		Reset: func() (err error) {
			ws.reset()
			theirs = newPlainSpecGD(&p)
			ours, err = newDynamics(&p, ws)
			return err
		},
		Ours:   func(ctx context.Context) error { return advance(ctx, ours, &p, denseSteps) },
		Theirs: func(context.Context) error { return theirs.step(p.LearningRate) },
	}
}

// DenseSteps returns what takes one step of denseProblem after the other, for a stopwatch.
func DenseSteps(d int) (step func() error, err error) {
	p := denseProblem(d)
	system, err := newDynamics(&p, newWorkspace(simd.Best()))
	return func() error { return advance(context.Background(), system, &p, 1) }, err
}

// advance observes and steps, as integrate does.
func advance(ctx context.Context, system dynamics, p *Problem, steps int) error {
	for k := range steps {
		if _, bounded := system.observe(); !bounded {
			return errors.New("the measured run diverged")
		}
		if err := system.step(k, p.LearningRate); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// plainSpecGD is dense specgd with a diagonal Q and the teacher e_0, as one would write it with a
// library.
type plainSpecGD struct {
	q                  []float64
	w, qw, m, g, polar *mat.Dense
}

func newPlainSpecGD(p *Problem) *plainSpecGD {
	d := p.Dimension
	zero := func() *mat.Dense { return mat.NewDense(d, d, nil) }
	s := &plainSpecGD{
		q:     expand(p.Covariance.Spectrum, make([]float64, d)),
		qw:    zero(),
		m:     zero(),
		g:     zero(),
		polar: zero(),
	}
	w := gaussianMatrix(d, 1)
	blas64.Scal(p.InitScale/math.Sqrt(float64(d)), blas64.Vector{N: len(w), Data: w, Inc: 1})
	s.w = mat.NewDense(d, d, w)
	return s
}

// step is W <- W - rate UVᵀ of G = Q (2 W M - 2 e_0 (QW)_0 + t W) with M = WᵀQW and t = tr M - q_0.
func (s *plainSpecGD) step(rate float64) error {
	for i, q := range s.q {
		blas64.Copy(s.w.RowView(i).(*mat.VecDense).RawVector(), s.qw.RowView(i).(*mat.VecDense).RawVector())
		blas64.Scal(q, s.qw.RowView(i).(*mat.VecDense).RawVector())
	}
	s.m.Mul(s.w.T(), s.qw)
	trace := mat.Trace(s.m) - s.q[0]
	s.g.Mul(s.qw, s.m)
	s.g.Scale(2, s.g)
	for i, q := range s.q {
		row := s.g.RowView(i).(*mat.VecDense)
		row.AddScaledVec(row, trace, s.qw.RowView(i))
		if i == 0 {
			row.AddScaledVec(row, -2*q, s.qw.RowView(0))
		}
	}
	if err := polarBySVD(s.polar, s.g); err != nil {
		return err
	}
	s.polar.Scale(rate, s.polar)
	s.w.Sub(s.w, s.polar)
	return nil
}

// compareSubspace is a population step at m = 8 in d dimensions, against one in 100.
func compareSubspace(rule comparedRule, d int) (Comparison, error) {
	c := Comparison{
		Name:      fmt.Sprintf("subspace %s, m = 8, d = %d", rule.name, d),
		Baseline:  "d = 100",
		Unit:      Steps,
		Work:      subspaceSteps,
		TheirWork: subspaceSteps,
	}
	run := func(d int) (func(context.Context) error, error) {
		p := spikedProblem(d, 10)
		p.Representation, p.Init, p.InitScale, p.Width, p.Seed = Subspace, Gaussian, 0.5/math.Sqrt(float64(d)), 8, 1
		p.LearningRate = 2e-5 // far from stationarity for as long as it is measured
		rule.set(&p)
		system, err := newDynamics(&p, newWorkspace(simd.Best()))
		return func(ctx context.Context) error { return advance(ctx, system, &p, subspaceSteps) }, err
	}
	var err error
	if c.Theirs, err = run(100); err != nil {
		return c, err
	}
	c.Ours, err = run(d)
	return c, err
}
