package solver

import "github.com/phasegrid/phasegrid/node/solver/simd"

// workspace is what a solver computes with: zeroed vectors that live as long as one point, from
// memory that is kept for the next one, and the vector kernels.
type workspace struct {
	kernel   simd.Kernel
	products *simd.Multiplier

	block  []float64
	used   int
	needed int // by this point so far; the next point gets one block of that size
}

func newWorkspace(k simd.Kernel) *workspace {
	return &workspace{kernel: k, products: simd.NewMultiplier(k)}
}

// reset takes all vectors back.
func (ws *workspace) reset() {
	if ws.needed > len(ws.block) {
		ws.block = make([]float64, ws.needed)
	}
	ws.used, ws.needed = 0, 0
}

// take returns n zeros.
func (ws *workspace) take(n int) []float64 {
	ws.needed += n
	if n > len(ws.block)-ws.used {
		return make([]float64, n)
	}
	v := ws.block[ws.used : ws.used+n : ws.used+n]
	ws.used += n
	clear(v)
	return v
}
