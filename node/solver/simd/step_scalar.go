// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

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
	for i := range l.vectors {
		v := &l.vectors[i]
		h, c, old, fresh := v.head, v.cells, v.w[at&1], v.w[at^1]
		w0, w1, w2 := of64(old, 0), of64(old, rowSize), of64(old, 2*rowSize)
		a0, a1, a2 := w0.Mul(w0), w1.Mul(w1), w2.Mul(w2)
		x0 := a0.Sub(of64(h, headTau)).Mul(of64(c, cellQ))
		x1, x2 := a1.Mul(of64(c, cellSize+cellQ)), a2.Mul(of64(c, 2*cellSize+cellQ))
		y1, y2 := x1.Mul(of64(c, cellSize+cellN)), x2.Mul(of64(c, 2*cellSize+cellN))
		t := x0.Add(y1).Add(y2)
		s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
		e1, e2 := a1.Mul(of64(c, cellSize+cellN)), a2.Mul(of64(c, 2*cellSize+cellN))
		norm2 := a0.Add(e1).Add(e2)
		spike := and64(e1, of64(c, cellSize+cellSpike)).Add(and64(e2, of64(c, 2*cellSize+cellSpike)))
		loss := s.Add(s).Add(t.Mul(t))
		if quiet := l.quiet64(h, loss, norm2, spike, a0); quiet != all1s64 {
			l.show64(v, quiet, loss, norm2, spike, a0)
		}
		if l.heads[v.row].tails != 0 {
			tail64(h, loss, norm2, a0)
		}
		// The iterate is loaded again: held in registers, it would push others out.
		w0, w1, w2 = of64(old, 0), of64(old, rowSize), of64(old, 2*rowSize)
		rate := l.rate64(v)
		g0 := x0.Add(x0).Add(t).Mul(of64(c, cellQ)).Mul(w0)
		g1 := x1.Add(x1).Add(t).Mul(of64(c, cellSize+cellQ)).Mul(w1)
		g2 := x2.Add(x2).Add(t).Mul(of64(c, 2*cellSize+cellQ)).Mul(w2)
		if spectral {
			b0, b1, b2 := abs64(g0), abs64(g1), abs64(g2)
			cut := b0.Max(b1).Max(b2).Mul(of64(h, headRTol))
			bad := b0.Add(b1).Add(b2)
			bad = bad.Sub(bad) // 0, or NaN where the gradient is not finite
			g0 = flip64(rate, g0).Masked(b0.Greater(cut)).Add(bad)
			g1 = flip64(rate, g1).Masked(b1.Greater(cut)).Add(bad)
			g2 = flip64(rate, g2).Masked(b2.Greater(cut)).Add(bad)
		} else {
			g0, g1, g2 = rate.Mul(g0), rate.Mul(g1), rate.Mul(g2)
		}
		if l.law.Decays {
			keep := set64(1).Sub(rate.Mul(of64(h, headDecay)))
			w0, w1, w2 = keep.Mul(w0), keep.Mul(w1), keep.Mul(w2)
		}
		to64(w0.Sub(g0), fresh, 0)
		to64(w1.Sub(g1), fresh, rowSize)
		to64(w2.Sub(g2), fresh, 2*rowSize)
		if l.heads[v.row].vacant != 0 {
			l.refill(v.row, all1s64<<v.lane)
		}
	}
}

// quiet64 tells, by bits, the lanes that their hosts need not see: those where the smallest of the differences is positive. The
// minimum with a NaN is its second operand, so that an iterate which is not a number is seen.
func (l *Lanes) quiet64(hp unsafe.Pointer, loss, norm2, spike, signal vec64) uint {
	slack := loss.Sub(of64(hp, headEscape)).Min(of64(hp, headNext).Sub(set64(l.clock)))
	slack = slack.Min(of64(hp, headSignal).Mul(norm2).Sub(signal))
	slack = slack.Min(of64(hp, headSpike).Mul(norm2).Sub(spike))
	slack = slack.Min(of64(hp, headLimit).Sub(norm2))
	var zero vec64
	return uint(slack.Greater(zero).ToBits())
}

func (l *Lanes) rate64(v *vector) vec64 {
	if l.law.Scheduled {
		return l.tabled64(l.rates, v)
	}
	return of64(v.head, headRate)
}

// tabled64 reads a table of schedules.
func (l *Lanes) tabled64(table []row, v *vector) vec64 {
	return of64(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)
}

//go:noinline
func (l *Lanes) show64(v *vector, quiet uint, loss, norm2, spike, signal vec64) {
	to64(loss, v.head, headLoss)
	to64(norm2, v.head, headNorm2)
	to64(spike, v.head, headSpikeEnergy)
	to64(signal, v.head, headSignalEnergy)
	l.see(v.row, (all1s64&^quiet)<<v.lane)
}

func tail64(hp unsafe.Pointer, loss, norm2, signal vec64) {
	on := of64(hp, headTailOn)
	to64(of64(hp, headTailSignal).Add(and64(signal.Div(norm2), on)), hp, headTailSignal)
	to64(of64(hp, headTailLoss).Add(and64(loss.Mul(set64(0.25)), on)), hp, headTailLoss)
}

// general64 is one step of any rule with any number of groups.
func (l *Lanes) general64() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h, old, fresh := v.head, v.w[at&1], v.w[at^1]
		l.observe64(v, old)
		loss, norm2 := of64(h, headLoss), of64(h, headNorm2)
		spike, signal := of64(h, headSpikeEnergy), of64(h, headSignalEnergy)
		if quiet := l.quiet64(h, loss, norm2, spike, signal); quiet != all1s64 {
			l.see(v.row, (all1s64&^quiet)<<v.lane)
		}
		if l.heads[v.row].tails != 0 {
			tail64(h, loss, norm2, signal)
		}
		t := of64(h, headTrace)
		for g := range uintptr(l.groups) {
			c := unsafe.Add(v.cells, g*cellSize)
			x := of64(c, cellG)
			to64(x.Add(x).Add(t).Mul(of64(c, cellQ)).Mul(of64(old, g*rowSize)), c, cellG)
		}
		l.update64(v)
		rate := l.rate64(v)
		keep := set64(1).Sub(rate.Mul(of64(h, headDecay)))
		for g := range uintptr(l.groups) {
			u := of64(v.cells, g*cellSize+cellG)
			to64(keep.Mul(of64(old, g*rowSize)).Sub(rate.Mul(u)), fresh, g*rowSize)
		}
		if l.heads[v.row].vacant != 0 {
			l.refill(v.row, all1s64<<v.lane)
		}
	}
}

// observe64 stores x_g in g, and the observed sums in the head.
func (l *Lanes) observe64(v *vector, old unsafe.Pointer) {
	h := v.head
	for j := range min(8, uintptr(l.groups)) {
		var trace, loss, norm2, spike vec64
		for g := j; g < uintptr(l.groups); g += 8 {
			p := unsafe.Add(v.cells, g*cellSize)
			w := of64(old, g*rowSize)
			a := w.Mul(w)
			n := of64(p, cellN)
			energy := n.Mul(a)
			norm2 = norm2.Add(energy)
			spike = spike.Add(and64(energy, of64(p, cellSpike)))
			if g == 0 {
				to64(a, h, headSignalEnergy)
				a = a.Sub(of64(h, headTau))
			}
			x := a.Mul(of64(p, cellQ))
			to64(x, p, cellG)
			y := n.Mul(x)
			trace = trace.Add(y)
			loss = loss.Add(y.Mul(x))
		}
		to64(trace, h, headParts+j*rowSize)
		to64(loss, h, headParts+(8+j)*rowSize)
		to64(norm2, h, headParts+(16+j)*rowSize)
		to64(spike, h, headParts+(24+j)*rowSize)
	}
	t, s := total64(h, 0), total64(h, 1)
	to64(t, h, headTrace)
	to64(s.Add(s).Add(t.Mul(t)), h, headLoss)
	to64(total64(h, 2), h, headNorm2)
	to64(total64(h, 3), h, headSpikeEnergy)
}

// total64 is the tree over the k-th partial sums.
func total64(h unsafe.Pointer, k uintptr) vec64 {
	p := unsafe.Add(h, headParts+8*k*rowSize)
	a := of64(p, 0).Add(of64(p, rowSize)).Add(of64(p, 2*rowSize).Add(of64(p, 3*rowSize)))
	return a.Add(of64(p, 4*rowSize).Add(of64(p, 5*rowSize)).Add(of64(p, 6*rowSize).Add(of64(p, 7*rowSize))))
}
