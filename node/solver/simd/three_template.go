//go:build ignore

// The kernels of three groups, for one vector. What is built is generated from this: for two, side
// by side.
package simd

import "unsafe"

// Steps of three groups, all in registers. With a_g = w_g², less τ in the first group, and p_g = ½
// n_g q_g, ½T = Σ p_g a_g and half the gradient is q_g (q_g a_g + ½T) w_g: only the last addition
// waits for the sum. A vector takes all steps until end before the next one does, so that its
// numbers stay in the first-level cache.

// threeGD512 is w <- w (keep - k a - r ½T), r = 2 lr q, k = r q.
func (l *Lanes) threeGD512(vs []vector, end int) {
	scheduled := l.law.Scheduled
	for l.unobservedGD512(vs, end) {
		v := &vs[0]
		h, c := v.three512()
		if !noObservation512(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch512(v)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three512()
		if scheduled {
			l.threeRates512(v)
		}
		a0, a1, a2 := distances512(h, c)
		half := halfTrace512(c, a0, a1, a2)
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		c[0].w[0].v = h.keep.v.Sub(c[0].m.v.Mul(a0)).Sub(c[0].g.v.Mul(half)).Mul(w0)
		c[1].w[0].v = h.keep.v.Sub(c[1].m.v.Mul(a1)).Sub(c[1].g.v.Mul(half)).Mul(w1)
		c[2].w[0].v = h.keep.v.Sub(c[2].m.v.Mul(a2)).Sub(c[2].g.v.Mul(half)).Mul(w2)
		l.endStep()
	}
}

// threeRates512 sets what depends on the learning rate.
func (l *Lanes) threeRates512(v *vector) {
	h, c := v.three512()
	rate := l.tabled512(l.rates, v)
	rate = rate.Add(rate)
	h.keep.v = l.keep512(v)
	for g := range c {
		r := rate.Mul(c[g].q.v)
		c[g].g.v, c[g].m.v = r, r.Mul(c[g].q.v)
	}
}

// threeSpecGD512 is w <- keep w - lr sign(g).
func (l *Lanes) threeSpecGD512(vs []vector, end int) {
	scheduled, decays := l.law.Scheduled, l.law.Decays
	for l.unobservedSpecGD512(vs, end) {
		v := &vs[0]
		h, c := v.three512()
		if !noObservation512(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch512(v)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three512()
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		g0, g1, g2 := halfGradient512(h, c, w0, w1, w2)
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		rate := h.rate.v
		if scheduled {
			rate = l.tabled512(l.rates, v)
		}
		if decays {
			keep := l.keep512(v)
			w0, w1, w2 = keep.Mul(w0), keep.Mul(w1), keep.Mul(w2)
		}
		w0, w1, w2 = w0.Sub(flip512(rate, g0)), w1.Sub(flip512(rate, g1)), w2.Sub(flip512(rate, g2))
		c[0].w[0].v, c[1].w[0].v, c[2].w[0].v = w0, w1, w2
		if !allCount512(h.rtol.v, g0, g1, g2) {
			l.threeZeros512(v)
		}
		l.endStep()
	}
}

// allCount512 reports whether no gradient counts as zero and all are finite: an infinite one makes
// the cut infinite, and through T all of them.
func allCount512(rtol, g0, g1, g2 vec512) bool {
	g0, g1, g2 = abs512(g0), abs512(g1), abs512(g2)
	return g0.Min(g1).Min(g2).Greater(g0.Max(g1).Max(g2).Mul(rtol)).ToBits() == all1s512
}

// threeZeros512 is the step of specgd again, from the iterate before, where some count as zero;
// what is not finite gives NaN.
//
//go:noinline
func (l *Lanes) threeZeros512(v *vector) {
	h, c := v.three512()
	w0, w1, w2 := c[0].w[1].v, c[1].w[1].v, c[2].w[1].v
	g0, g1, g2 := halfGradient512(h, c, w0, w1, w2)
	b0, b1, b2 := abs512(g0), abs512(g1), abs512(g2)
	cut, bad := b0.Max(b1).Max(b2).Mul(h.rtol.v), b0.Sub(b0).Add(b1.Sub(b1)).Add(b2.Sub(b2))
	rate, keep := l.rate512(v), l.keep512(v)
	c[0].w[0].v = keep.Mul(w0).Sub(flip512(rate, g0).Masked(b0.Greater(cut)).Add(bad))
	c[1].w[0].v = keep.Mul(w1).Sub(flip512(rate, g1).Masked(b1.Greater(cut)).Add(bad))
	c[2].w[0].v = keep.Mul(w2).Sub(flip512(rate, g2).Masked(b2.Greater(cut)).Add(bad))
}

// threeMuon512 is muon by polynomials.
func (l *Lanes) threeMuon512(vs []vector, end int) {
	nesterov, quintics := l.law.Nesterov, l.quintics
	one, scale := set512(1), set512(l.law.Scale)
	for l.hasStep(vs, end) {
		v := &vs[0]
		h, c := v.three512()
		if !noObservation512(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch512(v)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three512()
		g0, g1, g2 := halfGradient512(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v)
		beta := h.beta.v
		part := one.Sub(beta)
		part = part.Add(part)
		g0, g1, g2 = part.Mul(g0), part.Mul(g1), part.Mul(g2)
		x0, x1, x2 := beta.Mul(c[0].m.v).Add(g0), beta.Mul(c[1].m.v).Add(g1), beta.Mul(c[2].m.v).Add(g2)
		c[0].m.v, c[1].m.v, c[2].m.v = x0, x1, x2
		if nesterov {
			x0, x1, x2 = g0.Add(beta.Mul(x0)), g1.Add(beta.Mul(x1)), g2.Add(beta.Mul(x2))
		}
		inverse := l.inverse512(x0.Mul(x0).Add(c[1].n.v.Mul(x1.Mul(x1))).Add(c[2].n.v.Mul(x2.Mul(x2))))
		x0, x1, x2 = x0.Mul(inverse), x1.Mul(inverse), x2.Mul(inverse)
		for k := range quintics {
			p := (*[3]row512)(unsafe.Pointer(&quintics[k]))
			x0 = polynomial512(p, x0)
			x1 = polynomial512(p, x1)
			x2 = polynomial512(p, x2)
		}
		rate, keep := l.rate512(v).Mul(scale), l.keep512(v)
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		c[0].w[0].v = keep.Mul(w0).Sub(rate.Mul(x0))
		c[1].w[0].v = keep.Mul(w1).Sub(rate.Mul(x1))
		c[2].w[0].v = keep.Mul(w2).Sub(rate.Mul(x2))
		l.endStep()
	}
}

// three512 returns the points' head and cells.
func (v *vector) three512() (*head512, *[3]cell512) {
	return (*head512)(v.head), (*[3]cell512)(v.cells)
}

// distances512 are w_g², less τ in the first group.
func distances512(h *head512, c *[3]cell512) (a0, a1, a2 vec512) {
	w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
	return w0.Mul(w0).Sub(h.tau.v), w1.Mul(w1), w2.Mul(w2)
}

// halfTrace512 is ½T.
func halfTrace512(c *[3]cell512, a0, a1, a2 vec512) vec512 {
	return a0.Mul(c[0].v.v).Add(a1.Mul(c[1].v.v).Add(a2.Mul(c[2].v.v)))
}

// halfGradient512 is q_g (q_g a_g + ½T) w_g.
func halfGradient512(h *head512, c *[3]cell512, w0, w1, w2 vec512) (g0, g1, g2 vec512) {
	a0, a1, a2 := w0.Mul(w0).Sub(h.tau.v), w1.Mul(w1), w2.Mul(w2)
	half := halfTrace512(c, a0, a1, a2)
	g0 = half.Add(a0.Mul(c[0].q.v)).Mul(c[0].q.v.Mul(w0))
	g1 = half.Add(a1.Mul(c[1].q.v)).Mul(c[1].q.v.Mul(w1))
	g2 = half.Add(a2.Mul(c[2].q.v)).Mul(c[2].q.v.Mul(w2))
	return g0, g1, g2
}

// noObservation512 reports whether no lane needs an observation because of its energies: none of
// the differences is negative. NaN is not below the limit. The iterate is passed as vectors because
// the compiler then inlines more.
func noObservation512(h *head512, c *[3]cell512, w0, w1, w2 vec512) bool {
	e0, e1, e2 := w0.Mul(w0), w1.Mul(w1).Mul(c[1].n.v), w2.Mul(w2).Mul(c[2].n.v)
	norm2 := e0.Add(e1).Add(e2)
	spike := and512(e1, h.spikes[1].v).Add(and512(e2, h.spikes[2].v))
	over := or512(h.signal.v.Mul(norm2).Sub(e0), h.spike.v.Mul(norm2).Sub(spike.Add(set512(subnormalGuard))))
	over = or512(over, e0.Sub(h.below.v.Mul(norm2)))
	return h.limit.v.GreaterEqual(norm2).ToBits()&^negative512(over).ToBits() == all1s512
}

// threeWatch512 is watch512 for three groups.
//
//go:noinline
func (l *Lanes) threeWatch512(v *vector) {
	h, c := v.three512()
	signal := c[0].w[0].v.Mul(c[0].w[0].v)
	a0, a1, a2 := distances512(h, c)
	e1, e2 := a1.Mul(c[1].n.v), a2.Mul(c[2].n.v)
	x0, x1, x2 := a0.Mul(c[0].q.v), a1.Mul(c[1].q.v), a2.Mul(c[2].q.v)
	y1, y2 := x1.Mul(c[1].n.v), x2.Mul(c[2].n.v)
	t := x0.Add(y1).Add(y2)
	s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
	spike := and512(e1, h.spikes[1].v).Add(and512(e2, h.spikes[2].v))
	l.watch512(v, s.Add(s).Add(t.Mul(t)), signal.Add(e1).Add(e2), spike, signal)
}
