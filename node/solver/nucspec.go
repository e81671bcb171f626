package solver

// nucspec is steepest descent in the spectral norm with its length: U = ‖G‖_* polar(G).
type nucspec struct{ algebra }

func newNucSpec(_ *Problem, a algebra, _ [][]float64) rule { return nucspec{a} }

func (o nucspec) update(u, g []float64, _ int) error {
	nuclear, err := o.polar(u, g)
	for i := range u {
		u[i] *= nuclear
	}
	return err
}
