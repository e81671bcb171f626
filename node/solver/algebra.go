package solver

// algebra is the set of operations of optimizers on matrices of a representation. A matrix is a
// flat slice: its entries by rows, and for a run that stays a multiple of the identity on most
// directions that multiple. Elementwise arithmetic means the same in both.
type algebra interface {
	// size is the length of the slices.
	size() int
	// shape is (d, m) of the problem, whatever the slices' own shape is.
	shape() (rows, columns int)
	// norm is ‖G‖_F.
	norm(g []float64) float64
	// polar stores U Vᵀ of G = U S Vᵀ, without the singular values that count as zero, and returns
	// ‖G‖_*.
	polar(dst, g []float64) (nuclear float64, err error)
	// spectral stores U φ(S) Vᵀ, with 0 for singular values that count as zero. s_max is the
	// largest one.
	spectral(dst, g []float64, phi func(s, smax float64) float64) error
	// quintic replaces X by X(aI + bXᵀX + c(XᵀX)²).
	quintic(x []float64, a, b, c float64)
	// preconditioner returns Shampoo's, with its accumulators at εI.
	preconditioner(epsilon float64) preconditioner
}

// preconditioner is Shampoo's pair of accumulators.
type preconditioner interface {
	// apply adds GGᵀ to L and GᵀG to R and stores L^-¼ G R^-¼.
	apply(dst, g []float64) error
}

// relativeZero is the ratio to s_max up to which a singular value of a d x m matrix counts as zero.
// It takes the problem's d in every representation, and at most 4096 of it.
func relativeZero(d, m int) float64 { return float64(max(m, min(d, 4096))) * 2.22e-16 }
