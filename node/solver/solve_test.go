package solver_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// sound asserts what holds of every result.
func sound(t *testing.T, p solver.Problem, r solver.Result) {
	t.Helper()
	bad := func(what string, x any) { t.Errorf("%s = %v of %+v: %+v", what, x, p, r) }
	fin := func(what string, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			bad(what, x)
		}
	}
	metrics := func(m solver.Metrics) {
		for _, x := range []float64{m.Loss, m.SignalAlignment, m.SpikeAlignment, m.BulkAlignment,
			m.SignalEnergy, m.WeightNorm2,
			m.TopEigenvectorOverlap, m.StableRank, m.TeacherCovarianceOverlap, m.WeightCovarianceNorm2,
			m.ParameterMSE, m.GradientNuclearRank} {
			if math.IsInf(x, 0) {
				bad("metric", x)
			}
		}
		if m.WeightNorm2 > 1e-200 && m.WeightNorm2 < 1e15 {
			fin("signal alignment", m.SignalAlignment)
			fin("stable rank", m.StableRank)
		}
	}
	metrics(r.Final)
	for i, s := range r.Trajectory {
		metrics(s.Metrics)
		if i >= len(p.Record) || s.Step != p.Record[i] {
			bad("recorded step", s.Step)
		}
		for _, w := range s.Coefficients {
			fin("coefficient", w)
		}
	}
	fin("peak spike", r.PeakSpike)
	fin("tail signal", r.TailSignal)
	fin("tail loss", r.TailLoss)
	switch r.Status {
	case solver.OK:
		if r.StepsRun != p.Steps || r.DivergedStep != -1 || len(r.Trajectory) != len(p.Record) {
			bad("steps run", r.StepsRun)
		}
		final := reflect.ValueOf(r.Final)
		for i := range final.NumField() {
			if name := final.Type().Field(i).Name; name != "GradientNuclearRank" {
				fin("final "+name, final.Field(i).Float())
			}
		}
		if !r.TailOK {
			bad("tail", r.TailSignal)
		}
	case solver.Diverged:
		if r.StepsRun != r.DivergedStep || r.TailOK || r.DivergedStep < 0 {
			bad("diverged step", r.DivergedStep)
		}
		if n := len(r.Trajectory); n > 0 && r.Trajectory[n-1].Step >= r.DivergedStep {
			bad("last recorded step", r.Trajectory[n-1].Step)
		}
	case solver.Failed:
		if r.Detail == "" || strings.Contains(r.Detail, "\n") {
			bad("detail", r.Detail)
		}
	}
}

// Anything goes in, a sound result comes out.
func TestWildProblems(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(x ...float64) float64 { return x[rng.IntN(len(x))] }
	all := optimizers()
	s := solver.New()
	statuses := map[solver.Status]int{}
	for range 3000 {
		d := 1 + rng.IntN(9)
		p := solver.Problem{Model: solver.Model(rng.IntN(4)), Representation: solver.Representation(rng.IntN(3)),
			Dimension: d, Width: d, Steps: rng.IntN(30), Samples: 1 + rng.IntN(6), LabelNoise: pick(0, 0, 0.1, 1e200),
			Init: solver.Init(rng.IntN(4)), InitScale: pick(1e-300, 1e-8, 0.01, 0.1, 1, 1, 1e7, 1e300, 0),
			Seed: rng.Uint64(),
			Teacher: solver.Teacher{
				Kind:  solver.TeacherKind(rng.IntN(4)),
				Index: rng.IntN(d),
				Norm2: pick(1, 1e-200, 1e200),
			},
			LearningRate: pick(1e-300, 1e-3, 0.1, 1, 1e10, 1e300), LRWarm: 100, Schedule: solver.Schedule(rng.IntN(4)),
			WeightDecay: pick(0, 0, 0.1, 1e10)}
		if rng.IntN(2) == 0 {
			p.Width = 1 + rng.IntN(12)
		}
		p.Batch, p.Inputs = 1+rng.IntN(p.Samples), solver.InputLaw(rng.IntN(4))
		p.NegativeUnits = rng.IntN(2) * rng.IntN(p.Width)
		p.Teacher.Weights = []solver.IndexWeight{
			{Index: rng.IntN(d), Weight: 1},
			{Index: rng.IntN(d), Weight: pick(-1, 0.5)},
		}
		p.Covariance.AR1, p.Covariance.Rho = rng.IntN(4) == 0, pick(0, 0.5, -0.9, 0.999999)
		p.Covariance.Rotate = rng.IntN(3) == 0
		for range d {
			p.Covariance.Spectrum = append(
				p.Covariance.Spectrum,
				solver.Run{Value: pick(0, 1, 1, 3, 1e-300, 1e150), Count: 1},
			)
		}
		for k := 0; k < p.Steps; k += 1 + rng.IntN(10) {
			p.Record = append(p.Record, k)
		}
		p.Record = append(p.Record, p.Steps)
		all[rng.IntN(len(all))].set(&p)
		results := make([]solver.Result, 1)
		if err := s.Solve(context.Background(), []solver.Problem{p}, results); err != nil {
			t.Fatal(err)
		}
		statuses[results[0].Status]++
		sound(t, p, results[0])
		if t.Failed() {
			return
		}
	}
	for _, status := range []solver.Status{solver.OK, solver.Diverged, solver.Failed} {
		if statuses[status] < 100 {
			t.Errorf("only %d results of status %d", statuses[status], status)
		}
	}
}

func TestZeroGradientAndDegenerateSizes(t *testing.T) {
	for _, o := range optimizers() {
		for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
			p := base()
			o.set(&p)
			p.Representation = representation
			p.Dimension, p.Width, p.InitScale, p.Steps, p.Record = 1, 1, 1, 5, []int{0, 5} // W = θ is the optimum
			p.Covariance.Spectrum = []solver.Run{{Value: 2, Count: 1}}
			r := solve(t, p)[0]
			sound(t, p, r)
			if r.Status != solver.OK || r.Final.Loss != 0 || r.Final.SignalAlignment != 1 || r.StepsTo99 != 0 ||
				r.EscapeStep != 0 {
				t.Errorf("%s, representation %d: %+v", o.name, representation, r)
			}
		}
	}
}

func TestDivergence(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		p := base()
		p.Representation, p.LearningRate, p.Steps = representation, 0.9, 40
		r := solve(t, p)[0]
		sound(t, p, r)
		if r.Status != solver.Diverged {
			t.Fatalf("%+v", r)
		}
		p.Steps, p.Record = r.DivergedStep-1, nil
		last := solve(t, p)[0]
		if last.Status != solver.OK || last.Final != r.Final {
			t.Errorf("final metrics %+v, those of the iterate before the divergence are %+v", r.Final, last.Final)
		}
		p.InitScale, p.Steps = 2e6, 10
		r = solve(t, p)[0]
		if r.Status != solver.Diverged || r.DivergedStep != 0 || r.StepsRun != 0 || r.PeakSpikeStep != -1 {
			t.Errorf("a start beyond the bound: %+v", r)
		}
	}
}

func TestImpossibleProblemsFailWithADetail(t *testing.T) {
	for name, spoil := range map[string]func(p *solver.Problem){
		"width":           func(p *solver.Problem) { p.Width = 3 },
		"dimension":       func(p *solver.Problem) { p.Dimension = 0 },
		"counts":          func(p *solver.Problem) { p.Covariance.Spectrum = p.Covariance.Spectrum[:1] },
		"teacher index":   func(p *solver.Problem) { p.Teacher.Index = 16 },
		"teacher norm":    func(p *solver.Problem) { p.Teacher.Norm2 = 0 },
		"reduced uniform": func(p *solver.Problem) { p.Teacher.Kind = solver.Uniform },
		"reduced online":  func(p *solver.Problem) { p.Model, p.Samples = solver.Online, 3 },
		"reduced ar1":     func(p *solver.Problem) { p.Covariance.AR1 = true },
		"rotated adam":    func(p *solver.Problem) { p.Covariance.Rotate, p.Optimizer = true, solver.Adam },
		"rho":             func(p *solver.Problem) { p.Covariance.AR1, p.Covariance.Rho = true, 1 },
		"optimizer":       func(p *solver.Problem) { p.Optimizer = 99 },
		"representation":  func(p *solver.Problem) { p.Representation = 99 },
		"samples": func(p *solver.Problem) {
			p.Representation, p.Model, p.Samples = solver.Dense, solver.FiniteSample, 0
		},
		"singular": func(p *solver.Problem) {
			p.Representation, p.Model, p.Samples = solver.Dense, solver.Online, 4
			p.Covariance.Spectrum = []solver.Run{{Value: 0, Count: 8}, {Value: 1, Count: 8}}
			p.Covariance.Rotate = true
		},
	} {
		p := base()
		spoil(&p)
		if r := solve(t, p)[0]; r.Status != solver.Failed || r.Detail == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// cancelled is a context that is cancelled at its n-th look.
type cancelled struct {
	context.Context
	looks int
}

func (c *cancelled) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancellationWithinOnePoint(t *testing.T) {
	for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
		p := base()
		p.Representation, p.Steps, p.Record = representation, math.MaxInt/2, nil // would take for ever
		ctx := &cancelled{context.Background(), 10}
		if err := solver.New().Solve(ctx, []solver.Problem{p}, make([]solver.Result, 1)); !errors.Is(
			err,
			context.Canceled,
		) {
			t.Errorf("representation %d: %v", representation, err)
		}
	}
}

// What a point allocates does not depend on its steps.
func TestStepsDoNotAllocate(t *testing.T) {
	for _, o := range optimizers() {
		for _, representation := range []solver.Representation{solver.Reduced, solver.Dense} {
			for _, model := range []solver.Model{solver.Population, solver.FiniteSample, solver.Online} {
				if model != solver.Population && representation == solver.Reduced {
					continue
				}
				s, results := solver.New(), make([]solver.Result, 1)
				allocations := func(steps int) float64 {
					p := base()
					o.set(&p)
					p.Representation, p.Model, p.Samples, p.Steps, p.Record = representation, model, 20, steps, nil
					return testing.AllocsPerRun(3, func() {
						if err := s.Solve(context.Background(), []solver.Problem{p}, results); err != nil {
							t.Fatal(err)
						}
					})
				}
				// One allocation a step would add 40. A few more are matrices whose pool the
				// collector or the race detector has emptied.
				if few, many := allocations(2), allocations(42); many >= few+20 {
					t.Errorf(
						"%s, representation %d, model %d: %v allocations for 2 steps, %v for 42",
						o.name,
						representation,
						model,
						few,
						many,
					)
				}
			}
		}
	}
}

func TestSharedRandomNumbers(t *testing.T) {
	p := base()
	p.Representation, p.Init, p.Width, p.InitScale = solver.Dense, solver.Gaussian, 5, 0.1
	p.Model, p.Samples = solver.Online, 30
	p.LabelNoise = 0.1
	q, other := p, p
	q.Optimizer = solver.SpecGD
	other.Seed++
	r := solve(t, p, q, other)
	if r[0].Trajectory[0].Metrics != r[1].Trajectory[0].Metrics {
		t.Error("points of one seed begin differently")
	}
	if r[0].Trajectory[0].Metrics == r[2].Trajectory[0].Metrics {
		t.Error("another seed begins alike")
	}
}
