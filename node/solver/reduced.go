package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// bound is the size of an entry of the iterate beyond which a run has diverged.
const bound = 1e6

// reduced is W = Σ w_g P_g over the eigenspaces of Q, the teacher's line first. With A_g = w_g² - τ_g (τ_0 = ‖θ‖², else 0) and
// T = Σ n_g q_g A_g, the gradient's coefficients are (2 q_g² A_g + T q_g) w_g and the loss is ½ Σ n_g q_g² A_g² + ¼ T².
type reduced struct {
	spaces
	rule    rule
	p       *Problem
	ws      *workspace
	groups  []Group
	spikes  int // groups 1..spikes have q_g > q_u
	q       []float64
	nq      []float64 // n_g q_g
	nq2     []float64 // n_g q_g²
	twoq2   []float64 // 2 q_g²
	tau     []float64
	w, next []float64
	g, u    []float64
	a       []float64 // A_g
	trace   float64   // T
	norm2   float64   // ‖W‖_F²
	seen    observation
}

func newReduced(p *Problem, r *Result, ws *workspace) (*reduced, error) {
	groups := eigenspaces(p)
	n := len(groups)
	s := &reduced{p: p, ws: ws, groups: groups,
		spaces: spaces{n: ws.take(n), rtol: relativeZero(p.Dimension, p.Width), d: p.Dimension, l: ws.take(n)},
		q:      ws.take(n), nq: ws.take(n), nq2: ws.take(n), twoq2: ws.take(n), tau: ws.take(n),
		w: ws.take(n), next: ws.take(n), g: ws.take(n), u: ws.take(n), a: ws.take(n)}
	for i, g := range groups {
		count := float64(g.Multiplicity)
		s.n[i], s.q[i] = count, g.Eigenvalue
		s.nq[i] = count * g.Eigenvalue
		s.nq2[i] = s.nq[i] * g.Eigenvalue
		s.twoq2[i] = 2 * g.Eigenvalue * g.Eigenvalue
		s.w[i] = p.InitScale
	}
	s.tau[0] = p.Teacher.Norm2
	var err error
	if s.rule, err = newRule(p, &s.spaces, ws); err != nil {
		return nil, err
	}
	s.name(r)
	return s, nil
}

// name finds the groups that have names: the spike is the highest eigenvalue above the teacher's, the bulk the most frequent of the
// others, the lower one in a tie.
func (s *reduced) name(r *Result) {
	for s.spikes+1 < len(s.groups) && s.groups[s.spikes+1].Eigenvalue > s.groups[0].Eigenvalue {
		s.spikes++
	}
	r.Groups, r.SignalGroup = s.groups, 0
	rest := 1
	if s.spikes > 0 {
		r.SpikeGroup, rest = 1, 2
	}
	for i := rest; i < len(s.groups); i++ {
		if r.BulkGroup < 0 || s.groups[i].Multiplicity >= s.groups[r.BulkGroup].Multiplicity {
			r.BulkGroup = i
		}
	}
}

func (s *reduced) teacherEnergy() float64 { return s.q[0] * s.tau[0] }

func (s *reduced) flops() float64 { return 40 * float64(len(s.w)) }

func (s *reduced) coefficients() []float64 { return append([]float64(nil), s.w...) }

func (s *reduced) observe() (observation, bool) {
	var trace, loss, norm2, spike octet
	bounded := true
	for i, w := range s.w {
		if !(math.Abs(w) <= bound) {
			bounded = false
		}
		w2 := w * w
		a := w2 - s.tau[i]
		s.a[i] = a
		j := i & 7
		trace[j] += float64(s.nq[i] * a)
		loss[j] += float64(s.nq2[i] * float64(a*a))
		energy := float64(s.n[i] * w2)
		norm2[j] += energy
		if i > 0 && i <= s.spikes {
			spike[j] += energy
		}
	}
	s.trace, s.norm2 = trace.total(), norm2.total()
	s.seen.loss = float64(0.5*loss.total()) + float64(0.25*float64(s.trace*s.trace))
	s.seen.signal = float64(s.w[0]*s.w[0]) / s.norm2
	s.seen.spike = spike.total() / s.norm2
	return s.seen, bounded
}

func (s *reduced) step(k int, rate float64) error {
	for i, a := range s.a {
		s.g[i] = float64((float64(s.twoq2[i]*a) + float64(s.trace*s.q[i])) * s.w[i])
	}
	if err := s.rule.update(s.u, s.g, k); err != nil {
		return err
	}
	descend(s.ws.kernel, s.next, s.w, s.u, rate, s.p.WeightDecay)
	s.w, s.next = s.next, s.w
	return nil
}

func (s *reduced) back() { s.w, s.next = s.next, s.w }

// descend stores w(1 - rate·decay) - rate·u.
func descend(k simd.Kernel, dst, w, u []float64, rate, decay float64) {
	k.Combine(dst, 1-float64(rate*decay), w, -rate, u)
}

func (s *reduced) metrics() Metrics {
	top := 0.0
	for _, w := range s.w {
		top = max(top, w*w)
	}
	rank, signal := 0.0, 0.0
	for i, w := range s.w {
		if w*w >= top*(1-topMargin) {
			rank += s.n[i]
			if i == 0 {
				signal = 1
			}
		}
	}
	return newMetrics(s.seen, s.w[0]*s.w[0], s.norm2, signal/rank, s.norm2/top)
}

// topMargin is the relative distance to the largest eigenvalue of WWᵀ within which another one counts as equal.
const topMargin = 1e-9

// newMetrics marks as NaN what is undefined or overflows.
func newMetrics(seen observation, signalEnergy, norm2, overlap, stableRank float64) Metrics {
	m := Metrics{
		Loss: seen.loss, SignalAlignment: seen.signal, SpikeAlignment: seen.spike, BulkAlignment: max(0, 1-seen.signal-seen.spike),
		SignalEnergy: signalEnergy, WeightNorm2: norm2, TopEigenvectorOverlap: overlap, StableRank: stableRank,
	}
	if norm2 == 0 {
		m.TopEigenvectorOverlap = math.NaN()
	}
	for _, x := range []*float64{&m.Loss, &m.SignalAlignment, &m.SpikeAlignment, &m.BulkAlignment,
		&m.SignalEnergy, &m.WeightNorm2, &m.TopEigenvectorOverlap, &m.StableRank} {
		if !finite(*x) {
			*x = math.NaN()
		}
	}
	return m
}
