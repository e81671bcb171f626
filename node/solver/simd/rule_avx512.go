//go:build goexperiment.simd && amd64

package simd

// update512 replaces the gradient by the rule's update.
func (u *Law) update512(h *head, c []cell, powers *row, o int) {
	switch u.Rule {
	case Momentum:
		u.heavyBall512(h, c, o, set512(1))
	case NGD:
		ngd512(h, c, o)
	case SpecGD, NucSpec:
		u.polar512(h, c, o, u.Rule == NucSpec, set512(1))
	case Muon:
		u.heavyBall512(h, c, o, set512(1).Sub(get512(&h.beta, o)))
		if u.Exact {
			u.polar512(h, c, o, false, set512(u.Scale))
		} else {
			u.quintic512(h, c, o)
		}
	case Power:
		u.power512(h, c, powers, o)
	case DynMuon:
		u.heavyBall512(h, c, o, set512(1))
		u.power512(h, c, powers, o)
	case SignGD:
		sign512(c, o)
	case Signum:
		u.heavyBall512(h, c, o, set512(1).Sub(get512(&h.beta, o)))
		sign512(c, o)
	case Adam:
		adam512(h, c, o)
	case Shampoo:
		for i := range c {
			g := get512(&c[i].g, o)
			sum := get512(&c[i].v, o).Add(g.Mul(g))
			let512(sum, &c[i].v, o)
			let512(g.Div(sum.Sqrt()), &c[i].g, o)
		}
	}
}

// heavyBall512: B <- βB + fresh G; the update is B, or fresh G + βB with Nesterov.
func (u *Law) heavyBall512(h *head, c []cell, o int, fresh vec512) {
	beta := get512(&h.beta, o)
	for i := range c {
		g := fresh.Mul(get512(&c[i].g, o))
		b := beta.Mul(get512(&c[i].m, o)).Add(g)
		let512(b, &c[i].m, o)
		if u.Nesterov {
			b = g.Add(beta.Mul(b))
		}
		let512(b, &c[i].g, o)
	}
}

// norm512 is ‖G‖_F.
func norm512(h *head, c []cell, o int) vec512 {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec512
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := get512(&c[i].g, o)
			sum = sum.Add(get512(&c[i].n, o).Mul(g.Mul(g)))
		}
		let512(sum, &h.parts[0][j], o)
	}
	return total512(&h.parts[0], o).Sqrt()
}

// size512 returns max |g| and ‖G‖_* = Σ n |g|.
func size512(h *head, c []cell, o int) (top, nuclear vec512) {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var sum vec512
		for i := j; i < len(c); i += len(h.parts[0]) {
			g := abs512(get512(&c[i].g, o))
			top = top.Max(g)
			sum = sum.Add(get512(&c[i].n, o).Mul(g))
		}
		let512(sum, &h.parts[0][j], o)
	}
	return top, total512(&h.parts[0], o)
}

func ngd512(h *head, c []cell, o int) {
	norm := norm512(h, c, o)
	var zero vec512
	some := norm.NotEqual(zero)
	for i := range c {
		let512(get512(&c[i].g, o).Div(norm).Masked(some), &c[i].g, o)
	}
}

// polar512 replaces g by ±scale, or ±‖G‖_*, and by 0 where it counts as zero; a gradient that is not finite gives NaN.
func (u *Law) polar512(h *head, c []cell, o int, nuclear bool, scale vec512) {
	top, sum := size512(h, c, o)
	if nuclear {
		scale = sum
	}
	cut, bad := top.Mul(get512(&h.rtol, o)), sum.Sub(sum)
	for i := range c {
		g := get512(&c[i].g, o)
		let512(flip512(scale, g).Masked(abs512(g).Greater(cut)).Add(bad), &c[i].g, o)
	}
}

// quintic512 drives the singular values towards 1 by the law's polynomials.
func (u *Law) quintic512(h *head, c []cell, o int) {
	norm := set512(u.Slack).Mul(norm512(h, c, o)).Add(set512(1e-7))
	scale := set512(u.Scale)
	for i := range c {
		x := get512(&c[i].g, o).Div(norm)
		for k := range u.Quintics {
			p := &u.Quintics[k]
			y := x.Mul(x)
			x = x.Mul(set512(p[0]).Add(y.Mul(set512(p[1]).Add(y.Mul(set512(p[2]))))))
		}
		let512(scale.Mul(x), &c[i].g, o)
	}
}

// power512 replaces |g| by its power, 0 where it counts as zero.
func (u *Law) power512(h *head, c []cell, powers *row, o int) {
	top, sum := size512(h, c, o)
	cut, bad := top.Mul(get512(&h.rtol, o)), sum.Sub(sum)
	unit := set512(1)
	if u.Normalize {
		unit = top
	}
	p := get512(powers, o)
	for i := range c {
		g := get512(&c[i].g, o)
		size := abs512(g)
		phi := flip512(pow512(size.Div(unit), p), g)
		let512(phi.Masked(size.Greater(cut)).Add(bad), &c[i].g, o)
	}
}

func sign512(c []cell, o int) {
	var zero vec512
	for i := range c {
		g := get512(&c[i].g, o)
		let512(flip512(set512(1), g).Masked(g.NotEqual(zero)).Add(g.Sub(g)), &c[i].g, o)
	}
}

func adam512(h *head, c []cell, o int) {
	one, beta, beta2 := set512(1), get512(&h.beta, o), get512(&h.beta2, o)
	decay1, decay2 := get512(&h.decay1, o).Mul(beta), get512(&h.decay2, o).Mul(beta2)
	let512(decay1, &h.decay1, o)
	let512(decay2, &h.decay2, o)
	fresh, fresh2 := one.Sub(beta), one.Sub(beta2)
	whole, whole2 := one.Sub(decay1), one.Sub(decay2)
	epsilon := get512(&h.epsilon, o)
	var zero vec512
	for i := range c {
		g := get512(&c[i].g, o)
		m := beta.Mul(get512(&c[i].m, o)).Add(fresh.Mul(g))
		v := beta2.Mul(get512(&c[i].v, o)).Add(fresh2.Mul(g.Mul(g)))
		let512(m, &c[i].m, o)
		let512(v, &c[i].v, o)
		mean := m.Div(whole)
		u := mean.Div(v.Div(whole2).Sqrt().Add(epsilon))
		let512(u.Masked(mean.NotEqual(zero)), &c[i].g, o)
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
