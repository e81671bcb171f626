package simd

import "math"

// three reports whether the kernels have steps for three groups under the law.
func (l *Lanes) three() bool { return three(l.law, l.groups) }

func three(law Law, groups int) bool {
	rule := law.Rule
	return groups == 3 && (rule == GD || rule == SpecGD || rule == Muon && !law.Exact)
}

// smallEigenvalue is the eigenvalue below which a gradient q_g (2x_g + T) w_g may underflow though
// its factors do not.
const smallEigenvalue = 1e-50

// prepare computes what the steps of three groups multiply by.
func (l *Lanes) prepare(lane int) {
	h, i := &l.heads[lane/8], lane%8
	rate, teacher := h.rate[i], h.teacher[i]
	least, most := teacher, teacher
	for g := range l.groups {
		c, _ := l.cell(lane, g)
		h.spikes[g][i] = 0
		if c.q[i] > teacher {
			h.spikes[g][i] = math.Float64frombits(math.MaxUint64)
		}
		c.v[i] = 0.5 * float64(c.n[i]*c.q[i])
		if l.law.Rule == GD {
			c.g[i] = 2 * float64(rate*c.q[i])
			c.m[i] = c.g[i] * c.q[i]
		}
		least, most = min(least, c.q[i]), max(most, c.q[i])
	}
	h.zero[i] = h.rtol[i] * (most / least) / roundingSlack
	if least < smallEigenvalue {
		h.zero[i] = math.Inf(1)
	}
}

// eachThree has a kernel of three groups take steps until end with two vectors at a time.
func (l *Lanes) eachThree(end int, steps func(vs []vector, end int)) {
	start := l.now
	for vs := l.vectors; len(vs) > 1; vs = vs[2:] {
		l.now = start
		steps(vs[:2], end)
	}
	l.now = end
}

// hasStep reports whether two vectors have a step to take before end.
func (l *Lanes) hasStep(vs []vector, end int) bool {
	return l.now < end && vs[0].shared.idle&vs[1].shared.idle != math.MaxUint8
}
