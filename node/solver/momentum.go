package solver

// momentum is heavy-ball gradient descent: B <- βB + G, U = B, or G + βB with Nesterov's
// look-ahead.
type momentum struct {
	beta     float64
	nesterov bool
	buffer   []float64
}

func newMomentum(p *Problem, _ algebra, buffers [][]float64) rule {
	return &momentum{p.Momentum, p.Nesterov, buffers[0]}
}

// shareMomentum keeps points with Nesterov's look-ahead apart.
func shareMomentum(l *law, p *Problem) { l.nesterov = p.Nesterov }

func (o *momentum) update(u, g []float64, _ int) error {
	for i, x := range g {
		b := float64(o.beta*o.buffer[i]) + x
		o.buffer[i] = b
		if o.nesterov {
			b = x + float64(o.beta*b)
		}
		u[i] = b
	}
	return nil
}
