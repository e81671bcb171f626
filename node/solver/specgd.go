package solver

// specgd is spectral gradient descent: U = polar(G), the steepest descent direction in the spectral
// norm without its length. A rank-deficient G gives the partial isometry.
type specgd struct{ algebra }

func newSpecGD(_ *Problem, a algebra, _ [][]float64) rule { return specgd{a} }

func (o specgd) update(u, g []float64, _ int) error {
	_, err := o.polar(u, g)
	return err
}
