package solver

// lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675): U =
// sign(β₁M + (1-β₁)G), then M <- β₂M + (1-β₂)G, elementwise, with sign(0) = 0.
type lion struct {
	beta1, beta2 float64
	m            []float64
}

func newLion(p *Problem, _ algebra, buffers [][]float64) rule {
	return &lion{p.Beta1, p.Beta2, buffers[0]}
}

func (o *lion) update(u, g []float64, _ int) error {
	for i, x := range g {
		m := o.m[i]
		u[i] = sign(float64(o.beta1*m) + float64((1-o.beta1)*x))
		o.m[i] = float64(o.beta2*m) + float64((1-o.beta2)*x)
	}
	return nil
}
