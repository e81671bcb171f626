package solver

import "math"

// matrix is the dynamics of an n x m matrix: W itself (dense), or its coordinates in a subspace (n
// < d). With M = QW, S = WᵀM, q = Qθ, T = tr S - θᵀq (A = WWᵀ - θθᵀ is never formed):
//
//	G = M (2S + T I) - 2 q (qᵀW),   L = ½(‖S‖_F² - 2‖Wᵀq‖² + (θᵀq)²) + ¼T²
//
// With negative units A = WDWᵀ - θθᵀ, D = diag(1, ..., 1, -1, ..., -1), T = tr DS - θᵀq:
//
//	G = (M (2DS + T I) - 2 q (qᵀW)) D,   L = ½(tr DSDS - 2 qᵀWDWᵀq + (θᵀq)²) + ¼T²
//
// The loss has a cancellation error of about 1e-16 (θᵀq)². It is that of the population for every
// model.
//
// A subspace run from αI is W = B C Bᵀ + c(I - BBᵀ). Then the slices have c as their last entry,
// and it counts rest times.
type matrix struct {
	ws      *workspace
	p       *Problem
	frame   *frame
	n, m    int
	layer   secondLayer
	rest    float64 // d - n where W has c on the other directions, else 0
	space   algebra
	rule    rule
	buffers [][]float64 // the rule's
	spikes  *spikes
	source  gradientSource // nil for the population
	top     overlap

	q      []float64 // Qθ
	energy float64   // θᵀQθ

	w, next []float64
	g, u    []float64
	qw      []float64 // QW
	s       []float64 // WᵀQW
	wq, wu  []float64 // Wᵀq, Wᵀu
	wqw     float64   // tr S
	trace   float64   // T
	sloped  bool      // g is the population's gradient at the observed iterate
	norm2   float64   // ‖W‖_F²
	seen    observation
}

// gradientSource replaces the population's gradient.
type gradientSource interface {
	// gradient stores G at w, of its next samples.
	gradient(g, w []float64)
}

// newMatrix returns the dynamics at W = 0, without samples. The frame has n directions; rest more
// are outside it.
func newMatrix(p *Problem, f *frame, m, rest int, ws *workspace) (*matrix, error) {
	n := len(f.u)
	size := n * m
	if rest > 0 {
		size++
	}
	s := &matrix{
		ws:    ws,
		p:     p,
		frame: f,
		n:     n,
		m:     m,
		layer: secondLayer{m, p.NegativeUnits},
		rest:  float64(rest),
		q:     ws.take(n),
		w:     ws.take(size),
		next:  ws.take(size),
		g:     ws.take(size),
		u:     ws.take(size),
		qw:    ws.take(n * m),
		s:     ws.take(m * m),
		wq:    ws.take(m),
		wu:    ws.take(m),
		top:   overlap{m: m, ws: ws},
	}
	f.q.apply(s.q, f.theta, 1)
	s.energy = dot(f.theta, s.q)
	var err error
	if s.spikes, err = newSpikes(p, f, m, ws); err != nil {
		return nil, err
	}
	space := newMatrices(n, m, p, ws)
	var a algebra = space
	if rest > 0 {
		a = &extended{space, s.rest, 0}
	}
	s.space = a
	s.rule, s.buffers = newRule(p, a, ws)
	return s, nil
}

func (s *matrix) teacherEnergy() float64 { return s.energy }

func (s *matrix) flops() float64 {
	n, m, samples := float64(s.n), float64(s.m), float64(s.p.Samples)
	if s.p.Model == Minibatch {
		samples = float64(s.p.Batch)
	}
	return float64(n*m*(float64(4*m)+20)) + float64(4*samples*n*m) + float64(40*samples*n)
}

func (s *matrix) observe() (observation, bool) {
	if !(s.ws.kernel.Largest(s.w) <= bound) {
		return observation{}, false
	}
	s.sloped = false
	w := s.w[:s.n*s.m]
	s.frame.q.apply(s.qw, w, s.m)
	s.ws.gram(s.s, w, s.qw, s.n, s.m)
	combine(s.wq, s.q, w, s.m)
	combine(s.wu, s.frame.u, w, s.m)
	var diagonal lanes8
	for i := range s.m {
		diagonal[i&7] += s.s[i*s.m+i]
	}
	s.wqw = diagonal.total()
	trace, square, along := s.wqw, s.ws.kernel.SumSquares(s.s), dot(s.wq, s.wq)
	if s.layer.negative > 0 {
		trace, square, along = s.layer.trace(s.s), s.layer.square(s.s), s.layer.sum(s.wq)
	}
	norm2, spike := s.ws.kernel.SumSquares(w), s.spikes.energy(w)
	if s.rest > 0 {
		c2 := s.w[len(w)] * s.w[len(w)]
		qc2 := s.frame.bulk * c2
		trace += float64(s.rest * qc2)
		s.wqw = trace
		square += float64(s.rest * float64(qc2*qc2))
		norm2 += float64(s.rest * c2)
		if s.spikes.bulk {
			spike += float64(s.rest * c2)
		}
	}
	s.trace, s.norm2 = trace-s.energy, norm2
	square += float64(s.energy*s.energy) - float64(2*along)
	s.seen.loss = max(0, float64(0.5*square)+float64(0.25*float64(s.trace*s.trace)))
	s.seen.signal = dot(s.wu, s.wu) / norm2
	s.seen.spike = spike / norm2
	return s.seen, true
}

// gradient stores the population's at the observed iterate, for which S is used up.
func (s *matrix) gradient() {
	if s.sloped {
		return
	}
	s.sloped = true
	m := s.m
	s.ws.kernel.Scale(2, s.s)
	s.layer.flipRows(s.s)
	for i := range m {
		s.s[i*m+i] += s.trace
	}
	s.ws.multiply(s.g, s.qw, s.s, s.n, m, m)
	for i, q := range s.q {
		if q != 0 {
			axpy(s.g[i*m:(i+1)*m], -2*q, s.wq)
		}
	}
	s.layer.flipColumns(s.g[:s.n*m])
	if s.rest > 0 {
		c, q := s.w[s.n*m], s.frame.bulk
		s.g[s.n*m] = float64(q*(float64(2*q*float64(c*c))+s.trace)) * c
	}
}

func (s *matrix) step(k int, rate float64) error {
	if s.source == nil {
		s.gradient()
	} else {
		s.source.gradient(s.g, s.w)
	}
	if err := s.rule.update(s.u, s.g, k); err != nil {
		return err
	}
	descend(s.ws.kernel, s.next, s.w, s.u, rate, s.p.WeightDecay)
	s.w, s.next = s.next, s.w
	return nil
}

func (s *matrix) back() { s.w, s.next = s.next, s.w }

func (s *matrix) metrics() Metrics {
	c2 := 0.0
	if s.rest > 0 {
		c2 = s.w[s.n*s.m] * s.w[s.n*s.m]
	}
	overlap, largest := s.top.measure(s.w[:s.n*s.m], s.wu, c2, s.rest)
	return newMetrics(Metrics{
		SignalEnergy: dot(s.wu, s.wu), WeightNorm2: s.norm2, TopEigenvectorOverlap: overlap,
		StableRank:               s.norm2 / largest,
		TeacherCovarianceOverlap: length(s.wq),
		WeightCovarianceNorm2:    s.wqw,
		ParameterMSE:             s.parameterMSE(c2),
		GradientNuclearRank:      s.nuclearRank(),
	}, s.seen)
}

// parameterMSE is (‖W - u uᵀW‖_F² + ‖W₋ᵀu‖² + (‖W₊ᵀu‖ - ‖θ‖)²)/d, W₋ the negative units. The first
// norm is that of the residual, never a difference of norms.
func (s *matrix) parameterMSE(c2 float64) float64 {
	var residual lanes8
	for i, u := range s.frame.u {
		for j, x := range s.w[i*s.m : (i+1)*s.m] {
			x -= float64(u * s.wu[j])
			residual[(i*s.m+j)&7] += float64(x * x)
		}
	}
	positive := s.m - s.layer.negative
	spurious := dot(s.wu[positive:], s.wu[positive:]) // what negative units hold of u
	missing := length(s.wu[:positive]) - math.Sqrt(s.p.Teacher.Norm2)
	return (residual.total() + float64(s.rest*c2) + spurious + float64(missing*missing)) / float64(s.p.Dimension)
}

// nuclearRank is ‖G‖_*²/‖G‖_F² of the population's gradient over its largest entry, so that no
// square underflows. The iterate before the last step has no use any more: its memory takes the
// polar factor.
func (s *matrix) nuclearRank() float64 {
	s.gradient()
	largest := s.ws.kernel.Largest(s.g)
	if !(largest > 0) || !finite(largest) {
		return math.NaN()
	}
	for i, x := range s.g {
		s.u[i] = x / largest
	}
	nuclear, err := s.space.polar(s.next, s.u)
	if err != nil {
		return math.NaN()
	}
	norm := s.space.norm(s.u)
	return float64(nuclear/norm) * (nuclear / norm)
}

// length is the Euclidean norm of x, whose squares may underflow.
func length(x []float64) float64 {
	largest := 0.0
	for _, y := range x {
		largest = max(largest, math.Abs(y))
	}
	if largest == 0 {
		return 0
	}
	var sum lanes8
	for i, y := range x {
		y /= largest
		sum[i&7] += float64(y * y)
	}
	return largest * math.Sqrt(sum.total())
}
