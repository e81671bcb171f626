// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// update256 stores the update of a rule that needs all of the gradient first, or little memory.
func (l *Lanes) update256(v *vector) {
	u, one := &l.law, set256(1)
	fresh := one.Sub((*head256)(v.head).beta.v)
	switch u.Rule {
	case Momentum:
		l.heavyBall256(v, one)
	case NGD:
		top, _ := l.slopes256(v)
		l.ngd256(v, top)
	case SpecGD, NucSpec:
		top, sum := l.slopes256(v)
		scale := one
		if u.Rule == NucSpec {
			scale = sum
		}
		l.polar256(v, top, sum, scale)
	case Muon:
		l.heavyBall256(v, fresh)
		if u.Exact {
			top, sum := l.size256(v)
			l.polar256(v, top, sum, set256(u.Scale))
		} else {
			l.quintic256(v)
		}
	case Power:
		top, sum := l.slopes256(v)
		l.power256(v, top, sum)
	case DynMuon:
		l.heavyBall256(v, one)
		top, sum := l.size256(v)
		l.power256(v, top, sum)
	case SignGD:
		l.slopes256(v)
		l.sign256(v)
	case Signum:
		l.heavyBall256(v, fresh)
		l.sign256(v)
	case Lion:
		l.lion256(v)
	default:
		panic(noKernel)
	}
}

// first256 is the first cell of a strand, next256 the one after a cell. After the last one there is
// another.
func (v *vector) first256(s *strand) *cell256 { return (*cell256)(unsafe.Add(v.cells, s.cells)) }

func next256(c *cell256) *cell256 { return (*cell256)(unsafe.Add(unsafe.Pointer(c), cellSize)) }

// heavyBall256: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall256(v *vector, fresh vec256) {
	h, at := (*head256)(v.head), l.now&1
	beta, t := h.beta.v, h.trace.v
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g := fresh.Mul(gradient256(c, at, target, t))
			target = zero
			b := beta.Mul(c.m.v).Add(g)
			c.m.v = b
			if l.law.Nesterov {
				b = g.Add(beta.Mul(b))
			}
			c.g.v = b
			c = next256(c)
		}
	}
}

// square256 is ‖G‖_F².
func (l *Lanes) square256(v *vector) vec256 {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec256
		p := v.parts256(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first256(s)
		for range s.n {
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
			c = next256(c)
		}
		p[0][0].v = sum
	}
	h := (*head256)(v.head)
	if l.across {
		return acrossTotal256(h, 0)
	}
	return l.total256(h, 0)
}

// slopes256 stores the gradient of every eigenspace, and returns what size256 does.
func (l *Lanes) slopes256(v *vector) (top, nuclear vec256) {
	h, at := (*head256)(v.head), l.now&1
	t := h.trace.v
	var zero vec256
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec256
		p := v.parts256(s)
		if s.more {
			sum = p[0][0].v
		}
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g := gradient256(c, at, target, t)
			target = zero
			c.g.v = g
			g = abs256(g)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next256(c)
		}
		p[0][0].v = sum
	}
	if l.across {
		return acrossLargest256(h, top), acrossTotal256(h, 0)
	}
	return top, l.total256(h, 0)
}

// size256 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size256(v *vector) (top, nuclear vec256) {
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var sum vec256
		p := v.parts256(s)
		if s.more {
			sum = p[0][0].v
		}
		c := v.first256(s)
		for range s.n {
			g := abs256(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
			c = next256(c)
		}
		p[0][0].v = sum
	}
	h := (*head256)(v.head)
	if l.across {
		return acrossLargest256(h, top), acrossTotal256(h, 0)
	}
	return top, l.total256(h, 0)
}

// ngd256 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd256(v *vector, top vec256) {
	scale := twoTo256(set256(0).Sub(exponent256(top).Min(set256(1022))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			c.g.v = c.g.v.Mul(scale)
			c = next256(c)
		}
	}
	inverse := set256(1).Div(l.square256(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set256(math.Inf(1))))
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			c.g.v = c.g.v.Mul(inverse)
			c = next256(c)
		}
	}
}

// polar256 replaces g by ±scale, and by 0 where it counts as zero; a gradient that is not finite
// gives NaN.
func (l *Lanes) polar256(v *vector, top, sum, scale vec256) {
	cut, bad := top.Mul((*head256)(v.head).rtol.v), sum.Sub(sum)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip256(scale, g).Masked(abs256(g).Greater(cut)).Add(bad)
			c = next256(c)
		}
	}
}

// inverse256 is what muon multiplies a matrix by before its polynomials, from the square of the
// Frobenius norm.
func (l *Lanes) inverse256(square vec256) vec256 {
	return set256(1).Div(set256(l.law.Slack).Mul(square.Sqrt()).Add(set256(1e-7)))
}

// polynomial256 is one of muon's: odd, of degree five.
func polynomial256(p *[3]row256, x vec256) vec256 {
	y := x.Mul(x)
	return x.Mul(p[0].v.Add(y.Mul(p[1].v.Add(y.Mul(p[2].v)))))
}

// quintic256 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic256(v *vector) {
	inverse, scale := l.inverse256(l.square256(v)), set256(l.law.Scale)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			x := c.g.v.Mul(inverse)
			for k := range l.quintics {
				x = polynomial256((*[3]row256)(unsafe.Pointer(&l.quintics[k])), x)
			}
			c.g.v = scale.Mul(x)
			c = next256(c)
		}
	}
}

// power256 replaces |g| by its power, 0 where it counts as zero. What the loop needs again after
// the call of log256 is in the head: Go's stack does not align vectors, and one that straddles two
// cache lines would take the loop half as long again.
func (l *Lanes) power256(v *vector, top, sum vec256) {
	h := (*head256)(v.head)
	cut, bad, unit, exponent := &h.held[0], &h.held[1], &h.held[2], &h.held[3]
	cut.v, bad.v, unit.v, exponent.v = top.Mul(h.rtol.v), sum.Sub(sum), set256(1), h.power.v
	if l.law.Normalize {
		unit.v = top
	}
	if l.law.Scheduled {
		exponent.v = l.tabled256(l.powers, v)
	}
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			phi := exp256(log256(abs256(c.g.v).Div(unit.v)).Mul(exponent.v))
			g := c.g.v
			c.g.v = flip256(phi, g).Masked(abs256(g).Greater(cut.v)).Add(bad.v)
			c = next256(c)
		}
	}
}

func (l *Lanes) sign256(v *vector) {
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			g := c.g.v
			c.g.v = flip256(set256(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
			c = next256(c)
		}
	}
}

// lion256 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion256(v *vector) {
	h, one := (*head256)(v.head), set256(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2, at, t := one.Sub(beta), one.Sub(beta2), l.now&1, h.trace.v
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g, m := gradient256(c, at, target, t), c.m.v
			target = zero
			c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
			c.g.v = beta.Mul(m).Add(fresh.Mul(g))
			c = next256(c)
		}
	}
	l.sign256(v)
}

// gd256 is the whole step.
func (l *Lanes) gd256(v *vector) {
	h, at := (*head256)(v.head), l.now&1
	rate, keep, t := l.rate256(v), l.keep256(v), h.trace.v
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g := gradient256(c, at, target, t)
			target = zero
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g))
			c = next256(c)
		}
	}
}

// adam256 is the whole step, to read no group twice. It corrects the means by reciprocals: two
// divisions, not two for each group.
func (l *Lanes) adam256(v *vector) {
	h, at, one := (*head256)(v.head), l.now&1, set256(1)
	beta, beta2, epsilon := h.beta.v, h.beta2.v, h.epsilon.v
	decay1, decay2 := h.decay1.v.Mul(beta), h.decay2.v.Mul(beta2)
	h.decay1.v, h.decay2.v = decay1, decay2
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Div(one.Sub(decay1)), one.Div(one.Sub(decay2))
	rate, keep, t := l.rate256(v), l.keep256(v), h.trace.v
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g := gradient256(c, at, target, t)
			target = zero
			m := beta.Mul(c.m.v).Add(fresh.Mul(g))
			square := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
			c.m.v, c.v.v = m, square
			mean := m.Mul(whole)
			u := mean.Div(square.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
			c = next256(c)
		}
	}
}

// shampoo256 is the whole step too.
func (l *Lanes) shampoo256(v *vector) {
	h, at := (*head256)(v.head), l.now&1
	rate, keep, t := l.rate256(v), l.keep256(v), h.trace.v
	var zero vec256
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		target := target256(h, s)
		c := v.first256(s)
		for range s.n {
			g := gradient256(c, at, target, t)
			target = zero
			square := c.v.v.Add(g.Mul(g))
			c.v.v = square
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(square.Sqrt())))
			c = next256(c)
		}
	}
}
