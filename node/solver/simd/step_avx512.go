//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

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
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head512)(v.head)
		if v.shared.idle == math.MaxUint8 {
			continue
		}
		l.observe512(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or512(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set512(subnormalGuard))))
		over = or512(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative512(over).ToBits() != all1s512 || v.shared.due(l.now) {
			l.watch512(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case GD:
			l.gd512(v)
		case Adam:
			l.adam512(v)
		case Shampoo:
			l.shampoo512(v)
		default:
			l.update512(v)
			l.descend512(v)
		}
	}
}

// descend512 moves the iterate by the update.
func (l *Lanes) descend512(v *vector) {
	at, rate, keep := l.now&1, l.rate512(v), l.keep512(v)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first512(s)
		for range s.n {
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			c = next512(c)
		}
	}
}

// target512 is ‖θ‖² in the lanes of the teacher, if it is the first eigenspace of the strand, else
// 0.
func target512(h *head512, s *strand) (target vec512) {
	if s.teacher {
		target = h.tau.v
	}
	return target
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
	h.signalEnergy.v = l.signal512(v)
	teacher := h.teacher.v
	var zero vec512
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var trace, loss, norm2, spike vec512
		p := v.parts512(s)
		if s.more {
			trace, loss, norm2, spike = p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v
		}
		target := target512(h, s)
		c := v.first512(s)
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
			c = next512(c)
		}
		p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v = trace, loss, norm2, spike
	}
	if l.across {
		t, s := acrossTotal512(h, 0), acrossTotal512(h, 1)
		h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
		h.norm2.v, h.spikeEnergy.v = acrossTotal512(h, 2), acrossTotal512(h, 3)
		return
	}
	t, s := l.total512(h, 0), l.total512(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = l.total512(h, 2), l.total512(h, 3)
}

// signal512 is the teacher's w².
func (l *Lanes) signal512(v *vector) vec512 {
	w := (*cell512)(v.cells).w[l.now&1].v
	if l.across {
		w = set512((*cell)(v.cells).w[l.now&1][0])
	}
	return w.Mul(w)
}

// parts512 are the head's parts from those of the strand on: [k][0] is the strand's k-th.
func (v *vector) parts512(s *strand) *[4][8]row512 {
	return (*[4][8]row512)(unsafe.Add(v.head, headParts+s.part))
}

// total512 is the tree over the k-th partial sums, of eight points. Half of the tree adds 0 where
// there are up to four.
func (l *Lanes) total512(h *head512, k int) vec512 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	if l.groups <= 4 {
		return a
	}
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}

// acrossTotal512 is the tree over the lanes of one point.
func acrossTotal512(h *head512, k int) vec512 {
	p := (*lanes8)(unsafe.Pointer(&h.parts[k]))
	a := set512(p[0]).Add(set512(p[1])).Add(set512(p[2]).Add(set512(p[3])))
	return a.Add(set512(p[4]).Add(set512(p[5])).Add(set512(p[6]).Add(set512(p[7]))))
}

// acrossLargest512 is the largest of x >= 0 over the lanes of one point.
func acrossLargest512(h *head512, x vec512) vec512 {
	at := unsafe.Pointer(&h.held)
	put512(x, at, 0)
	for i := range width512 {
		x = x.Max(set512((*lanes8)(at)[i]))
	}
	return x
}
