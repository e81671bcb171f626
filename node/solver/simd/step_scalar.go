// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import (
	"math"
	"unsafe"
)

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
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head64)(v.head)
		if v.shared.idle == math.MaxUint8 {
			continue
		}
		l.observe64(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or64(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set64(subnormalGuard))))
		over = or64(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative64(over).ToBits() != all1s64 || v.shared.due(l.now) {
			l.watch64(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case GD:
			l.gd64(v)
		case Adam:
			l.adam64(v)
		case Shampoo:
			l.shampoo64(v)
		default:
			l.update64(v)
			l.descend64(v)
		}
	}
}

// descend64 moves the iterate by the update.
func (l *Lanes) descend64(v *vector) {
	at, rate, keep := l.now&1, l.rate64(v), l.keep64(v)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first64(s)
		for range s.n {
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			c = next64(c)
		}
	}
}

// target64 is ‖θ‖² in the lanes of the teacher, if it is the first eigenspace of the strand, else
// 0.
func target64(h *head64, s *strand) (target vec64) {
	if s.teacher {
		target = h.tau.v
	}
	return target
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
	h.signalEnergy.v = l.signal64(v)
	teacher := h.teacher.v
	var zero vec64
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var trace, loss, norm2, spike vec64
		p := v.parts64(s)
		if s.more {
			trace, loss, norm2, spike = p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v
		}
		target := target64(h, s)
		c := v.first64(s)
		for range s.n {
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
			c = next64(c)
		}
		p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v = trace, loss, norm2, spike
	}
	if l.across {
		t, s := acrossTotal64(h, 0), acrossTotal64(h, 1)
		h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
		h.norm2.v, h.spikeEnergy.v = acrossTotal64(h, 2), acrossTotal64(h, 3)
		return
	}
	t, s := l.total64(h, 0), l.total64(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = l.total64(h, 2), l.total64(h, 3)
}

// signal64 is the teacher's w².
func (l *Lanes) signal64(v *vector) vec64 {
	w := (*cell64)(v.cells).w[l.now&1].v
	if l.across {
		w = set64((*cell)(v.cells).w[l.now&1][0])
	}
	return w.Mul(w)
}

// parts64 are the head's parts from those of the strand on: [k][0] is the strand's k-th.
func (v *vector) parts64(s *strand) *[4][8]row64 {
	return (*[4][8]row64)(unsafe.Add(v.head, headParts+s.part))
}

// total64 is the tree over the k-th partial sums, of eight points. Half of the tree adds 0 where
// there are up to four.
func (l *Lanes) total64(h *head64, k int) vec64 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	if l.groups <= 4 {
		return a
	}
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}

// acrossTotal64 is the tree over the lanes of one point.
func acrossTotal64(h *head64, k int) vec64 {
	p := (*lanes8)(unsafe.Pointer(&h.parts[k]))
	a := set64(p[0]).Add(set64(p[1])).Add(set64(p[2]).Add(set64(p[3])))
	return a.Add(set64(p[4]).Add(set64(p[5])).Add(set64(p[6]).Add(set64(p[7]))))
}

// acrossLargest64 is the largest of x >= 0 over the lanes of one point.
func acrossLargest64(h *head64, x vec64) vec64 {
	at := unsafe.Pointer(&h.held)
	put64(x, at, 0)
	for i := range width64 {
		x = x.Max(set64((*lanes8)(at)[i]))
	}
	return x
}
