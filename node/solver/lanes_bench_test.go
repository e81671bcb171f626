package solver_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// BenchmarkLanes solves a batch of reduced points, with every metric, on the best kernel and its
// scalar twin in turns: the ratio of their fastest rounds does not depend on what else the machine
// does.
func BenchmarkLanes(b *testing.B) {
	for _, groups := range []int{3, 100} {
		for _, o := range optimizers() {
			b.Run(fmt.Sprintf("groups=%d/%s/%v", groups, o.name, simd.Best()), func(b *testing.B) {
				problems := lanesOf(groups, o.set)
				best := fastest(b, problems, simd.Best(), simd.Scalar)
				b.ReportMetric(best[0], "ns/point-step")
				b.ReportMetric(best[1]/best[0], "twin-ratio")
			})
		}
	}
}

func lanesOf(groups int, set func(*solver.Problem)) []solver.Problem {
	problems := make([]solver.Problem, 8+96/groups)
	for i := range problems {
		lambda := 0.5 + float64(i)/2
		p := reducedSpiked(solver.GD, 100, lambda, 0.00123, 0.000407, 12000/groups)
		set(&p)
		if p.Optimizer == solver.GD {
			p.LearningRate = 0.5 / max(3, 1+lambda)
		}
		if groups == 100 {
			p.Covariance.Spectrum = powerLaw(100, 0.5+float64(i)/10, true)
			p.LearningRate /= 100
		}
		problems[i] = p
	}
	return problems
}

// fastest returns the least ns per point and step of each kernel.
func fastest(b *testing.B, problems []solver.Problem, kernels ...simd.Kernel) []float64 {
	best := make([]float64, len(kernels))
	solvers := make([]*solver.Solver, len(kernels))
	for i, k := range kernels {
		best[i], solvers[i] = math.Inf(1), solver.NewKernel(k)
	}
	results := make([]solver.Result, len(problems))
	for b.Loop() {
		for i, s := range solvers {
			start := time.Now()
			if err := s.Solve(context.Background(), problems, results); err != nil {
				b.Fatal(err)
			}
			elapsed, steps := time.Since(start), 0
			for j := range results {
				steps += results[j].StepsRun
			}
			best[i] = min(best[i], float64(elapsed.Nanoseconds())/float64(steps))
		}
	}
	return best
}
