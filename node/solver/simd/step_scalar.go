// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

// advance64 takes steps until end, or until no lane has a point.
func (l *Lanes) advance64(end int) {
	special := l.groups == 3 && (l.law.Rule == GD || l.law.Rule == SpecGD)
	for ; l.now < end && l.active > 0; l.now++ {
		l.clock = float64(l.now)
		if special {
			l.three64()
		} else {
			l.general64()
		}
	}
	done64()
}

// three64 is one step of gd or specgd with three groups, all in registers.
func (l *Lanes) three64() {
	at, spectral := l.now&1, l.law.Rule == SpecGD
	for v := range l.heads {
		h, c := &l.heads[v], (*[3]cell)(l.cells[3*v:])
		rates := &h.rate
		if l.law.Scheduled {
			rates = &l.rates[l.now%scheduleSteps*len(l.heads)+v]
		}
		for o := 0; o < len(row{}); o += width64 {
			w0, w1, w2 := get64(&c[0].w[at], o), get64(&c[1].w[at], o), get64(&c[2].w[at], o)
			a0, a1, a2 := w0.Mul(w0), w1.Mul(w1), w2.Mul(w2)
			x0 := a0.Sub(get64(&h.tau, o)).Mul(get64(&c[0].q, o))
			x1, x2 := a1.Mul(get64(&c[1].q, o)), a2.Mul(get64(&c[2].q, o))
			y1, y2 := x1.Mul(get64(&c[1].n, o)), x2.Mul(get64(&c[2].n, o))
			t := x0.Add(y1).Add(y2)
			s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
			e1, e2 := a1.Mul(get64(&c[1].n, o)), a2.Mul(get64(&c[2].n, o))
			norm2 := a0.Add(e1).Add(e2)
			spike := and64(e1, get64(&c[1].spike, o)).Add(and64(e2, get64(&c[2].spike, o)))
			loss := s.Add(s).Add(t.Mul(t))
			if quiet := l.quiet64(h, o, loss, norm2, spike, a0); quiet != all1s64 {
				l.show64(v, o, quiet, loss, norm2, spike, a0)
			}
			if h.tails != 0 {
				h.tail64(o, loss, norm2, a0)
			}
			rate := get64(rates, o)
			g0 := x0.Add(x0).Add(t).Mul(get64(&c[0].q, o)).Mul(w0)
			g1 := x1.Add(x1).Add(t).Mul(get64(&c[1].q, o)).Mul(w1)
			g2 := x2.Add(x2).Add(t).Mul(get64(&c[2].q, o)).Mul(w2)
			if spectral {
				b0, b1, b2 := abs64(g0), abs64(g1), abs64(g2)
				cut := b0.Max(b1).Max(b2).Mul(get64(&h.rtol, o))
				bad := b0.Add(b1).Add(b2)
				bad = bad.Sub(bad) // 0, or NaN where the gradient is not finite
				g0 = flip64(rate, g0).Masked(b0.Greater(cut)).Add(bad)
				g1 = flip64(rate, g1).Masked(b1.Greater(cut)).Add(bad)
				g2 = flip64(rate, g2).Masked(b2.Greater(cut)).Add(bad)
			} else {
				g0, g1, g2 = rate.Mul(g0), rate.Mul(g1), rate.Mul(g2)
			}
			if l.law.Decays {
				keep := set64(1).Sub(rate.Mul(get64(&h.decay, o)))
				w0, w1, w2 = keep.Mul(w0), keep.Mul(w1), keep.Mul(w2)
			}
			set := at ^ 1
			let64(w0.Sub(g0), &c[0].w[set], o)
			let64(w1.Sub(g1), &c[1].w[set], o)
			let64(w2.Sub(g2), &c[2].w[set], o)
			if h.vacant != 0 {
				l.refill(v, all1s64<<o)
			}
		}
	}
}

// quiet64 tells, by bits, the lanes that their hosts need not see.
func (l *Lanes) quiet64(h *head, o int, loss, norm2, spike, signal vec64) uint {
	quiet := loss.Greater(get64(&h.escape, o))
	quiet = quiet.And(get64(&h.signal, o).Mul(norm2).Greater(signal))
	quiet = quiet.And(get64(&h.spike, o).Mul(norm2).GreaterEqual(spike))
	quiet = quiet.And(get64(&h.limit, o).GreaterEqual(norm2))
	quiet = quiet.And(get64(&h.next, o).Greater(set64(l.clock)))
	return uint(quiet.ToBits())
}

//go:noinline
func (l *Lanes) show64(v, o int, quiet uint, loss, norm2, spike, signal vec64) {
	h := &l.heads[v]
	let64(loss, &h.loss, o)
	let64(norm2, &h.norm2, o)
	let64(spike, &h.spikeEnergy, o)
	let64(signal, &h.sign, o)
	l.see(v, (all1s64&^quiet)<<o)
}

func (h *head) tail64(o int, loss, norm2, signal vec64) {
	on := get64(&h.tailOn, o)
	let64(get64(&h.tailSignal, o).Add(and64(signal.Div(norm2), on)), &h.tailSignal, o)
	let64(get64(&h.tailLoss, o).Add(and64(loss.Mul(set64(0.25)), on)), &h.tailLoss, o)
}

// general64 is one step of any rule with any number of groups.
func (l *Lanes) general64() {
	at := l.now & 1
	for v := range l.heads {
		h, c := &l.heads[v], l.cells[v*l.groups:][:l.groups]
		rates, powers := &h.rate, &h.power
		if l.law.Scheduled {
			rates = &l.rates[l.now%scheduleSteps*len(l.heads)+v]
			powers = &l.powers[l.now%scheduleSteps*len(l.heads)+v]
		}
		for o := 0; o < len(row{}); o += width64 {
			observe64(h, c, at, o)
			loss, norm2 := get64(&h.loss, o), get64(&h.norm2, o)
			spike, signal := get64(&h.spikeEnergy, o), get64(&h.sign, o)
			if quiet := l.quiet64(h, o, loss, norm2, spike, signal); quiet != all1s64 {
				l.see(v, (all1s64&^quiet)<<o)
			}
			if h.tails != 0 {
				h.tail64(o, loss, norm2, signal)
			}
			t := get64(&h.trace, o)
			for i := range c {
				x := get64(&c[i].g, o)
				let64(x.Add(x).Add(t).Mul(get64(&c[i].q, o)).Mul(get64(&c[i].w[at], o)), &c[i].g, o)
			}
			l.law.update64(h, c, powers, o)
			rate := get64(rates, o)
			keep := set64(1).Sub(rate.Mul(get64(&h.decay, o)))
			for i := range c {
				let64(keep.Mul(get64(&c[i].w[at], o)).Sub(rate.Mul(get64(&c[i].g, o))), &c[i].w[at^1], o)
			}
			if h.vacant != 0 {
				l.refill(v, all1s64<<o)
			}
		}
	}
}

// observe64 stores x_g in g, and the observed sums in the head.
func observe64(h *head, c []cell, at, o int) {
	for j := 0; j < len(h.parts[0]) && j < len(c); j++ {
		var trace, loss, norm2, spike vec64
		for i := j; i < len(c); i += len(h.parts[0]) {
			w := get64(&c[i].w[at], o)
			a := w.Mul(w)
			n := get64(&c[i].n, o)
			energy := n.Mul(a)
			norm2 = norm2.Add(energy)
			spike = spike.Add(and64(energy, get64(&c[i].spike, o)))
			if i == 0 {
				let64(a, &h.sign, o)
				a = a.Sub(get64(&h.tau, o))
			}
			x := a.Mul(get64(&c[i].q, o))
			let64(x, &c[i].g, o)
			y := n.Mul(x)
			trace = trace.Add(y)
			loss = loss.Add(y.Mul(x))
		}
		let64(trace, &h.parts[0][j], o)
		let64(loss, &h.parts[1][j], o)
		let64(norm2, &h.parts[2][j], o)
		let64(spike, &h.parts[3][j], o)
	}
	t, s := total64(&h.parts[0], o), total64(&h.parts[1], o)
	let64(t, &h.trace, o)
	let64(s.Add(s).Add(t.Mul(t)), &h.loss, o)
	let64(total64(&h.parts[2], o), &h.norm2, o)
	let64(total64(&h.parts[3], o), &h.spikeEnergy, o)
}

// total64 is the tree over strided partial sums.
func total64(p *[8]row, o int) vec64 {
	a := get64(&p[0], o).Add(get64(&p[1], o)).Add(get64(&p[2], o).Add(get64(&p[3], o)))
	return a.Add(get64(&p[4], o).Add(get64(&p[5], o)).Add(get64(&p[6], o).Add(get64(&p[7], o))))
}
