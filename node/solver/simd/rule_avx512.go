//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// update512 stores the update of a rule that needs all of the gradient first, or little memory.
func (l *Lanes) update512(v *vector) {
	u, one := &l.law, set512(1)
	fresh := one.Sub((*head512)(v.head).beta.v)
	switch u.Rule {
	case Momentum:
		l.heavyBall512(v, one)
	case NGD:
		top, _ := l.slopes512(v)
		l.ngd512(v, top)
	case SpecGD, NucSpec:
		top, sum := l.slopes512(v)
		scale := one
		if u.Rule == NucSpec {
			scale = sum
		}
		l.polar512(v, top, sum, scale)
	case Muon:
		l.heavyBall512(v, fresh)
		if u.Exact {
			top, sum := l.size512(v)
			l.polar512(v, top, sum, set512(u.Scale))
		} else {
			l.quintic512(v)
		}
	case Power:
		top, sum := l.slopes512(v)
		l.power512(v, top, sum)
	case DynMuon:
		l.heavyBall512(v, one)
		top, sum := l.size512(v)
		l.power512(v, top, sum)
	case SignGD:
		l.slopes512(v)
		l.sign512(v)
	case Signum:
		l.heavyBall512(v, fresh)
		l.sign512(v)
	case Lion:
		l.lion512(v)
	default:
		panic(noKernel)
	}
}

// first512 is the first cell of a strand, next512 the one after a cell. After the last one there is
// another.
func (v *vector) first512(s *strand) *cell512 { return (*cell512)(unsafe.Add(v.cells, s.cells)) }

func next512(c *cell512) *cell512 { return (*cell512)(unsafe.Add(unsafe.Pointer(c), cellSize)) }

// heavyBall512: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall512(v *vector, fresh vec512) {
	h, at := (*head512)(v.head), l.now&1
	beta, t := h.beta.v, h.trace.v
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g := fresh.Mul(gradient512(c, at, target, t))
			target = zero
			b := beta.Mul(c.m.v).Add(g)
			c.m.v = b
			if l.law.Nesterov {
				b = g.Add(beta.Mul(b))
			}
			c.g.v = b
			c = next512(c)
		}
	}
}

// square512 is ‖G‖_F².
func (l *Lanes) square512(v *vector) vec512 {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec512
		p := v.parts512(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first512(s)
		for range s.n {
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
			c = next512(c)
		}
		p[0][0].v = sum
	}
	h := (*head512)(v.head)
	if l.across {
		return acrossTotal512(h, 0)
	}
	return l.total512(h, 0)
}

// slopes512 stores the gradient of every eigenspace, and returns what size512 does.
func (l *Lanes) slopes512(v *vector) (top, nuclear vec512) {
	h, at := (*head512)(v.head), l.now&1
	t := h.trace.v
	var zero vec512
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec512
		p := v.parts512(s)
		if s.more {
			sum = p[0][0].v
		}
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g := gradient512(c, at, target, t)
			target = zero
			c.g.v = g
			g = abs512(g)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next512(c)
		}
		p[0][0].v = sum
	}
	if l.across {
		return acrossLargest512(h, top), acrossTotal512(h, 0)
	}
	return top, l.total512(h, 0)
}

// size512 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size512(v *vector) (top, nuclear vec512) {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec512
		p := v.parts512(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first512(s)
		for range s.n {
			g := abs512(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next512(c)
		}
		p[0][0].v = sum
	}
	h := (*head512)(v.head)
	if l.across {
		return acrossLargest512(h, top), acrossTotal512(h, 0)
	}
	return top, l.total512(h, 0)
}

// ngd512 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd512(v *vector, top vec512) {
	scale := twoTo512(set512(0).Sub(exponent512(top).Min(set512(1022))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			c.g.v = c.g.v.Mul(scale)
			c = next512(c)
		}
	}
	inverse := set512(1).Div(l.square512(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set512(math.Inf(1))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			c.g.v = c.g.v.Mul(inverse)
			c = next512(c)
		}
	}
}

// polar512 replaces g by ±scale, and by 0 where it counts as zero; a gradient that is not finite
// gives NaN.
func (l *Lanes) polar512(v *vector, top, sum, scale vec512) {
	cut, bad := top.Mul((*head512)(v.head).rtol.v), sum.Sub(sum)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip512(scale, g).Masked(abs512(g).Greater(cut)).Add(bad)
			c = next512(c)
		}
	}
}

// inverse512 is what muon multiplies a matrix by before its polynomials, from the square of the
// Frobenius norm.
func (l *Lanes) inverse512(square vec512) vec512 {
	return set512(1).Div(set512(l.law.Slack).Mul(square.Sqrt()).Add(set512(1e-7)))
}

// polynomial512 is one of muon's: odd, of degree five.
func polynomial512(p *[3]row512, x vec512) vec512 {
	y := x.Mul(x)
	return x.Mul(p[0].v.Add(y.Mul(p[1].v.Add(y.Mul(p[2].v)))))
}

// quintic512 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic512(v *vector) {
	inverse, scale := l.inverse512(l.square512(v)), set512(l.law.Scale)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			x := c.g.v.Mul(inverse)
			for k := range l.quintics {
				x = polynomial512((*[3]row512)(unsafe.Pointer(&l.quintics[k])), x)
			}
			c.g.v = scale.Mul(x)
			c = next512(c)
		}
	}
}

// power512 replaces |g| by its power, 0 where it counts as zero. What the loop needs again after
// the call of log512 is in the head: Go's stack does not align vectors, and one that straddles two
// cache lines would take the loop half as long again.
func (l *Lanes) power512(v *vector, top, sum vec512) {
	h := (*head512)(v.head)
	cut, bad, unit, exponent := &h.held[0], &h.held[1], &h.held[2], &h.held[3]
	cut.v, bad.v, unit.v, exponent.v = top.Mul(h.rtol.v), sum.Sub(sum), set512(1), h.power.v
	if l.law.Normalize {
		unit.v = top
	}
	if l.law.Scheduled {
		exponent.v = l.tabled512(l.powers, v)
	}
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			phi := exp512(log512(abs512(c.g.v).Div(unit.v)).Mul(exponent.v))
			g := c.g.v
			c.g.v = flip512(phi, g).Masked(abs512(g).Greater(cut.v)).Add(bad.v)
			c = next512(c)
		}
	}
}

func (l *Lanes) sign512(v *vector) {
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip512(set512(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
			c = next512(c)
		}
	}
}

// lion512 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion512(v *vector) {
	h, one := (*head512)(v.head), set512(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2, at, t := one.Sub(beta), one.Sub(beta2), l.now&1, h.trace.v
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g, m := gradient512(c, at, target, t), c.m.v
			target = zero
			c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
			c.g.v = beta.Mul(m).Add(fresh.Mul(g))
			c = next512(c)
		}
	}
	l.sign512(v)
}

// gd512 is the whole step.
func (l *Lanes) gd512(v *vector) {
	h, at := (*head512)(v.head), l.now&1
	rate, keep, t := l.rate512(v), l.keep512(v), h.trace.v
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g := gradient512(c, at, target, t)
			target = zero
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g))
			c = next512(c)
		}
	}
}

// adam512 is the whole step, to read no group twice. It corrects the means by reciprocals: two
// divisions, not two for each group.
func (l *Lanes) adam512(v *vector) {
	h, at, one := (*head512)(v.head), l.now&1, set512(1)
	beta, beta2, epsilon := h.beta.v, h.beta2.v, h.epsilon.v
	decay1, decay2 := h.decay1.v.Mul(beta), h.decay2.v.Mul(beta2)
	h.decay1.v, h.decay2.v = decay1, decay2
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Div(one.Sub(decay1)), one.Div(one.Sub(decay2))
	rate, keep, t := l.rate512(v), l.keep512(v), h.trace.v
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g := gradient512(c, at, target, t)
			target = zero
			m := beta.Mul(c.m.v).Add(fresh.Mul(g))
			square := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
			c.m.v, c.v.v = m, square
			mean := m.Mul(whole)
			u := mean.Div(square.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
			c = next512(c)
		}
	}
}

// shampoo512 is the whole step too.
func (l *Lanes) shampoo512(v *vector) {
	h, at := (*head512)(v.head), l.now&1
	rate, keep, t := l.rate512(v), l.keep512(v), h.trace.v
	var zero vec512
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target512(h, s)
		c := v.first512(s)
		for range s.n {
			g := gradient512(c, at, target, t)
			target = zero
			square := c.v.v.Add(g.Mul(g))
			c.v.v = square
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(square.Sqrt())))
			c = next512(c)
		}
	}
}
