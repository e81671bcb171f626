// Code generated from the template by go generate. DO NOT EDIT.

package simd

import "unsafe"

// Steps of three groups, all in registers. With a_g = w_g², less τ in the first group, and p_g = ½
// n_g q_g, ½T = Σ p_g a_g and half the gradient is q_g (q_g a_g + ½T) w_g: only the last addition
// waits for the sum. A vector takes all steps until end before the next one does, so that its
// numbers stay in the first-level cache.

// threeGD64 is w <- w (keep - k a - r ½T), r = 2 lr q, k = r q.
func (l *Lanes) threeGD64(vs []vector, end int) {
	scheduled := l.law.Scheduled
	for l.unobservedGD64(vs, end) {
		v := &vs[0]
		vB := &vs[1]
		h, c := v.three64()
		hB, cB := vB.three64()
		if !noObservation64(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch64(v)
		}
		if !noObservation64(hB, cB, cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v) || vB.shared.due(l.now) {
			l.threeWatch64(vB)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three64()
		hB, cB = vB.three64()
		if scheduled {
			l.threeRates64(v)
		}
		if scheduled {
			l.threeRates64(vB)
		}
		a0, a1, a2 := distances64(h, c)
		a0B, a1B, a2B := distances64(hB, cB)
		half := halfTrace64(c, a0, a1, a2)
		halfB := halfTrace64(cB, a0B, a1B, a2B)
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		w0B, w1B, w2B := cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		cB[0].w[1].v, cB[1].w[1].v, cB[2].w[1].v = w0B, w1B, w2B
		c[0].w[0].v = h.keep.v.Sub(c[0].m.v.Mul(a0)).Sub(c[0].g.v.Mul(half)).Mul(w0)
		cB[0].w[0].v = hB.keep.v.Sub(cB[0].m.v.Mul(a0B)).Sub(cB[0].g.v.Mul(halfB)).Mul(w0B)
		c[1].w[0].v = h.keep.v.Sub(c[1].m.v.Mul(a1)).Sub(c[1].g.v.Mul(half)).Mul(w1)
		cB[1].w[0].v = hB.keep.v.Sub(cB[1].m.v.Mul(a1B)).Sub(cB[1].g.v.Mul(halfB)).Mul(w1B)
		c[2].w[0].v = h.keep.v.Sub(c[2].m.v.Mul(a2)).Sub(c[2].g.v.Mul(half)).Mul(w2)
		cB[2].w[0].v = hB.keep.v.Sub(cB[2].m.v.Mul(a2B)).Sub(cB[2].g.v.Mul(halfB)).Mul(w2B)
		l.endStep()
	}
}

// threeRates64 sets what depends on the learning rate.
func (l *Lanes) threeRates64(v *vector) {
	h, c := v.three64()
	rate := l.tabled64(l.rates, v)
	rate = rate.Add(rate)
	h.keep.v = l.keep64(v)
	for g := range c {
		r := rate.Mul(c[g].q.v)
		c[g].g.v, c[g].m.v = r, r.Mul(c[g].q.v)
	}
}

// threeSpecGD64 is w <- keep w - lr sign(g).
func (l *Lanes) threeSpecGD64(vs []vector, end int) {
	scheduled, decays := l.law.Scheduled, l.law.Decays
	for l.unobservedSpecGD64(vs, end) {
		v := &vs[0]
		vB := &vs[1]
		h, c := v.three64()
		hB, cB := vB.three64()
		if !noObservation64(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch64(v)
		}
		if !noObservation64(hB, cB, cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v) || vB.shared.due(l.now) {
			l.threeWatch64(vB)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three64()
		hB, cB = vB.three64()
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		w0B, w1B, w2B := cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v
		g0, g1, g2 := halfGradient64(h, c, w0, w1, w2)
		g0B, g1B, g2B := halfGradient64(hB, cB, w0B, w1B, w2B)
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		cB[0].w[1].v, cB[1].w[1].v, cB[2].w[1].v = w0B, w1B, w2B
		rate := h.rate.v
		rateB := hB.rate.v
		if scheduled {
			rate = l.tabled64(l.rates, v)
		}
		if scheduled {
			rateB = l.tabled64(l.rates, vB)
		}
		if decays {
			keep := l.keep64(v)
			w0, w1, w2 = keep.Mul(w0), keep.Mul(w1), keep.Mul(w2)
		}
		if decays {
			keepB := l.keep64(vB)
			w0B, w1B, w2B = keepB.Mul(w0B), keepB.Mul(w1B), keepB.Mul(w2B)
		}
		w0, w1, w2 = w0.Sub(flip64(rate, g0)), w1.Sub(flip64(rate, g1)), w2.Sub(flip64(rate, g2))
		w0B, w1B, w2B = w0B.Sub(flip64(rateB, g0B)), w1B.Sub(flip64(rateB, g1B)), w2B.Sub(flip64(rateB, g2B))
		c[0].w[0].v, c[1].w[0].v, c[2].w[0].v = w0, w1, w2
		cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v = w0B, w1B, w2B
		if !allCount64(h.rtol.v, g0, g1, g2) {
			l.threeZeros64(v)
		}
		if !allCount64(hB.rtol.v, g0B, g1B, g2B) {
			l.threeZeros64(vB)
		}
		l.endStep()
	}
}

// allCount64 reports whether no gradient counts as zero and all are finite: an infinite one makes
// the cut infinite, and through T all of them.
func allCount64(rtol, g0, g1, g2 vec64) bool {
	g0, g1, g2 = abs64(g0), abs64(g1), abs64(g2)
	return g0.Min(g1).Min(g2).Greater(g0.Max(g1).Max(g2).Mul(rtol)).ToBits() == all1s64
}

// threeZeros64 is the step of specgd again, from the iterate before, where some count as zero;
// what is not finite gives NaN.
//
//go:noinline
func (l *Lanes) threeZeros64(v *vector) {
	h, c := v.three64()
	w0, w1, w2 := c[0].w[1].v, c[1].w[1].v, c[2].w[1].v
	g0, g1, g2 := halfGradient64(h, c, w0, w1, w2)
	b0, b1, b2 := abs64(g0), abs64(g1), abs64(g2)
	cut, bad := b0.Max(b1).Max(b2).Mul(h.rtol.v), b0.Sub(b0).Add(b1.Sub(b1)).Add(b2.Sub(b2))
	rate, keep := l.rate64(v), l.keep64(v)
	c[0].w[0].v = keep.Mul(w0).Sub(flip64(rate, g0).Masked(b0.Greater(cut)).Add(bad))
	c[1].w[0].v = keep.Mul(w1).Sub(flip64(rate, g1).Masked(b1.Greater(cut)).Add(bad))
	c[2].w[0].v = keep.Mul(w2).Sub(flip64(rate, g2).Masked(b2.Greater(cut)).Add(bad))
}

// threeMuon64 is muon by polynomials.
func (l *Lanes) threeMuon64(vs []vector, end int) {
	nesterov, quintics := l.law.Nesterov, l.quintics
	one, scale := set64(1), set64(l.law.Scale)
	for l.hasStep(vs, end) {
		v := &vs[0]
		vB := &vs[1]
		h, c := v.three64()
		hB, cB := vB.three64()
		if !noObservation64(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v) || v.shared.due(l.now) {
			l.threeWatch64(v)
		}
		if !noObservation64(hB, cB, cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v) || vB.shared.due(l.now) {
			l.threeWatch64(vB)
		}
		// Loaded again: pointers kept across the rare call would be spilled in every round.
		h, c = v.three64()
		hB, cB = vB.three64()
		g0, g1, g2 := halfGradient64(h, c, c[0].w[0].v, c[1].w[0].v, c[2].w[0].v)
		g0B, g1B, g2B := halfGradient64(hB, cB, cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v)
		beta := h.beta.v
		betaB := hB.beta.v
		part := one.Sub(beta)
		partB := one.Sub(betaB)
		part = part.Add(part)
		partB = partB.Add(partB)
		g0, g1, g2 = part.Mul(g0), part.Mul(g1), part.Mul(g2)
		g0B, g1B, g2B = partB.Mul(g0B), partB.Mul(g1B), partB.Mul(g2B)
		x0, x1, x2 := beta.Mul(c[0].m.v).Add(g0), beta.Mul(c[1].m.v).Add(g1), beta.Mul(c[2].m.v).Add(g2)
		x0B, x1B, x2B := betaB.Mul(cB[0].m.v).Add(g0B), betaB.Mul(cB[1].m.v).Add(g1B), betaB.Mul(cB[2].m.v).Add(g2B)
		c[0].m.v, c[1].m.v, c[2].m.v = x0, x1, x2
		cB[0].m.v, cB[1].m.v, cB[2].m.v = x0B, x1B, x2B
		if nesterov {
			x0, x1, x2 = g0.Add(beta.Mul(x0)), g1.Add(beta.Mul(x1)), g2.Add(beta.Mul(x2))
		}
		if nesterov {
			x0B, x1B, x2B = g0B.Add(betaB.Mul(x0B)), g1B.Add(betaB.Mul(x1B)), g2B.Add(betaB.Mul(x2B))
		}
		inverse := l.inverse64(x0.Mul(x0).Add(c[1].n.v.Mul(x1.Mul(x1))).Add(c[2].n.v.Mul(x2.Mul(x2))))
		inverseB := l.inverse64(x0B.Mul(x0B).Add(cB[1].n.v.Mul(x1B.Mul(x1B))).Add(cB[2].n.v.Mul(x2B.Mul(x2B))))
		x0, x1, x2 = x0.Mul(inverse), x1.Mul(inverse), x2.Mul(inverse)
		x0B, x1B, x2B = x0B.Mul(inverseB), x1B.Mul(inverseB), x2B.Mul(inverseB)
		for k := range quintics {
			p := (*[3]row64)(unsafe.Pointer(&quintics[k]))
			x0 = polynomial64(p, x0)
			x0B = polynomial64(p, x0B)
			x1 = polynomial64(p, x1)
			x1B = polynomial64(p, x1B)
			x2 = polynomial64(p, x2)
			x2B = polynomial64(p, x2B)
		}
		rate, keep := l.rate64(v).Mul(scale), l.keep64(v)
		rateB, keepB := l.rate64(vB).Mul(scale), l.keep64(vB)
		w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
		w0B, w1B, w2B := cB[0].w[0].v, cB[1].w[0].v, cB[2].w[0].v
		c[0].w[1].v, c[1].w[1].v, c[2].w[1].v = w0, w1, w2
		cB[0].w[1].v, cB[1].w[1].v, cB[2].w[1].v = w0B, w1B, w2B
		c[0].w[0].v = keep.Mul(w0).Sub(rate.Mul(x0))
		cB[0].w[0].v = keepB.Mul(w0B).Sub(rateB.Mul(x0B))
		c[1].w[0].v = keep.Mul(w1).Sub(rate.Mul(x1))
		cB[1].w[0].v = keepB.Mul(w1B).Sub(rateB.Mul(x1B))
		c[2].w[0].v = keep.Mul(w2).Sub(rate.Mul(x2))
		cB[2].w[0].v = keepB.Mul(w2B).Sub(rateB.Mul(x2B))
		l.endStep()
	}
}

// three64 returns the points' head and cells.
func (v *vector) three64() (*head64, *[3]cell64) {
	return (*head64)(v.head), (*[3]cell64)(v.cells)
}

// distances64 are w_g², less τ in the first group.
func distances64(h *head64, c *[3]cell64) (a0, a1, a2 vec64) {
	w0, w1, w2 := c[0].w[0].v, c[1].w[0].v, c[2].w[0].v
	return w0.Mul(w0).Sub(h.tau.v), w1.Mul(w1), w2.Mul(w2)
}

// halfTrace64 is ½T.
func halfTrace64(c *[3]cell64, a0, a1, a2 vec64) vec64 {
	return a0.Mul(c[0].v.v).Add(a1.Mul(c[1].v.v).Add(a2.Mul(c[2].v.v)))
}

// halfGradient64 is q_g (q_g a_g + ½T) w_g.
func halfGradient64(h *head64, c *[3]cell64, w0, w1, w2 vec64) (g0, g1, g2 vec64) {
	a0, a1, a2 := w0.Mul(w0).Sub(h.tau.v), w1.Mul(w1), w2.Mul(w2)
	half := halfTrace64(c, a0, a1, a2)
	g0 = half.Add(a0.Mul(c[0].q.v)).Mul(c[0].q.v.Mul(w0))
	g1 = half.Add(a1.Mul(c[1].q.v)).Mul(c[1].q.v.Mul(w1))
	g2 = half.Add(a2.Mul(c[2].q.v)).Mul(c[2].q.v.Mul(w2))
	return g0, g1, g2
}

// noObservation64 reports whether no lane needs an observation because of its energies: none of
// the differences is negative. NaN is not below the limit. The iterate is passed as vectors because
// the compiler then inlines more.
func noObservation64(h *head64, c *[3]cell64, w0, w1, w2 vec64) bool {
	e0, e1, e2 := w0.Mul(w0), w1.Mul(w1).Mul(c[1].n.v), w2.Mul(w2).Mul(c[2].n.v)
	norm2 := e0.Add(e1).Add(e2)
	spike := and64(e1, h.spikes[1].v).Add(and64(e2, h.spikes[2].v))
	over := or64(h.signal.v.Mul(norm2).Sub(e0), h.spike.v.Mul(norm2).Sub(spike.Add(set64(subnormalGuard))))
	over = or64(over, e0.Sub(h.below.v.Mul(norm2)))
	return h.limit.v.GreaterEqual(norm2).ToBits()&^negative64(over).ToBits() == all1s64
}

// threeWatch64 is watch64 for three groups.
//
//go:noinline
func (l *Lanes) threeWatch64(v *vector) {
	h, c := v.three64()
	signal := c[0].w[0].v.Mul(c[0].w[0].v)
	a0, a1, a2 := distances64(h, c)
	e1, e2 := a1.Mul(c[1].n.v), a2.Mul(c[2].n.v)
	x0, x1, x2 := a0.Mul(c[0].q.v), a1.Mul(c[1].q.v), a2.Mul(c[2].q.v)
	y1, y2 := x1.Mul(c[1].n.v), x2.Mul(c[2].n.v)
	t := x0.Add(y1).Add(y2)
	s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
	spike := and64(e1, h.spikes[1].v).Add(and64(e2, h.spikes[2].v))
	l.watch64(v, s.Add(s).Add(t.Mul(t)), signal.Add(e1).Add(e2), spike, signal)
}
