package simd

import (
	"context"
	"math"
	"math/bits"
)

// MaxLanes is the largest number of lanes that run side by side.
const MaxLanes = 32

// Bound is the size of an entry of an iterate beyond which a run has diverged.
const Bound = 1e6

// Observation is an iterate as the vector kernels saw it.
type Observation struct {
	Loss, SignalAlignment, SpikeAlignment float64
	Bounded                               bool // no coefficient is beyond Bound
}

// Host owns the points that run in lanes. It is called by the goroutine that runs the Lanes.
type Host interface {
	// Load puts the next point into a free lane by Lanes.Set, SetGroup and SetWatch. It returns
	// false when there are no more.
	Load(lane int) bool
	// Observe receives iterate k of a lane's point: the first one, those that the lane's watch asks
	// for, and any that is not bounded. It returns true when the point is done and its lane free.
	// Lanes.Coefficients stores the iterate.
	Observe(lane, k int, o Observation) (done bool)
	// Rate returns the learning rate and the power of step k, where Law.Scheduled.
	Rate(lane, k int) (rate, power float64)
}

// Watch says which iterates of a point its host observes. Comparisons are made without a division
// and err on the side of observing.
type Watch struct {
	Loss   float64 // iterates with L <= Loss
	Signal float64 // with signal alignment >= Signal
	Below  float64 // with signal alignment < Below, or an undefined one
	Step   int     // iterate Step, whatever it is
}

// NoFloor is a Below that no iterate lies under: times ‖W‖² it is far below -‖Wᵀu‖² and still
// finite, or infinite of the right sign.
const NoFloor = -1e300

const (
	// scheduleSteps is how many steps ahead the rates of scheduled points are tabulated.
	scheduleSteps = 64
	// steadySteps is how many steps are taken at a time where nothing is tabulated.
	steadySteps = 1024
)

// Lanes runs points of the reduced representation side by side, eight to a vector: W = Σ w_g P_g,
// the teacher's line first. With x_g = q_g (w_g² - τ_g), τ_0 = ‖θ‖² and 0 for the rest, and T = Σ
// n_g x_g:
//
//	L = ½ Σ n_g x_g² + ¼ T²,  gradient q_g (2 x_g + T) w_g,  w_g <- w_g (1 - lr·wd) - lr u_g.
//
// A lane whose point is done takes the next one at once. Its memory is reused; it is not safe for
// concurrent use.
type Lanes struct {
	kernel Kernel
	law    Law
	host   Host

	layout
	heads   []head
	cells   []cell // of row r: cells[r*span:][:span]
	vectors []vector
	base    []int // per lane: now - base is the point's step
	now     int
	active  int

	vacancies bool // some lane is to be filled after this step

	quintics [][3]row // the law's

	rates, powers []row // step s of row r at (s mod scheduleSteps)·rows + r
}

// NewLanes returns lanes that use the kernel.
func NewLanes(k Kernel) *Lanes { return &Lanes{kernel: k} }

// Run takes points from the host until there are none and all are done. points is about how many
// there are, groups the number of eigenspaces of each. It returns ctx's error when that ends first.
func (l *Lanes) Run(ctx context.Context, law Law, groups, points int, host Host) error {
	l.law, l.host = law, host
	l.shape(groups, points)
	for lane := range l.base {
		l.active++
		l.fill(lane)
	}
	for l.active > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		steps := steadySteps
		if law.Scheduled {
			steps = scheduleSteps
			for lane := range l.base {
				l.tabulate(lane)
			}
		}
		advance(l.kernel, l, l.now+steps)
	}
	return nil
}

// broadcast is a constant in all lanes: a load that is part of an operation costs less than filling
// a vector.
func broadcast(x float64) row { return row{x, x, x, x, x, x, x, x} }

// fill loads the next point into a free lane for step now, or makes the lane idle.
func (l *Lanes) fill(lane int) {
	h, i := l.head(lane)
	defer l.spread(lane)
	l.base[lane] = l.now
	h.tailOn[i], h.tailSignal[i], h.tailLoss[i] = 0, 0, 0
	h.tails &^= 1 << i
	h.escaping &^= 1 << i
	h.limit[i] = Bound * Bound
	h.peak[i], h.peakAt[i], h.bar[i], h.spike[i] = 0, float64(l.now-1), math.Inf(-1), math.Inf(-1)
	h.observeAt = 0
	h.decay1[i], h.decay2[i] = 1, 1
	l.forget(lane)
	if l.host.Load(lane) {
		h.idle &^= 1 << i
		h.keep[i] = 1 - float64(h.rate[i]*h.decay[i])
		if l.three() {
			l.prepare(lane)
		}
		h.next[i] = float64(l.now) - 0.5
		if l.law.Scheduled {
			l.tabulate(lane)
		}
		return
	}
	l.active--
	if l.across {
		h.idle = math.MaxUint8
		return
	}
	h.idle |= 1 << i
	l.idle(lane)
}

// idle gives a lane a point that never moves and needs no observation. Zeros would need one: 0/0 is
// NaN.
func (l *Lanes) idle(lane int) {
	h, i := l.head(lane)
	h.tau[i], h.rate[i], h.decay[i], h.rtol[i], h.beta[i], h.epsilon[i] = 0, 0, 0, 0, 0, 1
	h.keep[i] = 1
	h.escape[i], h.signal[i], h.spike[i], h.bar[i], h.next[i] = -1, math.Inf(1), 1, math.Inf(1), math.Inf(1)
	h.below[i] = NoFloor
	for s := range scheduleSteps {
		l.rates[s*len(l.heads)+lane/8][i] = 0
	}
	for g := range l.groups {
		l.SetGroup(lane, g, 1, 1)
		h.spikes[min(g, 2)][i] = 0
		c, _ := l.cell(lane, g)
		c.g[i], c.m[i], c.v[i] = 0, 0, 0
		*l.iterate(lane, g, 0) = 1
	}
}

// Point is what a lane holds once, whatever its number of groups.
type Point struct {
	Norm2, Scale      float64 // ‖θ‖², w_g at step 0
	Rate, WeightDecay float64
	Beta, Beta2       float64
	Epsilon           float64
	Power             float64
	RelativeZero      float64 // ratio to the largest singular value up to which one counts as zero
}

// Set puts a point into a lane.
func (l *Lanes) Set(lane int, p Point) {
	h, i := l.head(lane)
	h.tau[i], h.rate[i], h.decay[i], h.rtol[i] = p.Norm2, p.Rate, p.WeightDecay, p.RelativeZero
	h.beta[i], h.beta2[i], h.epsilon[i], h.power[i] = p.Beta, p.Beta2, p.Epsilon, p.Power
	for g := range l.groups {
		*l.iterate(lane, g, 0) = p.Scale
	}
	if l.law.Rule == Shampoo {
		l.remember(lane, p.Epsilon)
	}
}

// SetGroup gives the lane's point an eigenspace; group 0 is the teacher's own line, of multiplicity
// 1. Eigenspaces with higher eigenvalues than that are spikes.
func (l *Lanes) SetGroup(lane, group int, eigenvalue, multiplicity float64) {
	c, i := l.cell(lane, group)
	c.q[i], c.n[i] = eigenvalue, multiplicity
	if group == 0 {
		h, i := l.head(lane)
		h.teacher[i] = eigenvalue
	}
}

// roundingSlack exceeds the rounding errors of the few operations behind a comparison, in any
// order.
const roundingSlack = 1 - 2e-15

// subnormalGuard is added to spike energies that are compared, and taken from ‖Wᵀu‖² where that may
// lie under a level, so that an iterate whose energies may be subnormal is observed in every step:
// their relative rounding errors exceed roundingSlack.
const subnormalGuard = 1e-280

// A spike is a new peak where it exceeds the last one by more than rounding: ties keep the
// earliest.
const (
	PeakFactor = 1 + 1e-12
	PeakMargin = 1e-15
)

// SetWatch says which iterates of the lane's point the host observes from now on.
func (l *Lanes) SetWatch(lane int, w Watch) {
	h, i := l.head(lane)
	h.escape[i] = 4 * w.Loss
	h.escaping &^= 1 << i
	if !math.IsInf(w.Loss, -1) {
		h.escaping |= 1 << i
	}
	h.signal[i], h.below[i] = w.Signal*roundingSlack, w.Below*(2-roundingSlack)
	h.next[i] = float64(w.Step+l.base[lane]) - 0.5
	h.observeAt = 0
}

// due reports whether some point needs an observation because of its step number, its loss or its
// tail.
func (h *headOf[R]) due(now int) bool { return now >= h.observeAt || h.escaping|h.tails != 0 }

// schedule finds the next step at which one of eight points needs an observation.
func (l *Lanes) schedule(h *head) {
	next := math.Inf(1)
	for _, x := range h.next { // slices.Min also minds NaN, which is not there, at several times the cost
		if x < next {
			next = x
		}
	}
	h.observeAt = math.MaxInt
	if !math.IsInf(next, 1) {
		h.observeAt = int(next + 0.5)
	}
}

// SumTail starts the sums of signal alignment and loss with the iterate that is being observed.
func (l *Lanes) SumTail(lane int) {
	h, i := l.head(lane)
	h.tails |= 1 << i
	h.tailOn[i] = math.Float64frombits(math.MaxUint64)
	h.observeAt = 0
}

// Tail returns the sums over the iterates before the one that is being observed.
func (l *Lanes) Tail(lane int) (signal, loss float64) {
	h, i := l.head(lane)
	return h.tailSignal[i], h.tailLoss[i]
}

// Peak returns the highest spike alignment up to the iterate that is being observed, if that is
// bounded, and its step, -1 if it was NaN throughout.
func (l *Lanes) Peak(lane int) (spike float64, step int) {
	h, i := l.head(lane)
	return h.peak[i], int(h.peakAt[i]) - l.base[lane]
}

// Coefficients stores the w_g of the iterate that is being observed, or of the one back iterates
// before it (at most 1).
func (l *Lanes) Coefficients(dst []float64, lane, back int) {
	for g := range dst {
		dst[g] = *l.iterate(lane, g, back)
	}
}

// observeLanes calls the host for lanes of row r whose iterates need an observation.
func (l *Lanes) observeLanes(r int, lanes uint) {
	h := &l.heads[r]
	if l.across {
		lanes = 1
	}
	for ; lanes != 0; lanes &= lanes - 1 {
		i := bits.TrailingZeros(lanes)
		lane := l.lane(r, i)
		o := Observation{0.25 * h.loss[i], h.signalEnergy[i] / h.norm2[i], h.spikeEnergy[i] / h.norm2[i], true}
		if !(h.norm2[i] <= Bound*Bound) {
			o.Bounded = l.bounded(lane)
			if o.Bounded && o.SpikeAlignment > h.bar[i] {
				h.peak[i], h.peakAt[i] = o.SpikeAlignment, float64(l.now)
				h.bar[i] = float64(o.SpikeAlignment*PeakFactor) + PeakMargin
				h.spike[i] = h.bar[i] * roundingSlack
			}
		}
		if l.host.Observe(lane, l.now-l.base[lane], o) {
			h.vacant |= 1 << i
			l.vacancies = true
		}
		l.spread(lane) // lest the other lanes keep asking for what the host has seen
	}
}

func (l *Lanes) bounded(lane int) bool {
	for g := range l.groups {
		if !(math.Abs(*l.iterate(lane, g, 0)) <= Bound) {
			return false
		}
	}
	return true
}

// endStep ends a step, and loads points into the lanes that it left vacant: theirs begin with the
// next step.
func (l *Lanes) endStep() {
	l.now++
	if l.vacancies {
		l.refill()
	}
}

func (l *Lanes) refill() {
	l.vacancies = false
	for r := range l.heads {
		h := &l.heads[r]
		for ; h.vacant != 0; h.vacant &= h.vacant - 1 {
			l.fill(l.lane(r, bits.TrailingZeros8(h.vacant)))
		}
	}
}
