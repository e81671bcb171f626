// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import (
	"math"
	"unsafe"
)

// update64 stores the update of a rule that needs all of the gradient first, or little memory.
func (l *Lanes) update64(v *vector) {
	u, one := &l.law, set64(1)
	fresh := one.Sub((*head64)(v.head).beta.v)
	switch u.Rule {
	case Momentum:
		l.heavyBall64(v, one)
	case NGD:
		top, _ := l.slopes64(v)
		l.ngd64(v, top)
	case SpecGD, NucSpec:
		top, sum := l.slopes64(v)
		scale := one
		if u.Rule == NucSpec {
			scale = sum
		}
		l.polar64(v, top, sum, scale)
	case Muon:
		l.heavyBall64(v, fresh)
		if u.Exact {
			top, sum := l.size64(v)
			l.polar64(v, top, sum, set64(u.Scale))
		} else {
			l.quintic64(v)
		}
	case Power:
		top, sum := l.slopes64(v)
		l.power64(v, top, sum)
	case DynMuon:
		l.heavyBall64(v, one)
		top, sum := l.size64(v)
		l.power64(v, top, sum)
	case SignGD:
		l.slopes64(v)
		l.sign64(v)
	case Signum:
		l.heavyBall64(v, fresh)
		l.sign64(v)
	case Lion:
		l.lion64(v)
	default:
		panic(noKernel)
	}
}

// first64 is the first cell of a strand, next64 the one after a cell. After the last one there is
// another.
func (v *vector) first64(s *strand) *cell64 { return (*cell64)(unsafe.Add(v.cells, s.cells)) }

func next64(c *cell64) *cell64 { return (*cell64)(unsafe.Add(unsafe.Pointer(c), cellSize)) }

// heavyBall64: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall64(v *vector, fresh vec64) {
	h, at := (*head64)(v.head), l.now&1
	beta, t := h.beta.v, h.trace.v
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g := fresh.Mul(gradient64(c, at, target, t))
			target = zero
			b := beta.Mul(c.m.v).Add(g)
			c.m.v = b
			if l.law.Nesterov {
				b = g.Add(beta.Mul(b))
			}
			c.g.v = b
			c = next64(c)
		}
	}
}

// square64 is ‖G‖_F².
func (l *Lanes) square64(v *vector) vec64 {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec64
		p := v.parts64(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first64(s)
		for range s.n {
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
			c = next64(c)
		}
		p[0][0].v = sum
	}
	h := (*head64)(v.head)
	if l.across {
		return acrossTotal64(h, 0)
	}
	return l.total64(h, 0)
}

// slopes64 stores the gradient of every eigenspace, and returns what size64 does.
func (l *Lanes) slopes64(v *vector) (top, nuclear vec64) {
	h, at := (*head64)(v.head), l.now&1
	t := h.trace.v
	var zero vec64
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec64
		p := v.parts64(s)
		if s.more {
			sum = p[0][0].v
		}
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g := gradient64(c, at, target, t)
			target = zero
			c.g.v = g
			g = abs64(g)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next64(c)
		}
		p[0][0].v = sum
	}
	if l.across {
		return acrossLargest64(h, top), acrossTotal64(h, 0)
	}
	return top, l.total64(h, 0)
}

// size64 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size64(v *vector) (top, nuclear vec64) {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec64
		p := v.parts64(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first64(s)
		for range s.n {
			g := abs64(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next64(c)
		}
		p[0][0].v = sum
	}
	h := (*head64)(v.head)
	if l.across {
		return acrossLargest64(h, top), acrossTotal64(h, 0)
	}
	return top, l.total64(h, 0)
}

// ngd64 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd64(v *vector, top vec64) {
	scale := twoTo64(set64(0).Sub(exponent64(top).Min(set64(1022))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			c.g.v = c.g.v.Mul(scale)
			c = next64(c)
		}
	}
	inverse := set64(1).Div(l.square64(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set64(math.Inf(1))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			c.g.v = c.g.v.Mul(inverse)
			c = next64(c)
		}
	}
}

// polar64 replaces g by ±scale, and by 0 where it counts as zero; a gradient that is not finite
// gives NaN.
func (l *Lanes) polar64(v *vector, top, sum, scale vec64) {
	cut, bad := top.Mul((*head64)(v.head).rtol.v), sum.Sub(sum)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip64(scale, g).Masked(abs64(g).Greater(cut)).Add(bad)
			c = next64(c)
		}
	}
}

// inverse64 is what muon multiplies a matrix by before its polynomials, from the square of the
// Frobenius norm.
func (l *Lanes) inverse64(square vec64) vec64 {
	return set64(1).Div(set64(l.law.Slack).Mul(square.Sqrt()).Add(set64(1e-7)))
}

// polynomial64 is one of muon's: odd, of degree five.
func polynomial64(p *[3]row64, x vec64) vec64 {
	y := x.Mul(x)
	return x.Mul(p[0].v.Add(y.Mul(p[1].v.Add(y.Mul(p[2].v)))))
}

// quintic64 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic64(v *vector) {
	inverse, scale := l.inverse64(l.square64(v)), set64(l.law.Scale)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			x := c.g.v.Mul(inverse)
			for k := range l.quintics {
				x = polynomial64((*[3]row64)(unsafe.Pointer(&l.quintics[k])), x)
			}
			c.g.v = scale.Mul(x)
			c = next64(c)
		}
	}
}

// power64 replaces |g| by its power, 0 where it counts as zero. What the loop needs again after
// the call of log64 is in the head: Go's stack does not align vectors, and one that straddles two
// cache lines would take the loop half as long again.
func (l *Lanes) power64(v *vector, top, sum vec64) {
	h := (*head64)(v.head)
	cut, bad, unit, exponent := &h.held[0], &h.held[1], &h.held[2], &h.held[3]
	cut.v, bad.v, unit.v, exponent.v = top.Mul(h.rtol.v), sum.Sub(sum), set64(1), h.power.v
	if l.law.Normalize {
		unit.v = top
	}
	if l.law.Scheduled {
		exponent.v = l.tabled64(l.powers, v)
	}
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			phi := exp64(log64(abs64(c.g.v).Div(unit.v)).Mul(exponent.v))
			g := c.g.v
			c.g.v = flip64(phi, g).Masked(abs64(g).Greater(cut.v)).Add(bad.v)
			c = next64(c)
		}
	}
}

func (l *Lanes) sign64(v *vector) {
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip64(set64(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
			c = next64(c)
		}
	}
}

// lion64 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion64(v *vector) {
	h, one := (*head64)(v.head), set64(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2, at, t := one.Sub(beta), one.Sub(beta2), l.now&1, h.trace.v
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g, m := gradient64(c, at, target, t), c.m.v
			target = zero
			c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
			c.g.v = beta.Mul(m).Add(fresh.Mul(g))
			c = next64(c)
		}
	}
	l.sign64(v)
}

// gd64 is the whole step.
func (l *Lanes) gd64(v *vector) {
	h, at := (*head64)(v.head), l.now&1
	rate, keep, t := l.rate64(v), l.keep64(v), h.trace.v
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g := gradient64(c, at, target, t)
			target = zero
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g))
			c = next64(c)
		}
	}
}

// adam64 is the whole step, to read no group twice. It corrects the means by reciprocals: two
// divisions, not two for each group.
func (l *Lanes) adam64(v *vector) {
	h, at, one := (*head64)(v.head), l.now&1, set64(1)
	beta, beta2, epsilon := h.beta.v, h.beta2.v, h.epsilon.v
	decay1, decay2 := h.decay1.v.Mul(beta), h.decay2.v.Mul(beta2)
	h.decay1.v, h.decay2.v = decay1, decay2
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Div(one.Sub(decay1)), one.Div(one.Sub(decay2))
	rate, keep, t := l.rate64(v), l.keep64(v), h.trace.v
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g := gradient64(c, at, target, t)
			target = zero
			m := beta.Mul(c.m.v).Add(fresh.Mul(g))
			square := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
			c.m.v, c.v.v = m, square
			mean := m.Mul(whole)
			u := mean.Div(square.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
			c = next64(c)
		}
	}
}

// shampoo64 is the whole step too.
func (l *Lanes) shampoo64(v *vector) {
	h, at := (*head64)(v.head), l.now&1
	rate, keep, t := l.rate64(v), l.keep64(v), h.trace.v
	var zero vec64
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
			g := gradient64(c, at, target, t)
			target = zero
			square := c.v.v.Add(g.Mul(g))
			c.v.v = square
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(square.Sqrt())))
			c = next64(c)
		}
	}
}
