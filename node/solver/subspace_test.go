package solver_test

import (
	"math"
	"os"
	"sort"
	"strconv"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// narrow is a problem that a subspace can hold: few columns, one large isotropic block.
func narrow() solver.Problem {
	p := base()
	p.Dimension, p.Width, p.Init, p.InitScale, p.Seed = 60, 4, solver.Gaussian, 0.05, 11
	p.Covariance.Spectrum = spiked(60, 8)
	p.Steps, p.Record = 600, nil
	for k := 0; k <= p.Steps; k += 5 {
		p.Record = append(p.Record, k)
	}
	return p
}

// The tolerances are those to which the maps themselves are conditioned: a spectral map with a jump
// or a kink at 0 spreads the round-off of small singular values as soon as columns of W align. They
// hold for the plain problem; the others get a thousand times that.
func TestSubspaceFollowsDense(t *testing.T) {
	const always = 2
	type limit struct{ tolerance, below float64 } // while the signal alignment is below
	limits := map[string][]limit{
		"gd": {{1e-12, always}}, "momentum": {{1e-12, always}}, "nesterov": {{1e-12, always}},
		"muon": {{3e-12, 0.9}}, "power": {{1e-12, 0.9}}, "ngd": {{1e-12, 0.9}},
		"specgd": {
			{1e-12, 0.1},
			{1e-6, 0.3},
		}, "nucspec": {{1e-12, 0.1}, {1e-6, 0.3}}, "exact muon": {{1e-12, 0.1}, {1e-6, 0.3}},
	}
	for _, o := range optimizers() {
		for name, variant := range map[string]func(p *solver.Problem){
			"plain":        func(*solver.Problem) {},
			"weight decay": func(p *solver.Problem) { p.WeightDecay = 0.1 },
			"rotated":      func(p *solver.Problem) { p.Covariance.Rotate = true },
			"uniform":      func(p *solver.Problem) { p.Teacher.Kind = solver.Uniform },
			"orthonormal":  func(p *solver.Problem) { p.Init = solver.Orthonormal },
			"bulk above": func(p *solver.Problem) {
				p.Covariance.Spectrum = []solver.Run{
					{Value: 0.5, Count: 2}, {Value: 1.25, Count: 50}, {Value: 0.75, Count: 8},
				}
			},
		} {
			a := narrow()
			o.set(&a)
			switch o.name {
			case "gd", "momentum", "nesterov":
				a.LearningRate = 0.002
			}
			variant(&a)
			a.Representation = solver.Dense
			b := a
			b.Representation = solver.Subspace
			r := solve(t, a, b)
			slack := 1000.0
			if name == "plain" {
				slack = 1
			}
			switch {
			case !o.commute:
				if r[1].Status != solver.Failed || r[1].Detail == "" {
					t.Errorf("%s: %+v", o.name, r[1])
				}
			case o.name == "shampoo":
				for i := range r[0].Trajectory {
					if k := r[0].Trajectory[i].Step; k <= 10 &&
						math.Abs(r[0].Trajectory[i].SignalAlignment-r[1].Trajectory[i].SignalAlignment) > 1e-2 {
						t.Errorf(
							"shampoo, %s, step %d: signal %v and %v",
							name,
							k,
							r[0].Trajectory[i].SignalAlignment,
							r[1].Trajectory[i].SignalAlignment,
						)
					}
				}
			default:
				for _, l := range limits[o.name] {
					n := 0
					for n < len(r[0].Trajectory) && r[0].Trajectory[n].SignalAlignment < l.below {
						n++
					}
					if n == 0 {
						continue
					}
					x, y := r[0], r[1]
					x.Trajectory, y.Trajectory = x.Trajectory[:n], y.Trajectory[:n]
					if off := distance(t, x, y); off > l.tolerance*slack {
						t.Errorf(
							"%s, %s: relative distance %.2g while the signal is below %v",
							o.name,
							name,
							off,
							l.below,
						)
					}
				}
			}
		}
	}
}

// From αI with a teacher that is no eigenvector W = B C Bᵀ + c(I - BBᵀ).
func TestSubspaceFromTheIdentityFollowsDense(t *testing.T) {
	for _, o := range optimizers() {
		if !o.commute {
			continue
		}
		for name, variant := range map[string]func(p *solver.Problem){
			"uniform": func(p *solver.Problem) { p.Teacher.Kind = solver.Uniform },
			"mix": func(p *solver.Problem) {
				p.Teacher.Kind = solver.Mix
				p.Teacher.Weights = []solver.IndexWeight{{Index: 1, Weight: 1}, {Index: 7, Weight: 2}}
			},
			"bulk above": func(p *solver.Problem) {
				p.Teacher.Kind = solver.Mix
				p.Teacher.Weights = []solver.IndexWeight{{Index: 0, Weight: 3}, {Index: 7, Weight: 1}}
				p.Covariance.Spectrum = []solver.Run{{Value: 0.5, Count: 2}, {Value: 1.5, Count: 14}}
			},
			"rotated eigenvector": func(p *solver.Problem) { p.Covariance.Rotate = true },
		} {
			a := base()
			o.set(&a)
			variant(&a)
			a.Representation = solver.Dense
			b := a
			b.Representation = solver.Subspace
			assertClose(t, o.name+", "+name, a, b, 1e-9)
		}
	}
}

// No step depends on the dimension, so a million directions are no trouble.
func TestSubspaceOfAMillionDimensions(t *testing.T) {
	p := narrow()
	p.Representation, p.Dimension, p.Width, p.Covariance.Spectrum = solver.Subspace, 1_000_000, 2, spiked(1_000_000, 8)
	p.Steps, p.Record, p.LearningRate, p.InitScale = 800, nil, 0.02, 1e-4
	if r := solve(t, p)[0]; r.Status != solver.OK || r.Final.SignalAlignment+r.Final.SpikeAlignment < 0.5 {
		t.Errorf("%+v", r)
	}
	p.Init, p.Width, p.Teacher.Kind = solver.Identity, p.Dimension, solver.Uniform
	p.Optimizer, p.LearningRate = solver.SpecGD, 1e-5
	if r := solve(t, p)[0]; r.Status != solver.OK || math.Abs(r.PeakSpike-1e-6) > 1e-8 {
		t.Errorf("%+v", r)
	}
}

// kolmogorov is the p value of the two-sample Kolmogorov-Smirnov test (asymptotic, Stephens'
// correction).
func kolmogorov(x, y []float64) float64 {
	sort.Float64s(x)
	sort.Float64s(y)
	n, m := float64(len(x)), float64(len(y))
	gap, i, j := 0.0, 0, 0
	for i < len(x) && j < len(y) {
		if x[i] <= y[j] {
			i++
		} else {
			j++
		}
		gap = max(gap, math.Abs(float64(i)/n-float64(j)/m))
	}
	e := math.Sqrt(n * m / (n + m))
	l := (e + 0.12 + 0.11/e) * gap
	p := 0.0
	for k := 1.0; k <= 100; k++ {
		p += 2 * math.Pow(-1, k-1) * math.Exp(-2*k*k*l*l)
	}
	return min(1, max(0, p))
}

// The online subspace run follows the law of the dense one. PHASEGRID_LAW_SEEDS=4000 takes about a
// minute.
func TestSubspaceOnlineFollowsTheLaw(t *testing.T) {
	seeds := 300
	if s := os.Getenv("PHASEGRID_LAW_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	uniform := func(p *solver.Problem) { p.Teacher.Kind = solver.Uniform }
	rotated := func(p *solver.Problem) { p.Covariance.Rotate, p.Init = true, solver.Orthonormal }
	sphere := func(p *solver.Problem) { p.Init = solver.Sphere }
	negative := func(p *solver.Problem) { p.NegativeUnits = 1 }
	small := func(p *solver.Problem) { p.Samples, p.LabelNoise = 2, 0.3 }
	for _, c := range []struct {
		name string
		lr   float64
		set  func(p *solver.Problem)
	}{
		{"gd", 0.005, nil}, {"gd", 0.001, uniform}, {"gd", 0.003, small},
		{"ngd", 0.03, rotated}, {"specgd", 0.02, nil}, {"specgd", 0.02, small},
		{"momentum", 0.002, nil}, {"momentum", 0.002, uniform},
		{"muon", 0.01, nil}, {"muon", 0.01, small}, {"exact muon", 0.01, uniform},
		{"dynmuon", 0.01, nil},
		{"gd", 0.005, sphere}, {"gd", 0.005, negative}, {"muon", 0.01, negative},
	} {
		p := base()
		for _, o := range optimizers() {
			if o.name == c.name {
				o.set(&p)
			}
		}
		p.Model, p.Samples, p.Init, p.InitScale, p.LearningRate = solver.Online, 12, solver.Gaussian, 0.1, c.lr
		p.Dimension, p.Width, p.Covariance.Spectrum = 14, 3, spiked(14, 4)
		p.Steps, p.Record = 40, []int{2, 5, 10, 20, 40}
		if p.Optimizer == solver.Muon {
			p.Momentum = 0.9
		}
		if c.set != nil {
			c.set(&p)
		}
		var dense, subspace []solver.Problem
		for seed := range uint64(seeds) {
			p.Seed, p.Representation = seed, solver.Dense
			dense = append(dense, p)
			p.Seed, p.Representation = seed+1e6, solver.Subspace
			subspace = append(subspace, p)
		}
		a, b := solve(t, dense...), solve(t, subspace...)
		for i, k := range p.Record {
			for _, metric := range []struct {
				name string
				of   func(m *solver.Metrics) float64
			}{
				{"signal", func(m *solver.Metrics) float64 { return m.SignalAlignment }},
				{"spike", func(m *solver.Metrics) float64 { return m.SpikeAlignment }},
				{"norm", func(m *solver.Metrics) float64 { return m.WeightNorm2 }},
			} {
				column := func(results []solver.Result) []float64 {
					var x []float64
					for j := range results {
						if len(results[j].Trajectory) <= i {
							t.Fatalf("%s: %+v", c.name, results[j])
						}
						x = append(x, metric.of(&results[j].Trajectory[i].Metrics))
					}
					return x
				}
				if pvalue := kolmogorov(column(a), column(b)); pvalue < 1e-3 {
					t.Errorf("%s, step %d: the laws of %s differ, p = %.2g", c.name, k, metric.name, pvalue)
				}
			}
		}
	}
}
