//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// update512 replaces the gradient by the update of a rule that needs all of it first, or little
// memory.
func (l *Lanes) update512(v *vector) {
	u, h := &l.law, (*head512)(v.head)
	switch u.Rule {
	case GD: // U = G
	case Momentum:
		l.heavyBall512(v, set512(1))
	case NGD:
		l.ngd512(v)
	case SpecGD, NucSpec:
		l.polar512(v, u.Rule == NucSpec, set512(1))
	case Muon:
		l.heavyBall512(v, set512(1).Sub(h.beta.v))
		if u.Exact {
			l.polar512(v, false, set512(u.Scale))
		} else {
			l.quintic512(v)
		}
	case Power:
		l.power512(v)
	case DynMuon:
		l.heavyBall512(v, set512(1))
		l.power512(v)
	case SignGD:
		l.sign512(v)
	case Signum:
		l.heavyBall512(v, set512(1).Sub(h.beta.v))
		l.sign512(v)
	case Lion:
		l.lion512(v)
	default:
		panic(noKernel)
	}
}

func (v *vector) cell512(i uintptr) *cell512 { return (*cell512)(unsafe.Add(v.cells, i*cellSize)) }

// heavyBall512: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall512(v *vector, fresh vec512) {
	beta := (*head512)(v.head).beta.v
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := fresh.Mul(c.g.v)
		b := beta.Mul(c.m.v).Add(g)
		c.m.v = b
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		c.g.v = b
	}
}

// square512 is ‖G‖_F².
func (l *Lanes) square512(v *vector) vec512 {
	h, at := (*head512)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec512
		for range l.stride(j) {
			c := v.cell512(at)
			at++
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
		}
		h.parts[0][j].v = sum
	}
	return total512(h, 0)
}

// size512 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size512(v *vector) (top, nuclear vec512) {
	h, at := (*head512)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec512
		for range l.stride(j) {
			c := v.cell512(at)
			at++
			g := abs512(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
		}
		h.parts[0][j].v = sum
	}
	return top, total512(h, 0)
}

// ngd512 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd512(v *vector) {
	top, _ := l.size512(v)
	scale := twoTo512(set512(0).Sub(exponent512(top).Min(set512(1022))))
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		c.g.v = c.g.v.Mul(scale)
	}
	inverse := set512(1).Div(l.square512(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set512(math.Inf(1))))
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		c.g.v = c.g.v.Mul(inverse)
	}
}

// polar512 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is
// not finite gives NaN.
func (l *Lanes) polar512(v *vector, nuclear bool, scale vec512) {
	top, sum := l.size512(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul((*head512)(v.head).rtol.v), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := c.g.v
		c.g.v = flip512(scale, g).Masked(abs512(g).Greater(cut)).Add(bad)
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
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		x := c.g.v.Mul(inverse)
		for k := range l.quintics {
			x = polynomial512((*[3]row512)(unsafe.Pointer(&l.quintics[k])), x)
		}
		c.g.v = scale.Mul(x)
	}
}

// power512 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power512(v *vector) {
	top, sum := l.size512(v)
	h := (*head512)(v.head)
	cut, bad := top.Mul(h.rtol.v), sum.Sub(sum)
	unit := set512(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := h.power.v
	if l.law.Scheduled {
		exponent = l.tabled512(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := c.g.v
		size := abs512(g)
		phi := flip512(pow512(size.Div(unit), exponent), g)
		c.g.v = phi.Masked(size.Greater(cut)).Add(bad)
	}
}

func (l *Lanes) sign512(v *vector) {
	var zero vec512
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := c.g.v
		c.g.v = flip512(set512(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
	}
}

// lion512 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion512(v *vector) {
	h, one := (*head512)(v.head), set512(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g, m := c.g.v, c.m.v
		c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
		c.g.v = beta.Mul(m).Add(fresh.Mul(g))
	}
	l.sign512(v)
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
	rate, keep, target, t := l.rate512(v), l.keep512(v), h.tau.v, h.trace.v
	var zero vec512
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := gradient512(c, at, target, t)
		target = zero
		m := beta.Mul(c.m.v).Add(fresh.Mul(g))
		s := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
		c.m.v, c.v.v = m, s
		mean := m.Mul(whole)
		u := mean.Div(s.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
	}
}

// shampoo512 is the whole step too.
func (l *Lanes) shampoo512(v *vector) {
	h, at := (*head512)(v.head), l.now&1
	rate, keep, target, t := l.rate512(v), l.keep512(v), h.tau.v, h.trace.v
	var zero vec512
	for i := range uintptr(l.groups) {
		c := v.cell512(i)
		g := gradient512(c, at, target, t)
		target = zero
		s := c.v.v.Add(g.Mul(g))
		c.v.v = s
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(s.Sqrt())))
	}
}
