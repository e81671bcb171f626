package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// bound is the size of an entry of the iterate beyond which a run has diverged.
const bound = simd.Bound

// reduced is W = Σ w_g P_g over the eigenspaces of Q, the teacher's line first. With x_g = q_g
// (w_g² - τ_g), τ_0 = ‖θ‖² and 0 for the rest, and T = Σ n_g x_g, the gradient's coefficients are
// q_g (2 x_g + T) w_g and the loss is ½ Σ n_g x_g² + ¼ T². The steps are taken in lanes; this type
// evaluates single iterates.
type reduced struct {
	groups []Group
	spikes int // groups 1..spikes have q_g > q_u
	norm2  float64
}

func newReduced(p *Problem) reduced {
	s := reduced{groups: eigenspaces(p), norm2: p.Teacher.Norm2}
	for s.spikes+1 < len(s.groups) && s.groups[s.spikes+1].Eigenvalue > s.groups[0].Eigenvalue {
		s.spikes++
	}
	return s
}

// name sets the named groups: the spike is the highest eigenvalue above the teacher's, the bulk the
// one of largest multiplicity among the others, the lower eigenvalue in a tie.
func (s *reduced) name(r *Result) {
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

// observe evaluates the iterate w as the lanes do.
func (s *reduced) observe(w []float64) observation {
	var trace, loss, norm2, spike lanes8
	for i, g := range s.groups {
		n, a := float64(g.Multiplicity), float64(w[i]*w[i])
		energy := float64(n * a)
		j := i & 7
		norm2[j] += energy
		if i > 0 && i <= s.spikes {
			spike[j] += energy
		}
		if i == 0 {
			a -= s.norm2
		}
		x := float64(a * g.Eigenvalue)
		y := float64(n * x)
		trace[j] += y
		loss[j] += float64(y * x)
	}
	t, sum := trace.total(), loss.total()
	return observation{
		loss:   0.25 * ((sum + sum) + float64(t*t)),
		signal: float64(w[0]*w[0]) / norm2.total(),
		spike:  spike.total() / norm2.total(),
	}
}

// descend stores w(1 - rate·decay) - rate·u.
func descend(k simd.Kernel, dst, w, u []float64, rate, decay float64) {
	k.Combine(dst, 1-float64(rate*decay), w, -rate, u)
}

// metrics evaluates the rest at the iterate w.
func (s *reduced) metrics(w []float64, seen observation) Metrics {
	var sum lanes8
	top := 0.0
	for i, g := range s.groups {
		a := float64(w[i] * w[i])
		top = max(top, a)
		sum[i&7] += float64(float64(g.Multiplicity) * a)
	}
	rank, signal := 0.0, 0.0
	for i, g := range s.groups {
		if w[i]*w[i] >= top*(1-topMargin) {
			rank += float64(g.Multiplicity)
			if i == 0 {
				signal = 1
			}
		}
	}
	norm2 := sum.total()
	m := Metrics{
		SignalEnergy: w[0] * w[0], WeightNorm2: norm2, TopEigenvectorOverlap: signal / rank, StableRank: norm2 / top,
	}
	s.teacherMetrics(&m, w)
	m.GradientNuclearRank = s.nuclearRank(w)
	return newMetrics(m, seen)
}

// teacherMetrics sets those that compare W with θ.
func (s *reduced) teacherMetrics(m *Metrics, w []float64) {
	var covariance, distance lanes8
	dimension := 0
	for i, g := range s.groups {
		energy := float64(float64(g.Multiplicity) * float64(w[i]*w[i]))
		covariance[i&7] += float64(g.Eigenvalue * energy)
		if i > 0 {
			distance[i&7] += energy
		}
		dimension += g.Multiplicity
	}
	length := math.Sqrt(s.norm2)
	missing := math.Abs(w[0]) - length
	m.TeacherCovarianceOverlap = s.groups[0].Eigenvalue * length * math.Abs(w[0])
	m.WeightCovarianceNorm2 = covariance.total()
	m.ParameterMSE = (distance.total() + float64(missing*missing)) / float64(dimension)
}

// nuclearRank is (Σ n_g |g_g|)²/Σ n_g g_g², of coefficients over the largest one, so that no square
// underflows.
func (s *reduced) nuclearRank(w []float64) float64 {
	slope := make([]float64, len(w))
	var trace lanes8
	for i, g := range s.groups {
		a := float64(w[i] * w[i])
		if i == 0 {
			a -= s.norm2
		}
		slope[i] = a * g.Eigenvalue
		trace[i&7] += float64(float64(g.Multiplicity) * slope[i])
	}
	t, largest := trace.total(), 0.0
	for i, x := range slope {
		slope[i] = math.Abs(float64(float64((x+x)+t)*s.groups[i].Eigenvalue) * w[i])
		largest = max(largest, slope[i])
	}
	var nuclear, square lanes8
	for i, g := range s.groups {
		x, n := slope[i]/largest, float64(g.Multiplicity)
		nuclear[i&7] += float64(n * x)
		square[i&7] += float64(n * float64(x*x))
	}
	return float64(nuclear.total()*nuclear.total()) / square.total()
}

// topMargin is the relative distance to the largest eigenvalue of WWᵀ within which another one
// counts as equal.
const topMargin = 1e-9

// newMetrics adds what was observed, and marks as NaN what is undefined or overflows.
func newMetrics(m Metrics, seen observation) Metrics {
	m.Loss, m.SignalAlignment, m.SpikeAlignment = seen.loss, seen.signal, seen.spike
	m.BulkAlignment = max(0, 1-seen.signal-seen.spike)
	if m.WeightNorm2 == 0 {
		m.TopEigenvectorOverlap = math.NaN()
	}
	for _, x := range m.defined() {
		if !finite(*x) {
			*x = math.NaN()
		}
	}
	if x := &m.GradientNuclearRank; !finite(*x) {
		*x = math.NaN()
	}
	return m
}

// defined are the metrics that every iterate but W = 0 has.
func (m *Metrics) defined() []*float64 {
	return []*float64{
		&m.Loss, &m.SignalAlignment, &m.SpikeAlignment, &m.BulkAlignment,
		&m.SignalEnergy, &m.WeightNorm2, &m.TopEigenvectorOverlap, &m.StableRank,
		&m.TeacherCovarianceOverlap, &m.WeightCovarianceNorm2, &m.ParameterMSE,
	}
}
