// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// Powers x^p = exp256(p log256(x)) are right to about |p ln x| ulps for x > 0; for other x they are
// numbers that mean nothing.

// log256: x = 2^e m with m in [√½, √2), ln m = 2 artanh(s), s = (m-1)/(m+1).
func log256(x vec256) vec256 {
	e, m := exponent256(x), mantissa256(x)
	large := m.Greater(set256(1.4142135623730951))
	m = m.Mul(set256(0.5)).Merge(m, large)
	e = e.Add(set256(1).Masked(large))
	f := m.Sub(set256(1))
	s := f.Div(f.Add(set256(2)))
	y := s.Mul(s)
	sum := series256(artanhTerms, y)
	// ln(1+f) = f - s (f - y·sum), which keeps the leading f exact.
	series := f.Sub(s.Mul(f.Sub(y.Mul(sum))))
	return e.Mul(set256(ln2High)).Add(series.Add(e.Mul(set256(ln2Low))))
}

// exp256: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exp256(x vec256) vec256 {
	k := round256(x.Mul(set256(1.4426950408889634)))
	r := x.Sub(k.Mul(set256(ln2High))).Sub(k.Mul(set256(ln2Low)))
	sum := set256(1).Add(r.Add(r.Mul(r).Mul(series256(expTerms, r))))
	small, big := x.Less(set256(-708)), x.Greater(set256(709.7))
	y := sum.Mul(twoTo256(k))
	var zero vec256
	y = zero.Merge(y, small)
	return set256(infinity).Merge(y, big)
}

// series256 is Σ c_k x^k over twelve terms, as three cubics of x: a chain less than half as long as
// Horner's.
func series256(c *[12]row, x vec256) vec256 {
	p := (*[12]row256)(unsafe.Pointer(c))
	y := x.Mul(x)
	z := y.Mul(y)
	low := p[0].v.Add(x.Mul(p[1].v)).Add(y.Mul(p[2].v.Add(x.Mul(p[3].v))))
	middle := p[4].v.Add(x.Mul(p[5].v)).Add(y.Mul(p[6].v.Add(x.Mul(p[7].v))))
	high := p[8].v.Add(x.Mul(p[9].v)).Add(y.Mul(p[10].v.Add(x.Mul(p[11].v))))
	return low.Add(z.Mul(middle.Add(z.Mul(high))))
}
