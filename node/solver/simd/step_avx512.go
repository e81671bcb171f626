//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// advance512 takes steps until end, or until no lane has a point.
func (l *Lanes) advance512(end int) {
	special := l.groups == 3 && (l.law.Rule == GD || l.law.Rule == SpecGD)
	for ; l.now < end && l.active > 0; l.now++ {
		l.clock = float64(l.now)
		if special {
			l.three512()
		} else {
			l.general512()
		}
	}
	done512()
}

// three512 is one step of gd or specgd with three groups, all in registers.
func (l *Lanes) three512() {
	at, spectral := l.now&1, l.law.Rule == SpecGD
	for i := range l.vectors {
		v := &l.vectors[i]
		h, c, old, fresh := v.head, v.cells, v.w[at&1], v.w[at^1]
		w0, w1, w2 := of512(old, 0), of512(old, rowSize), of512(old, 2*rowSize)
		a0, a1, a2 := w0.Mul(w0), w1.Mul(w1), w2.Mul(w2)
		x0 := a0.Sub(of512(h, headTau)).Mul(of512(c, cellQ))
		x1, x2 := a1.Mul(of512(c, cellSize+cellQ)), a2.Mul(of512(c, 2*cellSize+cellQ))
		y1, y2 := x1.Mul(of512(c, cellSize+cellN)), x2.Mul(of512(c, 2*cellSize+cellN))
		t := x0.Add(y1).Add(y2)
		e1, e2 := a1.Mul(of512(c, cellSize+cellN)), a2.Mul(of512(c, 2*cellSize+cellN))
		norm2 := a0.Add(e1).Add(e2)
		spike := and512(e1, of512(c, cellSize+cellSpike)).Add(and512(e2, of512(c, 2*cellSize+cellSpike)))
		quiet := l.quiet512(h, norm2, spike, a0)
		row := &l.heads[v.row]
		if quiet != all1s512 || row.escaping|row.tails != 0 {
			s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
			l.watch512(v, quiet, s.Add(s).Add(t.Mul(t)), norm2, spike, a0)
		}
		// The iterate is loaded again: held in registers, it would push others out.
		w0, w1, w2 = of512(old, 0), of512(old, rowSize), of512(old, 2*rowSize)
		rate := l.rate512(v)
		g0, g1, g2 := x0.Add(x0).Add(t), x1.Add(x1).Add(t), x2.Add(x2).Add(t)
		keep := set512(1)
		if l.law.Decays {
			keep = keep.Sub(rate.Mul(of512(h, headDecay)))
		}
		if spectral {
			g0, g1, g2 = g0.Mul(of512(c, cellQ)).Mul(w0), g1.Mul(of512(c, cellSize+cellQ)).Mul(w1), g2.Mul(of512(c, 2*cellSize+cellQ)).Mul(w2)
			b0, b1, b2 := abs512(g0), abs512(g1), abs512(g2)
			cut := b0.Max(b1).Max(b2).Mul(of512(h, headRTol))
			g0, g1, g2 = flip512(rate, g0), flip512(rate, g1), flip512(rate, g2)
			if some := b0.Min(b1).Min(b2).Greater(cut); some.ToBits() != all1s512 {
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
			to512(w0.Sub(g0), fresh, 0)
			to512(w1.Sub(g1), fresh, rowSize)
			to512(w2.Sub(g2), fresh, 2*rowSize)
		} else {
			r0, r1, r2 := rate.Mul(of512(c, cellQ)), rate.Mul(of512(c, cellSize+cellQ)), rate.Mul(of512(c, 2*cellSize+cellQ))
			to512(keep.Sub(r0.Mul(g0)).Mul(w0), fresh, 0)
			to512(keep.Sub(r1.Mul(g1)).Mul(w1), fresh, rowSize)
			to512(keep.Sub(r2.Mul(g2)).Mul(w2), fresh, 2*rowSize)
		}
		if row.vacant != 0 {
			l.refill(v.row, all1s512<<v.lane)
		}
	}
}

// quiet512 tells, by bits, the lanes that their hosts need not see for the energies or the step: none of the differences is negative.
// An iterate that is not a number is not below the limit.
func (l *Lanes) quiet512(h unsafe.Pointer, norm2, spike, signal vec512) uint {
	over := of512(h, headSignal).Mul(norm2).Sub(signal)
	over = or512(over, of512(h, headSpike).Mul(norm2).Sub(spike))
	over = or512(over, of512(h, headNext).Sub(set512(l.clock)))
	return uint(of512(h, headLimit).GreaterEqual(norm2).ToBits() &^ negative512(over).ToBits())
}

// watch512 shows the lanes that are not quiet, for their loss too, and sums the tails. The loss comes fourfold.
//
//go:noinline
func (l *Lanes) watch512(v *vector, quiet uint, loss, norm2, spike, signal vec512) {
	h, row := v.head, &l.heads[v.row]
	if quiet &= uint(loss.Greater(of512(h, headEscape)).ToBits()); quiet != all1s512 {
		to512(loss, h, headLoss)
		to512(norm2, h, headNorm2)
		to512(spike, h, headSpikeEnergy)
		to512(signal, h, headSignalEnergy)
		l.see(v.row, (all1s512&^quiet)<<v.lane)
	}
	if row.tails != 0 {
		on := of512(h, headTailOn)
		to512(of512(h, headTailSignal).Add(and512(signal.Div(norm2), on)), h, headTailSignal)
		to512(of512(h, headTailLoss).Add(and512(loss.Mul(set512(0.25)), on)), h, headTailLoss)
	}
}

func (l *Lanes) rate512(v *vector) vec512 {
	if l.law.Scheduled {
		return l.tabled512(l.rates, v)
	}
	return of512(v.head, headRate)
}

// tabled512 reads a table of schedules.
func (l *Lanes) tabled512(table []row, v *vector) vec512 {
	return of512(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)
}

// general512 is one step of any rule with any number of groups.
func (l *Lanes) general512() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h, old, fresh := v.head, v.w[at&1], v.w[at^1]
		l.observe512(v, old)
		loss, norm2 := of512(h, headLoss), of512(h, headNorm2)
		spike, signal := of512(h, headSpikeEnergy), of512(h, headSignalEnergy)
		l.watch512(v, l.quiet512(h, norm2, spike, signal), loss, norm2, spike, signal)
		t := of512(h, headTrace)
		for g := range uintptr(l.groups) {
			c := unsafe.Add(v.cells, g*cellSize)
			x := of512(c, cellG)
			to512(x.Add(x).Add(t).Mul(of512(c, cellQ)).Mul(of512(old, g*rowSize)), c, cellG)
		}
		l.update512(v)
		rate := l.rate512(v)
		keep := set512(1).Sub(rate.Mul(of512(h, headDecay)))
		for g := range uintptr(l.groups) {
			u := of512(v.cells, g*cellSize+cellG)
			to512(keep.Mul(of512(old, g*rowSize)).Sub(rate.Mul(u)), fresh, g*rowSize)
		}
		if l.heads[v.row].vacant != 0 {
			l.refill(v.row, all1s512<<v.lane)
		}
	}
}

// observe512 stores x_g in g, and the observed sums in the head.
func (l *Lanes) observe512(v *vector, old unsafe.Pointer) {
	h := v.head
	for j := range min(8, uintptr(l.groups)) {
		var trace, loss, norm2, spike vec512
		for g := j; g < uintptr(l.groups); g += 8 {
			p := unsafe.Add(v.cells, g*cellSize)
			w := of512(old, g*rowSize)
			a := w.Mul(w)
			n := of512(p, cellN)
			energy := n.Mul(a)
			norm2 = norm2.Add(energy)
			spike = spike.Add(and512(energy, of512(p, cellSpike)))
			if g == 0 {
				to512(a, h, headSignalEnergy)
				a = a.Sub(of512(h, headTau))
			}
			x := a.Mul(of512(p, cellQ))
			to512(x, p, cellG)
			y := n.Mul(x)
			trace = trace.Add(y)
			loss = loss.Add(y.Mul(x))
		}
		to512(trace, h, headParts+j*rowSize)
		to512(loss, h, headParts+(8+j)*rowSize)
		to512(norm2, h, headParts+(16+j)*rowSize)
		to512(spike, h, headParts+(24+j)*rowSize)
	}
	t, s := total512(h, 0), total512(h, 1)
	to512(t, h, headTrace)
	to512(s.Add(s).Add(t.Mul(t)), h, headLoss)
	to512(total512(h, 2), h, headNorm2)
	to512(total512(h, 3), h, headSpikeEnergy)
}

// total512 is the tree over the k-th partial sums.
func total512(h unsafe.Pointer, k uintptr) vec512 {
	p := unsafe.Add(h, headParts+8*k*rowSize)
	a := of512(p, 0).Add(of512(p, rowSize)).Add(of512(p, 2*rowSize).Add(of512(p, 3*rowSize)))
	return a.Add(of512(p, 4*rowSize).Add(of512(p, 5*rowSize)).Add(of512(p, 6*rowSize).Add(of512(p, 7*rowSize))))
}
