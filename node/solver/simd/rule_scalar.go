// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import (
	"math"
	"unsafe"
)

// update64 replaces the gradient by the update of a rule that needs all of it first, or little
// memory.
func (l *Lanes) update64(v *vector) {
	u, h := &l.law, (*head64)(v.head)
	switch u.Rule {
	case GD: // U = G
	case Momentum:
		l.heavyBall64(v, set64(1))
	case NGD:
		l.ngd64(v)
	case SpecGD, NucSpec:
		l.polar64(v, u.Rule == NucSpec, set64(1))
	case Muon:
		l.heavyBall64(v, set64(1).Sub(h.beta.v))
		if u.Exact {
			l.polar64(v, false, set64(u.Scale))
		} else {
			l.quintic64(v)
		}
	case Power:
		l.power64(v)
	case DynMuon:
		l.heavyBall64(v, set64(1))
		l.power64(v)
	case SignGD:
		l.sign64(v)
	case Signum:
		l.heavyBall64(v, set64(1).Sub(h.beta.v))
		l.sign64(v)
	case Lion:
		l.lion64(v)
	default:
		panic(noKernel)
	}
}

func (v *vector) cell64(i uintptr) *cell64 { return (*cell64)(unsafe.Add(v.cells, i*cellSize)) }

// heavyBall64: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall64(v *vector, fresh vec64) {
	beta := (*head64)(v.head).beta.v
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := fresh.Mul(c.g.v)
		b := beta.Mul(c.m.v).Add(g)
		c.m.v = b
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		c.g.v = b
	}
}

// square64 is ‖G‖_F².
func (l *Lanes) square64(v *vector) vec64 {
	h, at := (*head64)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec64
		for range l.stride(j) {
			c := v.cell64(at)
			at++
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
		}
		h.parts[0][j].v = sum
	}
	return total64(h, 0)
}

// size64 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size64(v *vector) (top, nuclear vec64) {
	h, at := (*head64)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec64
		for range l.stride(j) {
			c := v.cell64(at)
			at++
			g := abs64(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
		}
		h.parts[0][j].v = sum
	}
	return top, total64(h, 0)
}

// ngd64 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd64(v *vector) {
	top, _ := l.size64(v)
	scale := twoTo64(set64(0).Sub(exponent64(top).Min(set64(1022))))
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		c.g.v = c.g.v.Mul(scale)
	}
	inverse := set64(1).Div(l.square64(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set64(math.Inf(1))))
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		c.g.v = c.g.v.Mul(inverse)
	}
}

// polar64 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is
// not finite gives NaN.
func (l *Lanes) polar64(v *vector, nuclear bool, scale vec64) {
	top, sum := l.size64(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul((*head64)(v.head).rtol.v), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := c.g.v
		c.g.v = flip64(scale, g).Masked(abs64(g).Greater(cut)).Add(bad)
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
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		x := c.g.v.Mul(inverse)
		for k := range l.quintics {
			x = polynomial64((*[3]row64)(unsafe.Pointer(&l.quintics[k])), x)
		}
		c.g.v = scale.Mul(x)
	}
}

// power64 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power64(v *vector) {
	top, sum := l.size64(v)
	h := (*head64)(v.head)
	cut, bad := top.Mul(h.rtol.v), sum.Sub(sum)
	unit := set64(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := h.power.v
	if l.law.Scheduled {
		exponent = l.tabled64(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := c.g.v
		size := abs64(g)
		phi := flip64(pow64(size.Div(unit), exponent), g)
		c.g.v = phi.Masked(size.Greater(cut)).Add(bad)
	}
}

func (l *Lanes) sign64(v *vector) {
	var zero vec64
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := c.g.v
		c.g.v = flip64(set64(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
	}
}

// lion64 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion64(v *vector) {
	h, one := (*head64)(v.head), set64(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g, m := c.g.v, c.m.v
		c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
		c.g.v = beta.Mul(m).Add(fresh.Mul(g))
	}
	l.sign64(v)
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
	rate, keep, target, t := l.rate64(v), l.keep64(v), h.tau.v, h.trace.v
	var zero vec64
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := gradient64(c, at, target, t)
		target = zero
		m := beta.Mul(c.m.v).Add(fresh.Mul(g))
		s := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
		c.m.v, c.v.v = m, s
		mean := m.Mul(whole)
		u := mean.Div(s.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
	}
}

// shampoo64 is the whole step too.
func (l *Lanes) shampoo64(v *vector) {
	h, at := (*head64)(v.head), l.now&1
	rate, keep, target, t := l.rate64(v), l.keep64(v), h.tau.v, h.trace.v
	var zero vec64
	for i := range uintptr(l.groups) {
		c := v.cell64(i)
		g := gradient64(c, at, target, t)
		target = zero
		s := c.v.v.Add(g.Mul(g))
		c.v.v = s
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(s.Sqrt())))
	}
}
