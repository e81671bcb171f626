//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// Powers x^p = exp512(p log512(x)) are right to about |p ln x| ulps for x > 0; for other x they are
// numbers that mean nothing.

// log512: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log512(x vec512) vec512 {
	e, m := exponent512(x), mantissa512(x)
	large := m.Greater(set512(1.4142135623730951))
	m = m.Mul(set512(0.5)).Merge(m, large)
	e = e.Add(set512(1).Masked(large))
	f := m.Sub(set512(1))
	s := f.Div(f.Add(set512(2)))
	y := s.Mul(s)
	sum := series512(artanhTerms, y)
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set512(ln2High)).Add(series.Add(e.Mul(set512(ln2Low))))
}

// exp512: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp512(x vec512) vec512 {
	k := round512(x.Mul(set512(1.4426950408889634)))
	r := x.Sub(k.Mul(set512(ln2High))).Sub(k.Mul(set512(ln2Low)))
	sum := set512(1).Add(r.Add(r.Mul(r).Mul(series512(expTerms, r))))
	small, big := x.Less(set512(-708)), x.Greater(set512(709.7))
	y := sum.Mul(twoTo512(k))
	var zero vec512
	y = zero.Merge(y, small)
	return set512(infinity).Merge(y, big)
}

// series512 is Σ c_k x^k over twelve terms, as three cubics of x: a chain less than half as long as
// Horner's.
func series512(c *[12]row, x vec512) vec512 {
	p := (*[12]row512)(unsafe.Pointer(c))
	y := x.Mul(x)
	z := y.Mul(y)
	low := p[0].v.Add(x.Mul(p[1].v)).Add(y.Mul(p[2].v.Add(x.Mul(p[3].v))))
	middle := p[4].v.Add(x.Mul(p[5].v)).Add(y.Mul(p[6].v.Add(x.Mul(p[7].v))))
	high := p[8].v.Add(x.Mul(p[9].v)).Add(y.Mul(p[10].v.Add(x.Mul(p[11].v))))
	return low.Add(z.Mul(middle.Add(z.Mul(high))))
}
