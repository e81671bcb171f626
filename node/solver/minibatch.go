package solver

// epochs deals pairs in batches: consecutive entries of a permutation, and of a new one whenever
// fewer than a batch are left, which are passed over.
type epochs struct {
	rng      random
	order    []int
	at       int
	uniforms []float64
}

func newEpochs(p *Problem, rng random, ws *workspace) *epochs {
	return &epochs{rng: rng, order: make([]int, p.Samples), at: p.Samples, uniforms: ws.take(p.Samples - 1)}
}

// next copies the next batch.
func (e *epochs) next(batch, all pairs) {
	n := len(batch.y)
	if len(e.order)-e.at < n {
		e.shuffle()
	}
	d := len(batch.x) / n
	for i, from := range e.order[e.at : e.at+n] {
		copy(batch.x[i*d:(i+1)*d], all.x[from*d:(from+1)*d])
		batch.y[i] = all.y[from]
	}
	e.at += n
}

// shuffle makes a permutation from the identity: Fisher and Yates from the top.
func (e *epochs) shuffle() {
	for i := range e.order {
		e.order[i] = i
	}
	e.rng.FillUniform(e.uniforms)
	for k, u := range e.uniforms {
		i := len(e.order) - 1 - k
		j := min(i, int(u*float64(i+1)))
		e.order[i], e.order[j] = e.order[j], e.order[i]
	}
	e.at = 0
}
