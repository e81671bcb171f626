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
		e1, e2 := a1.Mul(of64(c, cellSize+cellN)), a2.Mul(of64(c, 2*cellSize+cellN))
		norm2 := a0.Add(e1).Add(e2)
		spike := and64(e1, of64(c, cellSize+cellSpike)).Add(and64(e2, of64(c, 2*cellSize+cellSpike)))
		quiet := l.quiet64(h, norm2, spike, a0)
		row := &l.heads[v.row]
		if quiet != all1s64 || row.escaping|row.tails != 0 {
			s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
			l.watch64(v, quiet, s.Add(s).Add(t.Mul(t)), norm2, spike, a0)
		}
		// The iterate is loaded again: held in registers, it would push others out.
		w0, w1, w2 = of64(old, 0), of64(old, rowSize), of64(old, 2*rowSize)
		rate := l.rate64(v)
		g0, g1, g2 := x0.Add(x0).Add(t), x1.Add(x1).Add(t), x2.Add(x2).Add(t)
		keep := set64(1)
		if l.law.Decays {
			keep = keep.Sub(rate.Mul(of64(h, headDecay)))
		}
		if spectral {
			g0, g1, g2 = g0.Mul(of64(c, cellQ)).Mul(w0), g1.Mul(of64(c, cellSize+cellQ)).Mul(w1), g2.Mul(of64(c, 2*cellSize+cellQ)).Mul(w2)
			b0, b1, b2 := abs64(g0), abs64(g1), abs64(g2)
			cut := b0.Max(b1).Max(b2).Mul(of64(h, headRTol))
			g0, g1, g2 = flip64(rate, g0), flip64(rate, g1), flip64(rate, g2)
			if some := b0.Min(b1).Min(b2).Greater(cut); some.ToBits() != all1s64 {
				// Some count as zero, or are not finite: an infinite one makes the cut so, and T makes all so.
				bad := b0.Add(b1).Add(b2)
				bad = bad.Sub(bad)
				fine := bad.GreaterEqual(bad)
				g0 = g0.Masked(b0.Greater(cut)).Merge(bad, fine)
				g1 = g1.Masked(b1.Greater(cut)).Merge(bad, fine)
				g2 = g2.Masked(b2.Greater(cut)).Merge(bad, fine)
			}
			if l.law.Decays {
				w0, w1, w2 = keep.Mul(w0), keep.Mul(w1), keep.Mul(w2)
			}
			to64(w0.Sub(g0), fresh, 0)
			to64(w1.Sub(g1), fresh, rowSize)
			to64(w2.Sub(g2), fresh, 2*rowSize)
		} else {
			r0, r1, r2 := rate.Mul(of64(c, cellQ)), rate.Mul(of64(c, cellSize+cellQ)), rate.Mul(of64(c, 2*cellSize+cellQ))
			to64(keep.Sub(r0.Mul(g0)).Mul(w0), fresh, 0)
			to64(keep.Sub(r1.Mul(g1)).Mul(w1), fresh, rowSize)
			to64(keep.Sub(r2.Mul(g2)).Mul(w2), fresh, 2*rowSize)
		}
		if row.vacant != 0 {
			l.refill(v.row, all1s64<<v.lane)
		}
	}
}

// quiet64 tells, by bits, the lanes that their hosts need not see for the energies or the step: none of the differences is negative.
// An iterate that is not a number is not below the limit.
func (l *Lanes) quiet64(h unsafe.Pointer, norm2, spike, signal vec64) uint {
	over := of64(h, headSignal).Mul(norm2).Sub(signal)
	over = or64(over, of64(h, headSpike).Mul(norm2).Sub(spike))
	over = or64(over, of64(h, headNext).Sub(set64(l.clock)))
	return uint(of64(h, headLimit).GreaterEqual(norm2).ToBits() &^ negative64(over).ToBits())
}

// watch64 shows the lanes that are not quiet, for their loss too, and sums the tails. The loss comes fourfold.
//
//go:noinline
func (l *Lanes) watch64(v *vector, quiet uint, loss, norm2, spike, signal vec64) {
	h, row := v.head, &l.heads[v.row]
	if quiet &= uint(loss.Greater(of64(h, headEscape)).ToBits()); quiet != all1s64 {
		to64(loss, h, headLoss)
		to64(norm2, h, headNorm2)
		to64(spike, h, headSpikeEnergy)
		to64(signal, h, headSignalEnergy)
		l.see(v.row, (all1s64&^quiet)<<v.lane)
	}
	if row.tails != 0 {
		on := of64(h, headTailOn)
		to64(of64(h, headTailSignal).Add(and64(signal.Div(norm2), on)), h, headTailSignal)
		to64(of64(h, headTailLoss).Add(and64(loss.Mul(set64(0.25)), on)), h, headTailLoss)
	}
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

// general64 is one step of any rule with any number of groups.
func (l *Lanes) general64() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h, old, fresh := v.head, v.w[at&1], v.w[at^1]
		l.observe64(v, old)
		loss, norm2 := of64(h, headLoss), of64(h, headNorm2)
		spike, signal := of64(h, headSpikeEnergy), of64(h, headSignalEnergy)
		l.watch64(v, l.quiet64(h, norm2, spike, signal), loss, norm2, spike, signal)
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
