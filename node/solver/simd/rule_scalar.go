// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

// update64 replaces the gradient by the rule's update.
func (l *Lanes) update64(v *vector) {
	u, h := &l.law, v.head
	switch u.Rule {
	case Momentum:
		l.heavyBall64(v, set64(1))
	case NGD:
		l.ngd64(v)
	case SpecGD, NucSpec:
		l.polar64(v, u.Rule == NucSpec, set64(1))
	case Muon:
		l.heavyBall64(v, set64(1).Sub(of64(h, headBeta)))
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
		l.heavyBall64(v, set64(1).Sub(of64(h, headBeta)))
		l.sign64(v)
	case Adam:
		l.adam64(v)
	case Shampoo:
		for i := range uintptr(l.groups) {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of64(p, cellG)
			sum := of64(p, cellV).Add(g.Mul(g))
			to64(sum, p, cellV)
			to64(g.Div(sum.Sqrt()), p, cellG)
		}
	}
}

// heavyBall64: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall64(v *vector, fresh vec64) {
	beta := of64(v.head, headBeta)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := fresh.Mul(of64(p, cellG))
		b := beta.Mul(of64(p, cellM)).Add(g)
		to64(b, p, cellM)
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		to64(b, p, cellG)
	}
}

// norm64 is ‖G‖_F.
func (l *Lanes) norm64(v *vector) vec64 {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec64
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of64(p, cellG)
			sum = sum.Add(of64(p, cellN).Mul(g.Mul(g)))
		}
		to64(sum, v.head, headParts+j*rowSize)
	}
	return total64(v.head, 0).Sqrt()
}

// size64 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size64(v *vector) (top, nuclear vec64) {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec64
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := abs64(of64(p, cellG))
			top = top.Max(g)
			sum = sum.Add(of64(p, cellN).Mul(g))
		}
		to64(sum, v.head, headParts+j*rowSize)
	}
	return top, total64(v.head, 0)
}

func (l *Lanes) ngd64(v *vector) {
	norm := l.norm64(v)
	var zero vec64
	some := norm.NotEqual(zero)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		to64(of64(p, cellG).Div(norm).Masked(some), p, cellG)
	}
}

// polar64 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (l *Lanes) polar64(v *vector, nuclear bool, scale vec64) {
	top, sum := l.size64(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(of64(v.head, headRTol)), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of64(p, cellG)
		to64(flip64(scale, g).Masked(abs64(g).Greater(cut)).Add(bad), p, cellG)
	}
}

// quintic64 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic64(v *vector) {
	norm := set64(l.law.Slack).Mul(l.norm64(v)).Add(set64(1e-7))
	scale := set64(l.law.Scale)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		x := of64(p, cellG).Div(norm)
		for k := range l.law.Quintics {
			p := &l.law.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set64(p[0]).Add(y.Mul(set64(p[1]).Add(y.Mul(set64(p[2]))))))
		}
		to64(scale.Mul(x), p, cellG)
	}
}

// power64 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power64(v *vector) {
	top, sum := l.size64(v)
	cut, bad := top.Mul(of64(v.head, headRTol)), sum.Sub(sum)
	unit := set64(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := of64(v.head, headPower)
	if l.law.Scheduled {
		exponent = l.tabled64(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of64(p, cellG)
		size := abs64(g)
		phi := flip64(pow64(size.Div(unit), exponent), g)
		to64(phi.Masked(size.Greater(cut)).Add(bad), p, cellG)
	}
}

func (l *Lanes) sign64(v *vector) {
	var zero vec64
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of64(p, cellG)
		to64(flip64(set64(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), p, cellG)
	}
}

func (l *Lanes) adam64(v *vector) {
	one, beta, beta2 := set64(1), of64(v.head, headBeta), of64(v.head, headBeta2)
	decay1, decay2 := of64(v.head, headDecay1).Mul(beta), of64(v.head, headDecay2).Mul(beta2)
	to64(decay1, v.head, headDecay1)
	to64(decay2, v.head, headDecay2)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := of64(v.head, headEpsilon)
	var zero vec64
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of64(p, cellG)
		m := beta.Mul(of64(p, cellM)).Add(fresh.Mul(g))
		v := beta2.Mul(of64(p, cellV)).Add(fresh2.Mul(g.Mul(g)))
		to64(m, p, cellM)
		to64(v, p, cellV)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		to64(u.Masked(mean.NotEqual(zero)), p, cellG)
	}
}

// pow64 is x^p for x > 0 to about |p ln x| ulps; for other x it is a number that means nothing.
func pow64(x, p vec64) vec64 { return exp64(p.Mul(log64(x))) }

// log64: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log64(x vec64) vec64 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	e, m := exponent64(x), mantissa64(x)
	large := m.Greater(set64(1.4142135623730951))
	m = m.Mul(set64(0.5)).Merge(m, large)
	e = e.Add(set64(1).Masked(large))
	f := m.Sub(set64(1))
	s := f.Div(f.Add(set64(2)))
	y := s.Mul(s)
	sum := set64(2.0 / 23)
	for k := 21.0; k >= 3; k -= 2 {
		sum = sum.Mul(y).Add(set64(2 / k))
	}
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set64(ln2High)).Add(series.Add(e.Mul(set64(ln2Low))))
}

// exp64: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp64(x vec64) vec64 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	k := round64(x.Mul(set64(1.4426950408889634)))
	r := x.Sub(k.Mul(set64(ln2High))).Sub(k.Mul(set64(ln2Low)))
	sum := set64(1)
	for n := 14.0; n >= 1; n-- {
		sum = sum.Mul(r).Mul(set64(1 / n)).Add(set64(1))
	}
	small, big := x.Less(set64(-708)), x.Greater(set64(709.7))
	y := sum.Mul(twoTo64(k))
	var zero vec64
	y = zero.Merge(y, small)
	return set64(1e308).Mul(set64(1e308)).Merge(y, big)
}
