package solver_test

import (
	"context"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// BenchmarkLanes is a batch of reduced points with all metrics, per point and step, on every kernel.
func BenchmarkLanes(b *testing.B) {
	for _, o := range optimizers() {
		for _, groups := range []int{3, 100} {
			problems := make([]solver.Problem, 256/groups*8+16)
			steps := 0
			for i := range problems {
				lambda := 0.5 + float64(i)/8
				problems[i] = reducedSpiked(solver.GD, 100, lambda, 0.00123, 0.5/max(3, 1+lambda), 2000)
				if o.name != "gd" {
					problems[i].LearningRate = 0.00207
				}
				o.set(&problems[i])
				if groups == 100 {
					problems[i].Covariance.Spectrum = powerLaw(100, 0.5+float64(i)/100, true)
					problems[i].LearningRate /= 100
				}
				steps += problems[i].Steps
			}
			results := make([]solver.Result, len(problems))
			name := o.name + "/groups=3/"
			if groups == 100 {
				name = o.name + "/groups=100/"
			}
			for _, k := range simd.Available() {
				s := solver.NewKernel(k)
				b.Run(name+k.String(), func(b *testing.B) {
					for b.Loop() {
						if err := s.Solve(context.Background(), problems, results); err != nil {
							b.Fatal(err)
						}
					}
					taken := 0
					for i := range results {
						taken += results[i].StepsRun
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(taken), "ns/point-step")
				})
			}
		}
	}
}
