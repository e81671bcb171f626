package solver

// signgd: U = sign(G), sign(0) = 0.
type signgd struct{}

func newSignGD(*Problem, algebra, [][]float64) rule { return signgd{} }

func (signgd) update(u, g []float64, _ int) error {
	for i, x := range g {
		u[i] = sign(x)
	}
	return nil
}
