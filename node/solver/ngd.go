package solver

// ngd is normalised gradient descent: U = G/‖G‖_F, 0 where G is.
type ngd struct{ algebra }

func newNGD(_ *Problem, a algebra, _ [][]float64) rule { return ngd{a} }

func (o ngd) update(u, g []float64, _ int) error {
	norm := o.norm(g)
	if norm == 0 {
		clear(u)
		return nil
	}
	for i, x := range g {
		u[i] = x / norm
	}
	return nil
}
