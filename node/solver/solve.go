package solver

import "context"

// Shape is what the problems of one batch share.
type Shape struct {
	Model          Model
	Representation Representation
	Optimizer      Optimizer
	Dimension      int
	Width          int
	Samples        int
	Groups         int // of Reduced and Subspace: number of distinct eigenspaces
}

// Solver solves batches. It is not safe for concurrent use: each worker has its own, and its memory is reused.
type Solver struct{}

// New returns a solver.
func New() *Solver { return &Solver{} }

// Solve integrates the problems of one batch, all of one Shape, and stores problem i's result in results[i].
// It returns only ctx's error, within one point's step of cancellation; results are then undefined.
func (s *Solver) Solve(ctx context.Context, problems []Problem, results []Result) error {
	panic("written by the solver")
}
