package solver

import "github.com/phasegrid/phasegrid/node/solver/simd"

// workspace holds the memory and the vector kernels of a solver. Its vectors are zeroed and live as
// long as one point; the memory is reused for the next one.
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

// reset releases all vectors.
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
