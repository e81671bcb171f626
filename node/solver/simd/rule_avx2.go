// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

// update256 replaces the gradient by the rule's update.
func (u *Law) update256(h *head, c []cell, powers *row, o int) {
	switch u.Rule {
	case Momentum:
		u.heavyBall256(h, c, o, set256(1))
	case NGD:
		ngd256(h, c, o)
	case SpecGD, NucSpec:
		u.polar256(h, c, o, u.Rule == NucSpec, set256(1))
	case Muon:
		u.heavyBall256(h, c, o, set256(1).Sub(get256(&h.beta, o)))
		if u.Exact {
			u.polar256(h, c, o, false, set256(u.Scale))
		} else {
			u.quintic256(h, c, o)
		}
	case Power:
		u.power256(h, c, powers, o)
	case DynMuon:
		u.heavyBall256(h, c, o, set256(1))
		u.power256(h, c, powers, o)
	case SignGD:
		sign256(c, o)
	case Signum:
		u.heavyBall256(h, c, o, set256(1).Sub(get256(&h.beta, o)))
		sign256(c, o)
	case Adam:
		adam256(h, c, o)
	case Shampoo:
		for i := range c {
			g := get256(&c[i].g, o)
			sum := get256(&c[i].v, o).Add(g.Mul(g))
			let256(sum, &c[i].v, o)
			let256(g.Div(sum.Sqrt()), &c[i].g, o)
		}
	}
}

// heavyBall256: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (u *Law) heavyBall256(h *head, c []cell, o int, fresh vec256) {
	beta := get256(&h.beta, o)
	for i := range c {
		g := fresh.Mul(get256(&c[i].g, o))
		b := beta.Mul(get256(&c[i].m, o)).Add(g)
		let256(b, &c[i].m, o)
		if u.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		let256(b, &c[i].g, o)
	}
}

// norm256 is ‖G‖_F.
func norm256(h *head, c []cell, o int) vec256 {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec256
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := get256(&c[i].g, o)
			sum = sum.Add(get256(&c[i].n, o).Mul(g.Mul(g)))
		}
		let256(sum, &h.parts[0][j], o)
	}
	return total256(&h.parts[0], o).Sqrt()
}

// size256 returns max |g| and ‖G‖_* = Σ n |g|.
func size256(h *head, c []cell, o int) (top, nuclear vec256) {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec256
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := abs256(get256(&c[i].g, o))
			top = top.Max(g)
			sum = sum.Add(get256(&c[i].n, o).Mul(g))
		}
		let256(sum, &h.parts[0][j], o)
	}
	return top, total256(&h.parts[0], o)
}

func ngd256(h *head, c []cell, o int) {
	norm := norm256(h, c, o)
	var zero vec256
	some := norm.NotEqual(zero)
	for i := range c {
		let256(get256(&c[i].g, o).Div(norm).Masked(some), &c[i].g, o)
	}
}

// polar256 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (u *Law) polar256(h *head, c []cell, o int, nuclear bool, scale vec256) {
	top, sum := size256(h, c, o)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(get256(&h.rtol, o)), sum.Sub(sum)
	for i := range c {
		g := get256(&c[i].g, o)
		let256(flip256(scale, g).Masked(abs256(g).Greater(cut)).Add(bad), &c[i].g, o)
	}
}

// quintic256 drives the singular values towards 1 by the law's polynomials.
func (u *Law) quintic256(h *head, c []cell, o int) {
	norm := set256(u.Slack).Mul(norm256(h, c, o)).Add(set256(1e-7))
	scale := set256(u.Scale)
	for i := range c {
		x := get256(&c[i].g, o).Div(norm)
		for k := range u.Quintics {
			p := &u.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set256(p[0]).Add(y.Mul(set256(p[1]).Add(y.Mul(set256(p[2]))))))
		}
		let256(scale.Mul(x), &c[i].g, o)
	}
}

// power256 replaces |g| by its power, 0 where it counts as zero.
func (u *Law) power256(h *head, c []cell, powers *row, o int) {
	top, sum := size256(h, c, o)
	cut, bad := top.Mul(get256(&h.rtol, o)), sum.Sub(sum)
	unit := set256(1)
	if u.Normalize {
		unit = top
	}
	p := get256(powers, o)
	for i := range c {
		g := get256(&c[i].g, o)
		size := abs256(g)
		phi := flip256(pow256(size.Div(unit), p), g)
		let256(phi.Masked(size.Greater(cut)).Add(bad), &c[i].g, o)
	}
}

func sign256(c []cell, o int) {
	var zero vec256
	for i := range c {
		g := get256(&c[i].g, o)
		let256(flip256(set256(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), &c[i].g, o)
	}
}

func adam256(h *head, c []cell, o int) {
	one, beta, beta2 := set256(1), get256(&h.beta, o), get256(&h.beta2, o)
	decay1, decay2 := get256(&h.decay1, o).Mul(beta), get256(&h.decay2, o).Mul(beta2)
	let256(decay1, &h.decay1, o)
	let256(decay2, &h.decay2, o)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := get256(&h.epsilon, o)
	var zero vec256
	for i := range c {
		g := get256(&c[i].g, o)
		m := beta.Mul(get256(&c[i].m, o)).Add(fresh.Mul(g))
		v := beta2.Mul(get256(&c[i].v, o)).Add(fresh2.Mul(g.Mul(g)))
		let256(m, &c[i].m, o)
		let256(v, &c[i].v, o)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		let256(u.Masked(mean.NotEqual(zero)), &c[i].g, o)
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
