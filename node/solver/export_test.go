package solver

import "github.com/phasegrid/phasegrid/node/solver/simd"

// NewKernel returns a solver that computes with the given vector kernel.
func NewKernel(k simd.Kernel) *Solver { return newKernel(k) }

// UnitVariance is uᵀQu for u = θ/‖θ‖.
func UnitVariance(p *Problem) float64 {
	ws := newWorkspace(simd.Best())
	f, err := newFrame(p, ws)
	if err != nil {
		panic(err)
	}
	qu := ws.take(p.Dimension)
	f.q.apply(qu, f.u, 1)
	return dot(f.u, qu)
}
