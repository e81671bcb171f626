// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// update256 replaces the gradient by the rule's update.
func (l *Lanes) update256(v *vector) {
	u, h := &l.law, v.head
	switch u.Rule {
	case Momentum:
		l.heavyBall256(v, set256(1))
	case NGD:
		l.ngd256(v)
	case SpecGD, NucSpec:
		l.polar256(v, u.Rule == NucSpec, set256(1))
	case Muon:
		l.heavyBall256(v, set256(1).Sub(of256(h, headBeta)))
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
		l.heavyBall256(v, set256(1).Sub(of256(h, headBeta)))
		l.sign256(v)
	case Adam:
		l.adam256(v)
	case Shampoo:
		for i := range uintptr(l.groups) {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of256(p, cellG)
			sum := of256(p, cellV).Add(g.Mul(g))
			to256(sum, p, cellV)
			to256(g.Div(sum.Sqrt()), p, cellG)
		}
	}
}

// heavyBall256: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall256(v *vector, fresh vec256) {
	beta := of256(v.head, headBeta)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := fresh.Mul(of256(p, cellG))
		b := beta.Mul(of256(p, cellM)).Add(g)
		to256(b, p, cellM)
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		to256(b, p, cellG)
	}
}

// norm256 is ‖G‖_F.
func (l *Lanes) norm256(v *vector) vec256 {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec256
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of256(p, cellG)
			sum = sum.Add(of256(p, cellN).Mul(g.Mul(g)))
		}
		to256(sum, v.head, headParts+j*rowSize)
	}
	return total256(v.head, 0).Sqrt()
}

// size256 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size256(v *vector) (top, nuclear vec256) {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec256
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := abs256(of256(p, cellG))
			top = top.Max(g)
			sum = sum.Add(of256(p, cellN).Mul(g))
		}
		to256(sum, v.head, headParts+j*rowSize)
	}
	return top, total256(v.head, 0)
}

func (l *Lanes) ngd256(v *vector) {
	norm := l.norm256(v)
	var zero vec256
	some := norm.NotEqual(zero)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		to256(of256(p, cellG).Div(norm).Masked(some), p, cellG)
	}
}

// polar256 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (l *Lanes) polar256(v *vector, nuclear bool, scale vec256) {
	top, sum := l.size256(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(of256(v.head, headRTol)), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of256(p, cellG)
		to256(flip256(scale, g).Masked(abs256(g).Greater(cut)).Add(bad), p, cellG)
	}
}

// quintic256 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic256(v *vector) {
	norm := set256(l.law.Slack).Mul(l.norm256(v)).Add(set256(1e-7))
	scale := set256(l.law.Scale)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		x := of256(p, cellG).Div(norm)
		for k := range l.law.Quintics {
			p := &l.law.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set256(p[0]).Add(y.Mul(set256(p[1]).Add(y.Mul(set256(p[2]))))))
		}
		to256(scale.Mul(x), p, cellG)
	}
}

// power256 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power256(v *vector) {
	top, sum := l.size256(v)
	cut, bad := top.Mul(of256(v.head, headRTol)), sum.Sub(sum)
	unit := set256(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := of256(v.head, headPower)
	if l.law.Scheduled {
		exponent = l.tabled256(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of256(p, cellG)
		size := abs256(g)
		phi := flip256(pow256(size.Div(unit), exponent), g)
		to256(phi.Masked(size.Greater(cut)).Add(bad), p, cellG)
	}
}

func (l *Lanes) sign256(v *vector) {
	var zero vec256
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of256(p, cellG)
		to256(flip256(set256(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), p, cellG)
	}
}

func (l *Lanes) adam256(v *vector) {
	one, beta, beta2 := set256(1), of256(v.head, headBeta), of256(v.head, headBeta2)
	decay1, decay2 := of256(v.head, headDecay1).Mul(beta), of256(v.head, headDecay2).Mul(beta2)
	to256(decay1, v.head, headDecay1)
	to256(decay2, v.head, headDecay2)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := of256(v.head, headEpsilon)
	var zero vec256
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of256(p, cellG)
		m := beta.Mul(of256(p, cellM)).Add(fresh.Mul(g))
		v := beta2.Mul(of256(p, cellV)).Add(fresh2.Mul(g.Mul(g)))
		to256(m, p, cellM)
		to256(v, p, cellV)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		to256(u.Masked(mean.NotEqual(zero)), p, cellG)
	}
}

// pow256 is x^p for x > 0 to about |p ln x| ulps; for other x it is a number that means nothing.
func pow256(x, p vec256) vec256 { return exp256(p.Mul(log256(x))) }

// log256: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log256(x vec256) vec256 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	e, m := exponent256(x), mantissa256(x)
	large := m.Greater(set256(1.4142135623730951))
	m = m.Mul(set256(0.5)).Merge(m, large)
	e = e.Add(set256(1).Masked(large))
	f := m.Sub(set256(1))
	s := f.Div(f.Add(set256(2)))
	y := s.Mul(s)
	sum := set256(2.0 / 23)
	for k := 21.0; k >= 3; k -= 2 {
		sum = sum.Mul(y).Add(set256(2 / k))
	}
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set256(ln2High)).Add(series.Add(e.Mul(set256(ln2Low))))
}

// exp256: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp256(x vec256) vec256 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	k := round256(x.Mul(set256(1.4426950408889634)))
	r := x.Sub(k.Mul(set256(ln2High))).Sub(k.Mul(set256(ln2Low)))
	sum := set256(1)
	for n := 14.0; n >= 1; n-- {
		sum = sum.Mul(r).Mul(set256(1 / n)).Add(set256(1))
	}
	small, big := x.Less(set256(-708)), x.Greater(set256(709.7))
	y := sum.Mul(twoTo256(k))
	var zero vec256
	y = zero.Merge(y, small)
	return set256(1e308).Mul(set256(1e308)).Merge(y, big)
}
