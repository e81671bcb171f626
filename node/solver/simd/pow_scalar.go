// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

// Powers x^p = exp64(p log64(x)) are right to about |p ln x| ulps for x > 0; for other x they are
// numbers that mean nothing.

// log64: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log64(x vec64) vec64 {
	e, m := exponent64(x), mantissa64(x)
	large := m.Greater(set64(1.4142135623730951))
	m = m.Mul(set64(0.5)).Merge(m, large)
	e = e.Add(set64(1).Masked(large))
	f := m.Sub(set64(1))
	s := f.Div(f.Add(set64(2)))
	y := s.Mul(s)
	sum := series64(artanhTerms, y)
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set64(ln2High)).Add(series.Add(e.Mul(set64(ln2Low))))
}

// exp64: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp64(x vec64) vec64 {
	k := round64(x.Mul(set64(1.4426950408889634)))
	r := x.Sub(k.Mul(set64(ln2High))).Sub(k.Mul(set64(ln2Low)))
	sum := set64(1).Add(r.Add(r.Mul(r).Mul(series64(expTerms, r))))
	small, big := x.Less(set64(-708)), x.Greater(set64(709.7))
	y := sum.Mul(twoTo64(k))
	var zero vec64
	y = zero.Merge(y, small)
	return set64(infinity).Merge(y, big)
}

// series64 is Σ c_k x^k over twelve terms, as three cubics of x: a chain less than half as long as
// Horner's.
func series64(c *[12]row, x vec64) vec64 {
	p := (*[12]row64)(unsafe.Pointer(c))
	y := x.Mul(x)
	z := y.Mul(y)
	low := p[0].v.Add(x.Mul(p[1].v)).Add(y.Mul(p[2].v.Add(x.Mul(p[3].v))))
	middle := p[4].v.Add(x.Mul(p[5].v)).Add(y.Mul(p[6].v.Add(x.Mul(p[7].v))))
	high := p[8].v.Add(x.Mul(p[9].v)).Add(y.Mul(p[10].v.Add(x.Mul(p[11].v))))
	return low.Add(z.Mul(middle.Add(z.Mul(high))))
}
