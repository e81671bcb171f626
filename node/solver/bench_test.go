package solver_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

func benchmark(b *testing.B, p solver.Problem) {
	s, results := solver.New(), make([]solver.Result, 1)
	problems := []solver.Problem{p}
	for b.Loop() {
		if err := s.Solve(context.Background(), problems, results); err != nil || results[0].Status == solver.Failed {
			b.Fatal(err, results[0].Detail)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(p.Steps), "ns/step")
}

func BenchmarkReduced(b *testing.B) {
	for _, name := range []string{"gd", "specgd", "muon", "adam"} {
		for _, o := range optimizers() {
			if o.name != name {
				continue
			}
			p := reducedSpiked(solver.GD, 100, 10, 0.0123, 0.00413, 2000)
			o.set(&p)
			b.Run(name+"/groups=3", func(b *testing.B) { benchmark(b, p) })
			p.Covariance.Spectrum = powerLaw(100, 1, true)
			b.Run(name+"/groups=100", func(b *testing.B) { benchmark(b, p) })
		}
	}
}

func BenchmarkDense(b *testing.B) {
	for _, o := range optimizers() {
		for _, d := range []int{32, 128, 256} {
			switch o.name {
			case "gd", "specgd", "muon":
			default:
				continue
			}
			p := reducedSpiked(solver.GD, d, 10, 0.05, 0.00413, 20)
			o.set(&p)
			p.Init, p.Representation = solver.Gaussian, solver.Dense
			b.Run(fmt.Sprintf("%s/d=%d", o.name, d), func(b *testing.B) { benchmark(b, p) })
		}
	}
}

func BenchmarkSubspace(b *testing.B) {
	for _, model := range []solver.Model{solver.Population, solver.Online} {
		for _, name := range []string{"gd", "specgd", "muon"} {
			for _, d := range []int{100, 100_000} {
				for _, o := range optimizers() {
					if o.name != name {
						continue
					}
					p := reducedSpiked(solver.GD, d, 10, 0.5/math.Sqrt(float64(d)), 0.00413, 2000)
					o.set(&p)
					p.Init, p.Width, p.Representation = solver.Gaussian, 8, solver.Subspace
					p.Model, p.Samples = model, 32
					b.Run(fmt.Sprintf("model=%d/%s/d=%d", model, name, d), func(b *testing.B) { benchmark(b, p) })
				}
			}
		}
	}
}
