//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// update512 replaces the gradient by the rule's update.
func (l *Lanes) update512(v *vector) {
	u, h := &l.law, v.head
	switch u.Rule {
	case Momentum:
		l.heavyBall512(v, set512(1))
	case NGD:
		l.ngd512(v)
	case SpecGD, NucSpec:
		l.polar512(v, u.Rule == NucSpec, set512(1))
	case Muon:
		l.heavyBall512(v, set512(1).Sub(of512(h, headBeta)))
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
		l.heavyBall512(v, set512(1).Sub(of512(h, headBeta)))
		l.sign512(v)
	case Adam:
		l.adam512(v)
	case Shampoo:
		for i := range uintptr(l.groups) {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of512(p, cellG)
			sum := of512(p, cellV).Add(g.Mul(g))
			to512(sum, p, cellV)
			to512(g.Div(sum.Sqrt()), p, cellG)
		}
	}
}

// heavyBall512: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (l *Lanes) heavyBall512(v *vector, fresh vec512) {
	beta := of512(v.head, headBeta)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := fresh.Mul(of512(p, cellG))
		b := beta.Mul(of512(p, cellM)).Add(g)
		to512(b, p, cellM)
		if l.law.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		to512(b, p, cellG)
	}
}

// norm512 is ‖G‖_F.
func (l *Lanes) norm512(v *vector) vec512 {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec512
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := of512(p, cellG)
			sum = sum.Add(of512(p, cellN).Mul(g.Mul(g)))
		}
		to512(sum, v.head, headParts+j*rowSize)
	}
	return total512(v.head, 0).Sqrt()
}

// size512 returns max |g| and ‖G‖_* = Σ n |g|.
func (l *Lanes) size512(v *vector) (top, nuclear vec512) {
	for j := range min(8, uintptr(l.groups)) {
		var sum vec512
		for i := j; i < uintptr(l.groups); i += 8 {
			p := unsafe.Add(v.cells, i*cellSize)
			g := abs512(of512(p, cellG))
			top = top.Max(g)
			sum = sum.Add(of512(p, cellN).Mul(g))
		}
		to512(sum, v.head, headParts+j*rowSize)
	}
	return top, total512(v.head, 0)
}

func (l *Lanes) ngd512(v *vector) {
	norm := l.norm512(v)
	var zero vec512
	some := norm.NotEqual(zero)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		to512(of512(p, cellG).Div(norm).Masked(some), p, cellG)
	}
}

// polar512 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (l *Lanes) polar512(v *vector, nuclear bool, scale vec512) {
	top, sum := l.size512(v)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(of512(v.head, headRTol)), sum.Sub(sum)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of512(p, cellG)
		to512(flip512(scale, g).Masked(abs512(g).Greater(cut)).Add(bad), p, cellG)
	}
}

// quintic512 drives the singular values towards 1 by the law's polynomials.
func (l *Lanes) quintic512(v *vector) {
	norm := set512(l.law.Slack).Mul(l.norm512(v)).Add(set512(1e-7))
	scale := set512(l.law.Scale)
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		x := of512(p, cellG).Div(norm)
		for k := range l.law.Quintics {
			p := &l.law.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set512(p[0]).Add(y.Mul(set512(p[1]).Add(y.Mul(set512(p[2]))))))
		}
		to512(scale.Mul(x), p, cellG)
	}
}

// power512 replaces |g| by its power, 0 where it counts as zero.
func (l *Lanes) power512(v *vector) {
	top, sum := l.size512(v)
	cut, bad := top.Mul(of512(v.head, headRTol)), sum.Sub(sum)
	unit := set512(1)
	if l.law.Normalize {
		unit = top
	}
	exponent := of512(v.head, headPower)
	if l.law.Scheduled {
		exponent = l.tabled512(l.powers, v)
	}
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of512(p, cellG)
		size := abs512(g)
		phi := flip512(pow512(size.Div(unit), exponent), g)
		to512(phi.Masked(size.Greater(cut)).Add(bad), p, cellG)
	}
}

func (l *Lanes) sign512(v *vector) {
	var zero vec512
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of512(p, cellG)
		to512(flip512(set512(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), p, cellG)
	}
}

func (l *Lanes) adam512(v *vector) {
	one, beta, beta2 := set512(1), of512(v.head, headBeta), of512(v.head, headBeta2)
	decay1, decay2 := of512(v.head, headDecay1).Mul(beta), of512(v.head, headDecay2).Mul(beta2)
	to512(decay1, v.head, headDecay1)
	to512(decay2, v.head, headDecay2)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := of512(v.head, headEpsilon)
	var zero vec512
	for i := range uintptr(l.groups) {
		p := unsafe.Add(v.cells, i*cellSize)
		g := of512(p, cellG)
		m := beta.Mul(of512(p, cellM)).Add(fresh.Mul(g))
		v := beta2.Mul(of512(p, cellV)).Add(fresh2.Mul(g.Mul(g)))
		to512(m, p, cellM)
		to512(v, p, cellV)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		to512(u.Masked(mean.NotEqual(zero)), p, cellG)
	}
}

// pow512 is x^p for x > 0 to about |p ln x| ulps; for other x it is a number that means nothing.
func pow512(x, p vec512) vec512 { return exp512(p.Mul(log512(x))) }

// log512: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log512(x vec512) vec512 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	e, m := exponent512(x), mantissa512(x)
	large := m.Greater(set512(1.4142135623730951))
	m = m.Mul(set512(0.5)).Merge(m, large)
	e = e.Add(set512(1).Masked(large))
	f := m.Sub(set512(1))
	s := f.Div(f.Add(set512(2)))
	y := s.Mul(s)
	sum := set512(2.0 / 23)
	for k := 21.0; k >= 3; k -= 2 {
		sum = sum.Mul(y).Add(set512(2 / k))
	}
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set512(ln2High)).Add(series.Add(e.Mul(set512(ln2Low))))
}

// exp512: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp512(x vec512) vec512 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
	)
	k := round512(x.Mul(set512(1.4426950408889634)))
	r := x.Sub(k.Mul(set512(ln2High))).Sub(k.Mul(set512(ln2Low)))
	sum := set512(1)
	for n := 14.0; n >= 1; n-- {
		sum = sum.Mul(r).Mul(set512(1 / n)).Add(set512(1))
	}
	small, big := x.Less(set512(-708)), x.Greater(set512(709.7))
	y := sum.Mul(twoTo512(k))
	var zero vec512
	y = zero.Merge(y, small)
	return set512(1e308).Mul(set512(1e308)).Merge(y, big)
}
