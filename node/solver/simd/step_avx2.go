// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import (
	"math"
	"unsafe"
)

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
	for i := range l.vectors {
		v := &l.vectors[i]
		h := (*head256)(v.head)
		if v.shared.idle == math.MaxUint8 {
			continue
		}
		l.observe256(v)
		norm2, spike, signal := h.norm2.v, h.spikeEnergy.v, h.signalEnergy.v
		over := or256(h.signal.v.Mul(norm2).Sub(signal), h.spike.v.Mul(norm2).Sub(spike.Add(set256(subnormalGuard))))
		over = or256(over, signal.Sub(h.below.v.Mul(norm2)))
		if h.limit.v.GreaterEqual(norm2).ToBits()&^negative256(over).ToBits() != all1s256 || v.shared.due(l.now) {
			l.watch256(v, h.loss.v, norm2, spike, signal)
		}
		switch l.law.Rule {
		case GD:
			l.gd256(v)
		case Adam:
			l.adam256(v)
		case Shampoo:
			l.shampoo256(v)
		default:
			l.update256(v)
			l.descend256(v)
		}
	}
}

// descend256 moves the iterate by the update.
func (l *Lanes) descend256(v *vector) {
	at, rate, keep := l.now&1, l.rate256(v), l.keep256(v)
	for strands, k := l.cellsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		c := v.first256(s)
		for range s.n {
			c.w[at^1].v = keep.Mul(c.w[at].v).Sub(rate.Mul(c.g.v))
			c = next256(c)
		}
	}
}

// target256 is ‖θ‖² in the lanes of the teacher, if it is the first eigenspace of the strand, else
// 0.
func target256(h *head256, s *strand) (target vec256) {
	if s.teacher {
		target = h.tau.v
	}
	return target
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
	h.signalEnergy.v = l.signal256(v)
	teacher := h.teacher.v
	var zero vec256
	for strands, k := l.sumsOf, 0; k < len(strands); k++ {
		s := &strands[k]
		var trace, loss, norm2, spike vec256
		p := v.parts256(s)
		if s.more {
			trace, loss, norm2, spike = p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v
		}
		target := target256(h, s)
		c := v.first256(s)
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
			c = next256(c)
		}
		p[0][0].v, p[1][0].v, p[2][0].v, p[3][0].v = trace, loss, norm2, spike
	}
	if l.across {
		t, s := acrossTotal256(h, 0), acrossTotal256(h, 1)
		h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
		h.norm2.v, h.spikeEnergy.v = acrossTotal256(h, 2), acrossTotal256(h, 3)
		return
	}
	t, s := l.total256(h, 0), l.total256(h, 1)
	h.trace.v, h.loss.v = t, s.Add(s).Add(t.Mul(t))
	h.norm2.v, h.spikeEnergy.v = l.total256(h, 2), l.total256(h, 3)
}

// signal256 is the teacher's w².
func (l *Lanes) signal256(v *vector) vec256 {
	w := (*cell256)(v.cells).w[l.now&1].v
	if l.across {
		w = set256((*cell)(v.cells).w[l.now&1][0])
	}
	return w.Mul(w)
}

// parts256 are the head's parts from those of the strand on: [k][0] is the strand's k-th.
func (v *vector) parts256(s *strand) *[4][8]row256 {
	return (*[4][8]row256)(unsafe.Add(v.head, headParts+s.part))
}

// total256 is the tree over the k-th partial sums, of eight points. Half of the tree adds 0 where
// there are up to four.
func (l *Lanes) total256(h *head256, k int) vec256 {
	p := &h.parts[k]
	a := p[0].v.Add(p[1].v).Add(p[2].v.Add(p[3].v))
	if l.groups <= 4 {
		return a
	}
	return a.Add(p[4].v.Add(p[5].v).Add(p[6].v.Add(p[7].v)))
}

// acrossTotal256 is the tree over the lanes of one point.
func acrossTotal256(h *head256, k int) vec256 {
	p := (*lanes8)(unsafe.Pointer(&h.parts[k]))
	a := set256(p[0]).Add(set256(p[1])).Add(set256(p[2]).Add(set256(p[3])))
	return a.Add(set256(p[4]).Add(set256(p[5])).Add(set256(p[6]).Add(set256(p[7]))))
}

// acrossLargest256 is the largest of x >= 0 over the lanes of one point.
func acrossLargest256(h *head256, x vec256) vec256 {
	at := unsafe.Pointer(&h.held)
	put256(x, at, 0)
	for i := range width256 {
		x = x.Max(set256((*lanes8)(at)[i]))
	}
	return x
}
