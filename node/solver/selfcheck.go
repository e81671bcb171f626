package solver

import (
	"context"
	"fmt"
	"math"
)

// SelfCheck takes a few steps with every optimizer in both representations that have a table of
// their own, vector lanes and matrices, and compares them: an optimizer that is missing in one of
// them, or runs as another there, is an error before any result depends on it. It takes about a
// millisecond.
func SelfCheck() error {
	const relative = 1e-9
	s, results := New(), make([]Result, 2)
	for i := range table {
		o := Optimizer(i)
		if !o.known() {
			return fmt.Errorf("check optimizer %d: it has no row with a rule", i)
		}
		for _, groups := range []int{3, 4} { // three have kernels of their own
			p := selfCheckProblem(o, groups)
			pair := []Problem{p, p}
			pair[1].Representation = Dense
			if err := s.Solve(context.Background(), pair, results); err != nil {
				return err
			}
			reduced, dense := results[0].Final.Loss, results[1].Final.Loss
			if results[0].Status != OK || results[1].Status != OK || !(math.Abs(reduced-dense) <= relative*dense) {
				return fmt.Errorf("check optimizer %v: its reduced run gives loss %v (%s), its dense run %v (%s)",
					o, reduced, results[0].Detail, dense, results[1].Detail)
			}
		}
	}
	return nil
}

// selfCheckProblem has d different eigenvalues and settings under which no two optimizers but
// signgd and specgd take the same steps.
func selfCheckProblem(o Optimizer, d int) Problem {
	p := Problem{
		Optimizer: o, Representation: Reduced, Dimension: d, Width: d, Steps: 4,
		Teacher: Teacher{Norm2: 1}, InitScale: 0.61, LearningRate: 0.03, LRWarm: 100,
		Momentum: 0.8, NSSteps: 5, Power: 0.5, NormalizePower: true,
		PowerMax: 1, PowerMin: -0.25, PowerMidpoint: 0.02, PowerWidth: 0.08,
		Beta1: 0.7, Beta2: 0.9, Epsilon: 1e-3,
	}
	for i := range d {
		p.Covariance.Spectrum = append(p.Covariance.Spectrum, Run{1 / float64(1+i), 1})
	}
	return p
}
