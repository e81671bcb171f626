package solver

import "github.com/phasegrid/phasegrid/node/solver/simd"

// NewKernel returns a solver that computes with the given vector kernel.
func NewKernel(k simd.Kernel) *Solver { return newKernel(k) }
