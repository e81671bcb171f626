// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

type (
	cell64 = cellOf[row64]
	head64 = headOf[row64]
)

// advance64 takes steps until end, or until no lane has a point.
func (l *Lanes) advance64(end int) {
	if l.three() {
		l.eachThree(end, l.threeRule64())
	} else {
		for ; l.now < end && l.active > 0; l.endStep() {
			l.general64()
		}
	}
	done64()
}

// threeRule64 returns the kernel of three groups for the law.
func (l *Lanes) threeRule64() func(vs []vector, end int) {
	switch l.law.Rule {
	case GD:
		return l.threeGD64
	case SpecGD:
		return l.threeSpecGD64
	}
	return l.threeMuon64
}

// watch64 updates the peaks of the spike, calls the host for the lanes that need an observation,
// and sums the tails. loss is 4L.
//
//go:noinline
func (l *Lanes) watch64(v *vector, loss, norm2, spike, signal vec64) {
	h, now := (*head64)(v.head), set64(float64(l.now))
	finite := h.limit.v.GreaterEqual(norm2)
	if negative64(h.spike.v.Mul(norm2).Sub(spike.Add(set64(subnormalGuard)))).ToBits() != 0 {
		share := spike.Div(norm2)
		bar := share.Mul(set64(PeakFactor)).Add(set64(PeakMargin))
		higher := share.Greater(h.bar.v).And(finite)
		h.peak.v, h.peakAt.v = share.Merge(h.peak.v, higher), now.Merge(h.peakAt.v, higher)
		h.bar.v, h.spike.v = bar.Merge(h.bar.v, higher), bar.Mul(set64(roundingSlack)).Merge(h.spike.v, higher)
	}
	// Where a lane needs no observation neither difference is negative. NaN is not below the limit.
	over := or64(h.signal.v.Mul(norm2).Sub(signal), h.next.v.Sub(now))
	over = or64(over, signal.Sub(set64(subnormalGuard)).Sub(h.below.v.Mul(norm2)))
	noObservation := finite.ToBits() &^ negative64(over).ToBits() & loss.Greater(h.escape.v).ToBits()
	if noObservation != all1s64 {
		h.loss.v, h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v = loss, norm2, spike, signal
		l.notify64(v, all1s64&^uint(noObservation))
	}
	if v.shared.observeAt <= l.now {
		l.schedule(v.shared)
	}
	if v.shared.tails != 0 {
		h.tailSignal.v = h.tailSignal.v.Add(and64(signal.Div(norm2), h.tailOn.v))
		h.tailLoss.v = h.tailLoss.v.Add(and64(loss.Mul(set64(0.25)), h.tailOn.v))
	}
}

// notify64 calls the host for lanes.
//
//go:noinline
func (l *Lanes) notify64(v *vector, lanes uint) {
	done64()
	l.observeLanes(v.row, lanes<<v.lane)
}

func (l *Lanes) rate64(v *vector) vec64 {
	if l.law.Scheduled {
		return l.tabled64(l.rates, v)
	}
	return (*head64)(v.head).rate.v
}

// keep64 is 1 - lr·wd.
func (l *Lanes) keep64(v *vector) vec64 {
	h := (*head64)(v.head)
	if l.law.Scheduled {
		return set64(1).Sub(l.tabled64(l.rates, v).Mul(h.decay.v))
	}
	return h.keep.v
}

// tabled64 reads this step's row of a table of schedules.
func (l *Lanes) tabled64(table []row, v *vector) vec64 {
	return (*row64)(unsafe.Add(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)).v
}

// general64 is one step of any rule with any number of groups.
func (l *Lanes) general64() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head64)(v.head)
		l.observe64(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or64(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set64(subnormalGuard))))
		over = or64(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative64(over).ToBits() != all1s64 || v.shared.due(l.now) {
			l.watch64(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case Adam:
			l.adam64(v)
		case Shampoo:
			l.shampoo64(v)
		default:
			t, target := h.trace.v, h.tau.v
			var zero vec64
			for g := range uintptr(l.groups) {
				c := v.cell64(g)
				c.g.v = gradient64(c, at, target, t)
				target = zero
			}
			l.update64(v)
			rate, keep := l.rate64(v), l.keep64(v)
			for g := range uintptr(l.groups) {
				c := v.cell64(g)
				c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			}
		}
	}
}

// gradient64 is q (2x + T) w, x = q (w² - target).
func gradient64(c *cell64, at int, target, t vec64) vec64 {
	w := c.w[at&1].v
	x := w.Mul(w).Sub(target).Mul(c.q.v)
	return x.Add(x).Add(t).Mul(c.q.v).Mul(w)
}

// observe64 stores the observed sums in the head. Its intermediate results are recomputed by the
// step, which costs less than memory traffic.
func (l *Lanes) observe64(v *vector) {
	h, slot := (*head64)(v.head), l.now&1
	first := v.cell64(0)
	w := first.w[slot].v
	h.signalEnergy.v = w.Mul(w)
	var zero vec64
	target, teacher, at := h.tau.v, first.q.v, uintptr(0) // the teacher is in the first group
	for j := range min(8, l.groups) {
		var trace, loss, norm2, spike vec64
		for range l.stride(j) {
			c := v.cell64(at)
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
	t, s := total64(h, 0), total64(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = total64(h, 2), total64(h, 3)
}

// total64 is the tree over the k-th partial sums.
func total64(h *head64, k int) vec64 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}
