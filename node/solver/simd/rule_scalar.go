// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

// update64 replaces the gradient by the rule's update.
func (u *Law) update64(h *head, c []cell, powers *row, o int) {
	switch u.Rule {
	case Momentum:
		u.heavyBall64(h, c, o, set64(1))
	case NGD:
		ngd64(h, c, o)
	case SpecGD, NucSpec:
		u.polar64(h, c, o, u.Rule == NucSpec, set64(1))
	case Muon:
		u.heavyBall64(h, c, o, set64(1).Sub(get64(&h.beta, o)))
		if u.Exact {
			u.polar64(h, c, o, false, set64(u.Scale))
		} else {
			u.quintic64(h, c, o)
		}
	case Power:
		u.power64(h, c, powers, o)
	case DynMuon:
		u.heavyBall64(h, c, o, set64(1))
		u.power64(h, c, powers, o)
	case SignGD:
		sign64(c, o)
	case Signum:
		u.heavyBall64(h, c, o, set64(1).Sub(get64(&h.beta, o)))
		sign64(c, o)
	case Adam:
		adam64(h, c, o)
	case Shampoo:
		for i := range c {
			g := get64(&c[i].g, o)
			sum := get64(&c[i].v, o).Add(g.Mul(g))
			let64(sum, &c[i].v, o)
			let64(g.Div(sum.Sqrt()), &c[i].g, o)
		}
	}
}

// heavyBall64: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (u *Law) heavyBall64(h *head, c []cell, o int, fresh vec64) {
	beta := get64(&h.beta, o)
	for i := range c {
		g := fresh.Mul(get64(&c[i].g, o))
		b := beta.Mul(get64(&c[i].m, o)).Add(g)
		let64(b, &c[i].m, o)
		if u.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		let64(b, &c[i].g, o)
	}
}

// norm64 is ‖G‖_F.
func norm64(h *head, c []cell, o int) vec64 {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec64
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := get64(&c[i].g, o)
			sum = sum.Add(get64(&c[i].n, o).Mul(g.Mul(g)))
		}
		let64(sum, &h.parts[0][j], o)
	}
	return total64(&h.parts[0], o).Sqrt()
}

// size64 returns max |g| and ‖G‖_* = Σ n |g|.
func size64(h *head, c []cell, o int) (top, nuclear vec64) {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec64
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := abs64(get64(&c[i].g, o))
			top = top.Max(g)
			sum = sum.Add(get64(&c[i].n, o).Mul(g))
		}
		let64(sum, &h.parts[0][j], o)
	}
	return top, total64(&h.parts[0], o)
}

func ngd64(h *head, c []cell, o int) {
	norm := norm64(h, c, o)
	var zero vec64
	some := norm.NotEqual(zero)
	for i := range c {
		let64(get64(&c[i].g, o).Div(norm).Masked(some), &c[i].g, o)
	}
}

// polar64 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (u *Law) polar64(h *head, c []cell, o int, nuclear bool, scale vec64) {
	top, sum := size64(h, c, o)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(get64(&h.rtol, o)), sum.Sub(sum)
	for i := range c {
		g := get64(&c[i].g, o)
		let64(flip64(scale, g).Masked(abs64(g).Greater(cut)).Add(bad), &c[i].g, o)
	}
}

// quintic64 drives the singular values towards 1 by the law's polynomials.
func (u *Law) quintic64(h *head, c []cell, o int) {
	norm := set64(u.Slack).Mul(norm64(h, c, o)).Add(set64(1e-7))
	scale := set64(u.Scale)
	for i := range c {
		x := get64(&c[i].g, o).Div(norm)
		for k := range u.Quintics {
			p := &u.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set64(p[0]).Add(y.Mul(set64(p[1]).Add(y.Mul(set64(p[2]))))))
		}
		let64(scale.Mul(x), &c[i].g, o)
	}
}

// power64 replaces |g| by its power, 0 where it counts as zero.
func (u *Law) power64(h *head, c []cell, powers *row, o int) {
	top, sum := size64(h, c, o)
	cut, bad := top.Mul(get64(&h.rtol, o)), sum.Sub(sum)
	unit := set64(1)
	if u.Normalize {
		unit = top
	}
	p := get64(powers, o)
	for i := range c {
		g := get64(&c[i].g, o)
		size := abs64(g)
		phi := flip64(pow64(size.Div(unit), p), g)
		let64(phi.Masked(size.Greater(cut)).Add(bad), &c[i].g, o)
	}
}

func sign64(c []cell, o int) {
	var zero vec64
	for i := range c {
		g := get64(&c[i].g, o)
		let64(flip64(set64(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), &c[i].g, o)
	}
}

func adam64(h *head, c []cell, o int) {
	one, beta, beta2 := set64(1), get64(&h.beta, o), get64(&h.beta2, o)
	decay1, decay2 := get64(&h.decay1, o).Mul(beta), get64(&h.decay2, o).Mul(beta2)
	let64(decay1, &h.decay1, o)
	let64(decay2, &h.decay2, o)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := get64(&h.epsilon, o)
	var zero vec64
	for i := range c {
		g := get64(&c[i].g, o)
		m := beta.Mul(get64(&c[i].m, o)).Add(fresh.Mul(g))
		v := beta2.Mul(get64(&c[i].v, o)).Add(fresh2.Mul(g.Mul(g)))
		let64(m, &c[i].m, o)
		let64(v, &c[i].v, o)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		let64(u.Masked(mean.NotEqual(zero)), &c[i].g, o)
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
