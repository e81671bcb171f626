package solver

// newDense returns the dynamics of W itself, for every model, covariance, teacher and optimizer.
func newDense(p *Problem, ws *workspace) (*matrix, error) {
	f, err := newFrame(p, ws)
	if err != nil {
		return nil, err
	}
	s, err := newMatrix(p, f, p.Width, 0, ws)
	if err != nil {
		return nil, err
	}
	rng := newRandom(p.Seed, ws)
	initialise(s.w, p, rng, ws)
	if p.Model != Population {
		if s.source, err = newSamples(p, f, rng, ws); err != nil {
			return nil, err
		}
	}
	return s, nil
}
