package solver

// signum: B <- βB + (1-β)G, U = sign(B).
type signum struct {
	beta   float64
	buffer []float64
}

func newSignum(p *Problem, _ algebra, buffers [][]float64) rule {
	return &signum{p.Momentum, buffers[0]}
}

func (o *signum) update(u, g []float64, _ int) error {
	for i, x := range g {
		o.buffer[i] = float64(o.beta*o.buffer[i]) + float64((1-o.beta)*x)
		u[i] = sign(o.buffer[i])
	}
	return nil
}
