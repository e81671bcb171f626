// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

// update256 replaces the gradient by the update of a rule that needs all of it first, or little
// memory.
func (l *Lanes) update256(v *vector) {
	u, h := &l.law, (*head256)(v.head)
	switch u.Rule {
	case GD: // U = G
	case Momentum:
		l.heavyBall256(v, set256(1))
	case NGD:
		l.ngd256(v)
	case SpecGD, NucSpec:
		l.polar256(v, u.Rule == NucSpec, set256(1))
	case Muon:
		l.heavyBall256(v, set256(1).Sub(h.beta.v))
		if u.Exact {
			l.polar256(v, false, set256(u.Scale))
		} else {
			l.quintic256(v)
		}
	case Power:
		l.power256(v)
	case DynMuon:
		l.heavyBall256(v, set256(1))
		l.power256(v)
	case SignGD:
		l.sign256(v)
	case Signum:
		l.heavyBall256(v, set256(1).Sub(h.beta.v))
		l.sign256(v)
	case Lion:
		l.lion256(v)
	default:
		panic(noKernel)
	}
}

func (v *vector) cell256(i uintptr) *cell256 { return (*cell256)(unsafe.Add(v.cells, i*cellSize)) }

// heavyBall256: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall256(v *vector, fresh vec256) {
	beta := (*head256)(v.head).beta.v
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := fresh.Mul(c.g.v)
		b := beta.Mul(c.m.v).Add(g)
		c.m.v = b
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		c.g.v = b
	}
}

// square256 is ‖G‖_F².
func (l *Lanes) square256(v *vector) vec256 {
	h, at := (*head256)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec256
		for range l.stride(j) {
			c := v.cell256(at)
			at++
			sum = sum.Add(c.n.v.Mul(c.g.v.Mul(c.g.v)))
		}
		h.parts[0][j].v = sum
	}
	return total256(h, 0)
}

// size256 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size256(v *vector) (top, nuclear vec256) {
	h, at := (*head256)(v.head), uintptr(0)
	for j := range min(8, l.groups) {
		var sum vec256
		for range l.stride(j) {
			c := v.cell256(at)
			at++
			g := abs256(c.g.v)
			top = top.Max(g)
			sum = sum.Add(c.n.v.Mul(g))
		}
		h.parts[0][j].v = sum
	}
	return top, total256(h, 0)
}

// ngd256 multiplies by the reciprocal norm: one division, not one for each group. Where that is
// infinite G is zero. A power of two takes the largest coefficient to about 1 first, so that no
// square underflows.
func (l *Lanes) ngd256(v *vector) {
	top, _ := l.size256(v)
	scale := twoTo256(set256(0).Sub(exponent256(top).Min(set256(1022))))
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		c.g.v = c.g.v.Mul(scale)
	}
	inverse := set256(1).Div(l.square256(v).Sqrt())
	inverse = inverse.Masked(inverse.NotEqual(set256(math.Inf(1))))
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		c.g.v = c.g.v.Mul(inverse)
	}
}

// polar256 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is
// not finite gives NaN.
func (l *Lanes) polar256(v *vector, nuclear bool, scale vec256) {
	top, sum := l.size256(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul((*head256)(v.head).rtol.v), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := c.g.v
		c.g.v = flip256(scale, g).Masked(abs256(g).Greater(cut)).Add(bad)
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
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		x := c.g.v.Mul(inverse)
		for k := range l.quintics {
			x = polynomial256((*[3]row256)(unsafe.Pointer(&l.quintics[k])), x)
		}
		c.g.v = scale.Mul(x)
	}
}

// power256 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power256(v *vector) {
	top, sum := l.size256(v)
	h := (*head256)(v.head)
	cut, bad := top.Mul(h.rtol.v), sum.Sub(sum)
	unit := set256(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := h.power.v
	if l.law.Scheduled {
		exponent = l.tabled256(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := c.g.v
		size := abs256(g)
		phi := flip256(pow256(size.Div(unit), exponent), g)
		c.g.v = phi.Masked(size.Greater(cut)).Add(bad)
	}
}

func (l *Lanes) sign256(v *vector) {
	var zero vec256
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := c.g.v
		c.g.v = flip256(set256(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g))
	}
}

// lion256 takes the sign of β₁m + (1-β₁)g, then m to β₂m + (1-β₂)g.
func (l *Lanes) lion256(v *vector) {
	h, one := (*head256)(v.head), set256(1)
	beta, beta2 := h.beta.v, h.beta2.v
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g, m := c.g.v, c.m.v
		c.m.v = beta2.Mul(m).Add(fresh2.Mul(g))
		c.g.v = beta.Mul(m).Add(fresh.Mul(g))
	}
	l.sign256(v)
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
	rate, keep, target, t := l.rate256(v), l.keep256(v), h.tau.v, h.trace.v
	var zero vec256
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := gradient256(c, at, target, t)
		target = zero
		m := beta.Mul(c.m.v).Add(fresh.Mul(g))
		s := beta2.Mul(c.v.v).Add(fresh2.Mul(g.Mul(g)))
		c.m.v, c.v.v = m, s
		mean := m.Mul(whole)
		u := mean.Div(s.Mul(whole2).Sqrt().Add(epsilon)).Masked(mean.NotEqual(zero))
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(u))
	}
}

// shampoo256 is the whole step too.
func (l *Lanes) shampoo256(v *vector) {
	h, at := (*head256)(v.head), l.now&1
	rate, keep, target, t := l.rate256(v), l.keep256(v), h.tau.v, h.trace.v
	var zero vec256
	for i := range uintptr(l.groups) {
		c := v.cell256(i)
		g := gradient256(c, at, target, t)
		target = zero
		s := c.v.v.Add(g.Mul(g))
		c.v.v = s
		c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(g.Div(s.Sqrt())))
	}
}
