//go:build goexperiment.simd && amd64

package simd

import "unsafe"

type (
	cell512 = cellOf[row512]
	head512 = headOf[row512]
)

// advance512 takes steps until end, or until no lane has a point.
func (l *Lanes) advance512(end int) {
	if l.three() {
		l.eachThree(end, l.threeRule512())
	} else {
		for ; l.now < end && l.active > 0; l.endStep() {
			l.general512()
		}
	}
	done512()
}

// threeRule512 returns the kernel of three groups for the law.
func (l *Lanes) threeRule512() func(vs []vector, end int) {
	switch l.law.Rule {
	case GD:
		return l.threeGD512
	case SpecGD:
		return l.threeSpecGD512
	}
	return l.threeMuon512
}

// watch512 updates the peaks of the spike, calls the host for the lanes that need an observation,
// and sums the tails. loss is 4L.
//
//go:noinline
func (l *Lanes) watch512(v *vector, loss, norm2, spike, signal vec512) {
	h, now := (*head512)(v.head), set512(float64(l.now))
	finite := h.limit.v.GreaterEqual(norm2)
	if negative512(h.spike.v.Mul(norm2).Sub(spike.Add(set512(subnormalGuard)))).ToBits() != 0 {
		share := spike.Div(norm2)
		bar := share.Mul(set512(PeakFactor)).Add(set512(PeakMargin))
		higher := share.Greater(h.bar.v).And(finite)
		h.peak.v, h.peakAt.v = share.Merge(h.peak.v, higher), now.Merge(h.peakAt.v, higher)
		h.bar.v, h.spike.v = bar.Merge(h.bar.v, higher), bar.Mul(set512(roundingSlack)).Merge(h.spike.v, higher)
	}
	// Where a lane needs no observation neither difference is negative. NaN is not below the limit.
	over := or512(h.signal.v.Mul(norm2).Sub(signal), h.next.v.Sub(now))
	over = or512(over, signal.Sub(set512(subnormalGuard)).Sub(h.below.v.Mul(norm2)))
	noObservation := finite.ToBits() &^ negative512(over).ToBits() & loss.Greater(h.escape.v).ToBits()
	if noObservation != all1s512 {
		h.loss.v, h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v = loss, norm2, spike, signal
		l.notify512(v, all1s512&^uint(noObservation))
	}
	if v.shared.observeAt <= l.now {
		l.schedule(v.shared)
	}
	if v.shared.tails != 0 {
		h.tailSignal.v = h.tailSignal.v.Add(and512(signal.Div(norm2), h.tailOn.v))
		h.tailLoss.v = h.tailLoss.v.Add(and512(loss.Mul(set512(0.25)), h.tailOn.v))
	}
}

// notify512 calls the host for lanes.
//
//go:noinline
func (l *Lanes) notify512(v *vector, lanes uint) {
	done512()
	l.observeLanes(v.row, lanes<<v.lane)
}

func (l *Lanes) rate512(v *vector) vec512 {
	if l.law.Scheduled {
		return l.tabled512(l.rates, v)
	}
	return (*head512)(v.head).rate.v
}

// keep512 is 1 - lr·wd.
func (l *Lanes) keep512(v *vector) vec512 {
	h := (*head512)(v.head)
	if l.law.Scheduled {
		return set512(1).Sub(l.tabled512(l.rates, v).Mul(h.decay.v))
	}
	return h.keep.v
}

// tabled512 reads this step's row of a table of schedules.
func (l *Lanes) tabled512(table []row, v *vector) vec512 {
	return (*row512)(unsafe.Add(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)).v
}

// general512 is one step of any rule with any number of groups.
func (l *Lanes) general512() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head512)(v.head)
		l.observe512(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or512(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set512(subnormalGuard))))
		over = or512(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative512(over).ToBits() != all1s512 || v.shared.due(l.now) {
			l.watch512(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case Adam:
			l.adam512(v)
		case Shampoo:
			l.shampoo512(v)
		default:
			t, target := h.trace.v, h.tau.v
			var zero vec512
			for g := range uintptr(l.groups) {
				c := v.cell512(g)
				c.g.v = gradient512(c, at, target, t)
				target = zero
			}
			l.update512(v)
			rate, keep := l.rate512(v), l.keep512(v)
			for g := range uintptr(l.groups) {
				c := v.cell512(g)
				c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			}
		}
	}
}

// gradient512 is q (2x + T) w, x = q (w² - target).
func gradient512(c *cell512, at int, target, t vec512) vec512 {
	w := c.w[at&1].v
	x := w.Mul(w).Sub(target).Mul(c.q.v)
	return x.Add(x).Add(t).Mul(c.q.v).Mul(w)
}

// observe512 stores the observed sums in the head. Its intermediate results are recomputed by the
// step, which costs less than memory traffic.
func (l *Lanes) observe512(v *vector) {
	h, slot := (*head512)(v.head), l.now&1
	first := v.cell512(0)
	w := first.w[slot].v
	h.signalEnergy.v = w.Mul(w)
	var zero vec512
	target, teacher, at := h.tau.v, first.q.v, uintptr(0) // the teacher is in the first group
	for j := range min(8, l.groups) {
		var trace, loss, norm2, spike vec512
		for range l.stride(j) {
			c := v.cell512(at)
			at++
			w := c.w[slot].v
			a := w.Mul(w)
			energy := c.n.v.Mul(a)
			norm2 = norm2.Add(energy)
			spike = spike.Add(energy.Masked(c.q.v.Greater(teacher)))
			x := a.Sub(target).Mul(c.q.v)
			target = zero
			y := c.n.v.Mul(x)
			trace = trace.Add(y)
			loss = loss.Add(y.Mul(x))
		}
		h.parts[0][j].v, h.parts[1][j].v, h.parts[2][j].v, h.parts[3][j].v = trace, loss, norm2, spike
	}
	t, s := total512(h, 0), total512(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = total512(h, 2), total512(h, 3)
}

// total512 is the tree over the k-th partial sums.
func total512(h *head512, k int) vec512 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}
