package solver

// dense is the iterate as a d x m matrix. With M = QW, S = WᵀM, q = Qθ, T = tr S - θᵀq (A = WWᵀ - θθᵀ is never formed):
//
//	G = 2 M S - 2 q (qᵀW) + T M,   L = ½(‖S‖_F² - 2‖Wᵀq‖² + (θᵀq)²) + ¼T²
//
// The loss cancels to about 1e-16 (θᵀq)². It is the population's whatever gradient drives the run.
type dense struct {
	p       *Problem
	frame   *frame
	rule    rule
	spikes  *spikes
	samples *samples // nil for the population
	top     overlap

	q      []float64 // Qθ
	energy float64   // θᵀQθ

	w, next []float64
	g, u    []float64
	qw      []float64 // QW
	s       []float64 // WᵀQW
	wq, wu  []float64 // Wᵀq, Wᵀu
	trace   float64   // T
	norm2   float64   // ‖W‖_F²
	seen    observation
}

func newDense(p *Problem, memory *arena) (*dense, error) {
	d, m := p.Dimension, p.Width
	f, err := newFrame(p, memory)
	if err != nil {
		return nil, err
	}
	s := &dense{p: p, frame: f, q: memory.take(d),
		w: memory.take(d * m), next: memory.take(d * m), g: memory.take(d * m), u: memory.take(d * m), qw: memory.take(d * m),
		s: memory.take(m * m), wq: memory.take(m), wu: memory.take(m)}
	s.frame.q.apply(s.q, s.frame.theta, 1)
	s.energy = dot(s.frame.theta, s.q)
	rng := &random{state: p.Seed}
	initialise(s.w, p, rng)
	s.top = overlap{m: m, memory: memory}
	if s.spikes, err = newSpikes(p, s.frame, memory); err != nil {
		return nil, err
	}
	if p.Model != Population {
		if s.samples, err = newSamples(p, s.frame, rng, memory); err != nil {
			return nil, err
		}
	}
	s.rule, err = newRule(p, newMatrices(d, m, d, memory), memory)
	return s, err
}

func (s *dense) teacherEnergy() float64 { return s.energy }

func (s *dense) coefficients() []float64 { return nil }

func (s *dense) flops() float64 {
	d, m, n := float64(s.p.Dimension), float64(s.p.Width), float64(s.p.Samples)
	return d*m*(4*m+20) + 4*n*d*m + 40*n*d
}

func (s *dense) observe() (observation, bool) {
	d, m := s.p.Dimension, s.p.Width
	if !(largest(s.w) <= bound) {
		return observation{}, false
	}
	s.frame.q.apply(s.qw, s.w, m)
	gram(s.s, s.w, s.qw, d, m)
	combine(s.wq, s.q, s.w, m)
	combine(s.wu, s.frame.u, s.w, m)
	var trace octet
	for i := range m {
		trace[i&7] += s.s[i*m+i]
	}
	s.trace = trace.total() - s.energy
	s.norm2 = dot(s.w, s.w)
	square := dot(s.s, s.s) - float64(2*dot(s.wq, s.wq)) + float64(s.energy*s.energy)
	s.seen.loss = max(0, float64(0.5*square)+float64(0.25*float64(s.trace*s.trace)))
	s.seen.signal = dot(s.wu, s.wu) / s.norm2
	s.seen.spike = s.spikes.energy(s.w) / s.norm2
	return s.seen, true
}

// gradient stores the population's at the observed iterate.
func (s *dense) gradient() {
	m := s.p.Width
	multiply(s.g, s.qw, s.s, s.p.Dimension, m, m)
	for i, q := range s.q {
		row := s.g[i*m : (i+1)*m]
		for j, x := range row {
			row[j] = 2*(x-float64(q*s.wq[j])) + float64(s.trace*s.qw[i*m+j])
		}
	}
}

func (s *dense) step(k int, rate float64) error {
	if s.samples == nil {
		s.gradient()
	} else {
		s.samples.gradient(s.g, s.w)
	}
	if err := s.rule.update(s.u, s.g, k); err != nil {
		return err
	}
	descend(s.next, s.w, s.u, rate, s.p.WeightDecay)
	s.w, s.next = s.next, s.w
	return nil
}

func (s *dense) back() { s.w, s.next = s.next, s.w }

func (s *dense) metrics() Metrics {
	overlap, largest := s.top.measure(s.w, s.wu)
	return newMetrics(s.seen, dot(s.wu, s.wu), s.norm2, overlap, s.norm2/largest)
}
