// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// advance256 takes steps until end, or until no lane has a point.
func (l *Lanes) advance256(end int) {
	special := l.groups == 3 && (l.law.Rule == GD || l.law.Rule == SpecGD)
	for ; l.now < end && l.active > 0; l.now++ {
		l.clock = float64(l.now)
		if special {
			l.three256()
		} else {
			l.general256()
		}
	}
	done256()
}

// three256 is one step of gd or specgd with three groups, all in registers.
func (l *Lanes) three256() {
	at, spectral := l.now&1, l.law.Rule == SpecGD
	for i := range l.vectors {
		v := &l.vectors[i]
		h, c, old, fresh := v.head, v.cells, v.w[at&1], v.w[at^1]
		w0, w1, w2 := of256(old, 0), of256(old, rowSize), of256(old, 2*rowSize)
		a0, a1, a2 := w0.Mul(w0), w1.Mul(w1), w2.Mul(w2)
		x0 := a0.Sub(of256(h, headTau)).Mul(of256(c, cellQ))
		x1, x2 := a1.Mul(of256(c, cellSize+cellQ)), a2.Mul(of256(c, 2*cellSize+cellQ))
		y1, y2 := x1.Mul(of256(c, cellSize+cellN)), x2.Mul(of256(c, 2*cellSize+cellN))
		t := x0.Add(y1).Add(y2)
		e1, e2 := a1.Mul(of256(c, cellSize+cellN)), a2.Mul(of256(c, 2*cellSize+cellN))
		norm2 := a0.Add(e1).Add(e2)
		spike := and256(e1, of256(c, cellSize+cellSpike)).Add(and256(e2, of256(c, 2*cellSize+cellSpike)))
		quiet := l.quiet256(h, norm2, spike, a0)
		row := &l.heads[v.row]
		if quiet != all1s256 || row.escaping|row.tails != 0 {
			s := x0.Mul(x0).Add(y1.Mul(x1)).Add(y2.Mul(x2))
			l.watch256(v, quiet, s.Add(s).Add(t.Mul(t)), norm2, spike, a0)
		}
		// The iterate is loaded again: held in registers, it would push others out.
		w0, w1, w2 = of256(old, 0), of256(old, rowSize), of256(old, 2*rowSize)
		rate := l.rate256(v)
		g0, g1, g2 := x0.Add(x0).Add(t), x1.Add(x1).Add(t), x2.Add(x2).Add(t)
		keep := set256(1)
		if l.law.Decays {
			keep = keep.Sub(rate.Mul(of256(h, headDecay)))
		}
		if spectral {
			g0, g1, g2 = g0.Mul(of256(c, cellQ)).Mul(w0), g1.Mul(of256(c, cellSize+cellQ)).Mul(w1), g2.Mul(of256(c, 2*cellSize+cellQ)).Mul(w2)
			b0, b1, b2 := abs256(g0), abs256(g1), abs256(g2)
			cut := b0.Max(b1).Max(b2).Mul(of256(h, headRTol))
			g0, g1, g2 = flip256(rate, g0), flip256(rate, g1), flip256(rate, g2)
			if some := b0.Min(b1).Min(b2).Greater(cut); some.ToBits() != all1s256 {
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
			to256(w0.Sub(g0), fresh, 0)
			to256(w1.Sub(g1), fresh, rowSize)
			to256(w2.Sub(g2), fresh, 2*rowSize)
		} else {
			r0, r1, r2 := rate.Mul(of256(c, cellQ)), rate.Mul(of256(c, cellSize+cellQ)), rate.Mul(of256(c, 2*cellSize+cellQ))
			to256(keep.Sub(r0.Mul(g0)).Mul(w0), fresh, 0)
			to256(keep.Sub(r1.Mul(g1)).Mul(w1), fresh, rowSize)
			to256(keep.Sub(r2.Mul(g2)).Mul(w2), fresh, 2*rowSize)
		}
		if row.vacant != 0 {
			l.refill(v.row, all1s256<<v.lane)
		}
	}
}

// quiet256 tells, by bits, the lanes that their hosts need not see for the energies or the step: none of the differences is negative.
// An iterate that is not a number is not below the limit.
func (l *Lanes) quiet256(h unsafe.Pointer, norm2, spike, signal vec256) uint {
	over := of256(h, headSignal).Mul(norm2).Sub(signal)
	over = or256(over, of256(h, headSpike).Mul(norm2).Sub(spike))
	over = or256(over, of256(h, headNext).Sub(set256(l.clock)))
	return uint(of256(h, headLimit).GreaterEqual(norm2).ToBits() &^ negative256(over).ToBits())
}

// watch256 shows the lanes that are not quiet, for their loss too, and sums the tails. The loss comes fourfold.
//
//go:noinline
func (l *Lanes) watch256(v *vector, quiet uint, loss, norm2, spike, signal vec256) {
	h, row := v.head, &l.heads[v.row]
	if quiet &= uint(loss.Greater(of256(h, headEscape)).ToBits()); quiet != all1s256 {
		to256(loss, h, headLoss)
		to256(norm2, h, headNorm2)
		to256(spike, h, headSpikeEnergy)
		to256(signal, h, headSignalEnergy)
		l.see(v.row, (all1s256&^quiet)<<v.lane)
	}
	if row.tails != 0 {
		on := of256(h, headTailOn)
		to256(of256(h, headTailSignal).Add(and256(signal.Div(norm2), on)), h, headTailSignal)
		to256(of256(h, headTailLoss).Add(and256(loss.Mul(set256(0.25)), on)), h, headTailLoss)
	}
}

func (l *Lanes) rate256(v *vector) vec256 {
	if l.law.Scheduled {
		return l.tabled256(l.rates, v)
	}
	return of256(v.head, headRate)
}

// tabled256 reads a table of schedules.
func (l *Lanes) tabled256(table []row, v *vector) vec256 {
	return of256(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)
}

// general256 is one step of any rule with any number of groups.
func (l *Lanes) general256() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h, old, fresh := v.head, v.w[at&1], v.w[at^1]
		l.observe256(v, old)
		loss, norm2 := of256(h, headLoss), of256(h, headNorm2)
		spike, signal := of256(h, headSpikeEnergy), of256(h, headSignalEnergy)
		l.watch256(v, l.quiet256(h, norm2, spike, signal), loss, norm2, spike, signal)
		t := of256(h, headTrace)
		for g := range uintptr(l.groups) {
			c := unsafe.Add(v.cells, g*cellSize)
			x := of256(c, cellG)
			to256(x.Add(x).Add(t).Mul(of256(c, cellQ)).Mul(of256(old, g*rowSize)), c, cellG)
		}
		l.update256(v)
		rate := l.rate256(v)
		keep := set256(1).Sub(rate.Mul(of256(h, headDecay)))
		for g := range uintptr(l.groups) {
			u := of256(v.cells, g*cellSize+cellG)
			to256(keep.Mul(of256(old, g*rowSize)).Sub(rate.Mul(u)), fresh, g*rowSize)
		}
		if l.heads[v.row].vacant != 0 {
			l.refill(v.row, all1s256<<v.lane)
		}
	}
}

// observe256 stores x_g in g, and the observed sums in the head.
func (l *Lanes) observe256(v *vector, old unsafe.Pointer) {
	h := v.head
	for j := range min(8, uintptr(l.groups)) {
		var trace, loss, norm2, spike vec256
		for g := j; g < uintptr(l.groups); g += 8 {
			p := unsafe.Add(v.cells, g*cellSize)
			w := of256(old, g*rowSize)
			a := w.Mul(w)
			n := of256(p, cellN)
			energy := n.Mul(a)
			norm2 = norm2.Add(energy)
			spike = spike.Add(and256(energy, of256(p, cellSpike)))
			if g == 0 {
				to256(a, h, headSignalEnergy)
				a = a.Sub(of256(h, headTau))
			}
			x := a.Mul(of256(p, cellQ))
			to256(x, p, cellG)
			y := n.Mul(x)
			trace = trace.Add(y)
			loss = loss.Add(y.Mul(x))
		}
		to256(trace, h, headParts+j*rowSize)
		to256(loss, h, headParts+(8+j)*rowSize)
		to256(norm2, h, headParts+(16+j)*rowSize)
		to256(spike, h, headParts+(24+j)*rowSize)
	}
	t, s := total256(h, 0), total256(h, 1)
	to256(t, h, headTrace)
	to256(s.Add(s).Add(t.Mul(t)), h, headLoss)
	to256(total256(h, 2), h, headNorm2)
	to256(total256(h, 3), h, headSpikeEnergy)
}

// total256 is the tree over the k-th partial sums.
func total256(h unsafe.Pointer, k uintptr) vec256 {
	p := unsafe.Add(h, headParts+8*k*rowSize)
	a := of256(p, 0).Add(of256(p, rowSize)).Add(of256(p, 2*rowSize).Add(of256(p, 3*rowSize)))
	return a.Add(of256(p, 4*rowSize).Add(of256(p, 5*rowSize)).Add(of256(p, 6*rowSize).Add(of256(p, 7*rowSize))))
}
