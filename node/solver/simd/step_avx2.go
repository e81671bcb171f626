// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

type (
	cell256 = cellOf[row256]
	head256 = headOf[row256]
)

// advance256 takes steps until end, or until no lane has a point.
func (l *Lanes) advance256(end int) {
	if l.three() {
		l.eachThree(end, l.threeRule256())
	} else {
		for ; l.now < end && l.active > 0; l.endStep() {
			l.general256()
		}
	}
	done256()
}

// threeRule256 returns the kernel of three groups for the law.
func (l *Lanes) threeRule256() func(vs []vector, end int) {
	switch l.law.Rule {
	case GD:
		return l.threeGD256
	case SpecGD:
		return l.threeSpecGD256
	}
	return l.threeMuon256
}

// watch256 updates the peaks of the spike, calls the host for the lanes that need an observation,
// and sums the tails. loss is 4L.
//
//go:noinline
func (l *Lanes) watch256(v *vector, loss, norm2, spike, signal vec256) {
	h, now := (*head256)(v.head), set256(float64(l.now))
	finite := h.limit.v.GreaterEqual(norm2)
	if negative256(h.spike.v.Mul(norm2).Sub(spike.Add(set256(subnormalGuard)))).ToBits() != 0 {
		share := spike.Div(norm2)
		bar := share.Mul(set256(PeakFactor)).Add(set256(PeakMargin))
		higher := share.Greater(h.bar.v).And(finite)
		h.peak.v, h.peakAt.v = share.Merge(h.peak.v, higher), now.Merge(h.peakAt.v, higher)
		h.bar.v, h.spike.v = bar.Merge(h.bar.v, higher), bar.Mul(set256(roundingSlack)).Merge(h.spike.v, higher)
	}
	// Where a lane needs no observation neither difference is negative. NaN is not below the limit.
	over := or256(h.signal.v.Mul(norm2).Sub(signal), h.next.v.Sub(now))
	over = or256(over, signal.Sub(set256(subnormalGuard)).Sub(h.below.v.Mul(norm2)))
	noObservation := finite.ToBits() &^ negative256(over).ToBits() & loss.Greater(h.escape.v).ToBits()
	if noObservation != all1s256 {
		h.loss.v, h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v = loss, norm2, spike, signal
		l.notify256(v, all1s256&^uint(noObservation))
	}
	if v.shared.observeAt <= l.now {
		l.schedule(v.shared)
	}
	if v.shared.tails != 0 {
		h.tailSignal.v = h.tailSignal.v.Add(and256(signal.Div(norm2), h.tailOn.v))
		h.tailLoss.v = h.tailLoss.v.Add(and256(loss.Mul(set256(0.25)), h.tailOn.v))
	}
}

// notify256 calls the host for lanes.
//
//go:noinline
func (l *Lanes) notify256(v *vector, lanes uint) {
	done256()
	l.observeLanes(v.row, lanes<<v.lane)
}

func (l *Lanes) rate256(v *vector) vec256 {
	if l.law.Scheduled {
		return l.tabled256(l.rates, v)
	}
	return (*head256)(v.head).rate.v
}

// keep256 is 1 - lr·wd.
func (l *Lanes) keep256(v *vector) vec256 {
	h := (*head256)(v.head)
	if l.law.Scheduled {
		return set256(1).Sub(l.tabled256(l.rates, v).Mul(h.decay.v))
	}
	return h.keep.v
}

// tabled256 reads this step's row of a table of schedules.
func (l *Lanes) tabled256(table []row, v *vector) vec256 {
	return (*row256)(unsafe.Add(unsafe.Pointer(&table[l.now%scheduleSteps*len(l.heads)+v.row]), 8*v.lane)).v
}

// general256 is one step of any rule with any number of groups.
func (l *Lanes) general256() {
	at := l.now & 1
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head256)(v.head)
		l.observe256(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or256(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set256(subnormalGuard))))
		over = or256(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative256(over).ToBits() != all1s256 || v.shared.due(l.now) {
			l.watch256(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case Adam:
			l.adam256(v)
		case Shampoo:
			l.shampoo256(v)
		default:
			t, target := h.trace.v, h.tau.v
			var zero vec256
			for g := range uintptr(l.groups) {
				c := v.cell256(g)
				c.g.v = gradient256(c, at, target, t)
				target = zero
			}
			l.update256(v)
			rate, keep := l.rate256(v), l.keep256(v)
			for g := range uintptr(l.groups) {
				c := v.cell256(g)
				c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			}
		}
	}
}

// gradient256 is q (2x + T) w, x = q (w² - target).
func gradient256(c *cell256, at int, target, t vec256) vec256 {
	w := c.w[at&1].v
	x := w.Mul(w).Sub(target).Mul(c.q.v)
	return x.Add(x).Add(t).Mul(c.q.v).Mul(w)
}

// observe256 stores the observed sums in the head. Its intermediate results are recomputed by the
// step, which costs less than memory traffic.
func (l *Lanes) observe256(v *vector) {
	h, slot := (*head256)(v.head), l.now&1
	first := v.cell256(0)
	w := first.w[slot].v
	h.signalEnergy.v = w.Mul(w)
	var zero vec256
	target, teacher, at := h.tau.v, first.q.v, uintptr(0) // the teacher is in the first group
	for j := range min(8, l.groups) {
		var trace, loss, norm2, spike vec256
		for range l.stride(j) {
			c := v.cell256(at)
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
	t, s := total256(h, 0), total256(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = total256(h, 2), total256(h, 3)
}

// total256 is the tree over the k-th partial sums.
func total256(h *head256, k int) vec256 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}
