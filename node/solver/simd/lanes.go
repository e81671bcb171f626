package simd

import (
	"context"
	"math"
	"math/bits"
	"unsafe"
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
	groups int
	host   Host

	heads   []head
	cells   []cell // of row r: cells[r*groups:][:groups], in the order of place
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
	l.law, l.groups, l.host = law, groups, host
	l.shape(points)
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

// shape lays out enough vectors to hide the latency of one step behind those of other points,
// within the first-level cache.
func (l *Lanes) shape(points int) {
	rows := max(1, min(MaxLanes/8, 24/l.groups, (points+7)/8))
	if l.three() {
		rows += rows % 2 // the vectors of three groups go in pairs
	}
	// One more of each than is used: a kernel's pointer to half a row, or to a number in one, has
	// the type of a whole.
	l.heads = grow(l.heads, rows+1)[:rows]
	l.cells = grow(l.cells, rows*l.groups+1)[:rows*l.groups]
	l.base = grow(l.base, 8*rows)
	l.rates = grow(l.rates, scheduleSteps*rows+1)[:scheduleSteps*rows]
	l.powers = grow(l.powers, scheduleSteps*rows+1)[:scheduleSteps*rows]
	l.vectors = l.vectors[:0]
	for r := range l.heads {
		for lane := uintptr(0); lane < 8; lane += width(l.kernel) {
			from := func(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, 8*lane) }
			h, c := &l.heads[r], &l.cells[r*l.groups]
			l.vectors = append(l.vectors, vector{from(unsafe.Pointer(h)), from(unsafe.Pointer(c)), h, r, lane})
		}
	}
	clear(l.heads)
	clear(l.cells)
	clear(l.rates)
	clear(l.powers)
	l.now, l.active = 0, 0
	l.quintics = l.quintics[:0]
	for _, p := range l.law.Quintics {
		l.quintics = append(l.quintics, [3]row{broadcast(p[0]), broadcast(p[1]), broadcast(p[2])})
	}
}

// broadcast is a constant in all lanes: a load that is part of an operation costs less than filling
// a vector.
func broadcast(x float64) row { return row{x, x, x, x, x, x, x, x} }

// stride is how many groups are ≡ j mod 8.
func (l *Lanes) stride(j int) int { return (l.groups - j + 7) / 8 }

// place is where a group is kept: those ≡ 0 mod 8 come first, then those ≡ 1, so that strided sums
// read on and on.
func (l *Lanes) place(group int) int {
	j := group % 8
	return j*(l.groups/8) + min(j, l.groups%8) + group/8
}

// fill loads the next point into a free lane for step now, or makes the lane idle.
func (l *Lanes) fill(lane int) {
	h, i := &l.heads[lane/8], lane%8
	l.base[lane] = l.now
	h.tailOn[i], h.tailSignal[i], h.tailLoss[i] = 0, 0, 0
	h.tails &^= 1 << i
	h.escaping &^= 1 << i
	h.limit[i] = Bound * Bound
	h.peak[i], h.peakAt[i], h.bar[i], h.spike[i] = 0, float64(l.now-1), math.Inf(-1), math.Inf(-1)
	h.observeAt = 0
	h.decay1[i], h.decay2[i] = 1, 1
	for g := range l.groups {
		c := l.cell(lane, g)
		c.m[i], c.v[i] = 0, 0
	}
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
	h.idle |= 1 << i
	l.idle(lane)
}

// idle gives a lane a point that never moves and needs no observation. Zeros would need one: 0/0 is
// NaN.
func (l *Lanes) idle(lane int) {
	h, i := &l.heads[lane/8], lane%8
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
		c := l.cell(lane, g)
		c.g[i], c.m[i], c.v[i] = 0, 0, 0
		l.iterate(lane, g, 0)[i] = 1
	}
}

// tabulate writes the lane's rates from now to the end of the table.
func (l *Lanes) tabulate(lane int) {
	if math.IsInf(l.heads[lane/8].next[lane%8], 1) {
		return
	}
	for s := l.now; s < l.now/scheduleSteps*scheduleSteps+scheduleSteps; s++ {
		at := s%scheduleSteps*len(l.heads) + lane/8
		l.rates[at][lane%8], l.powers[at][lane%8] = l.host.Rate(lane, s-l.base[lane])
	}
}

func (l *Lanes) cell(lane, group int) *cell { return &l.cells[lane/8*l.groups+l.place(group)] }

func (l *Lanes) iterate(lane, group, back int) *row {
	return &l.cell(lane, group).w[(l.slot()+back)&1]
}

// slot is the index in cell.w of this step's iterate. With three groups it is always 0, and the old
// iterate is copied; with more groups, whose copies would not fit into the first-level cache, the
// two slots alternate.
func (l *Lanes) slot() int {
	if l.three() {
		return 0
	}
	return l.now & 1
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
	h, i := &l.heads[lane/8], lane%8
	h.tau[i], h.rate[i], h.decay[i], h.rtol[i] = p.Norm2, p.Rate, p.WeightDecay, p.RelativeZero
	h.beta[i], h.beta2[i], h.epsilon[i], h.power[i] = p.Beta, p.Beta2, p.Epsilon, p.Power
	for g := range l.groups {
		l.iterate(lane, g, 0)[i] = p.Scale
		if l.law.Rule == Shampoo {
			l.cell(lane, g).v[i] = p.Epsilon
		}
	}
}

// SetGroup gives the lane's point an eigenspace; group 0 is the teacher's own line, of multiplicity
// 1. Eigenspaces with higher eigenvalues than that are spikes.
func (l *Lanes) SetGroup(lane, group int, eigenvalue, multiplicity float64) {
	c, i := l.cell(lane, group), lane%8
	c.q[i], c.n[i] = eigenvalue, multiplicity
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
	h, i := &l.heads[lane/8], lane%8
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
	h, i := &l.heads[lane/8], lane%8
	h.tails |= 1 << i
	h.tailOn[i] = math.Float64frombits(math.MaxUint64)
	h.observeAt = 0
}

// Tail returns the sums over the iterates before the one that is being observed.
func (l *Lanes) Tail(lane int) (signal, loss float64) {
	h := &l.heads[lane/8]
	return h.tailSignal[lane%8], h.tailLoss[lane%8]
}

// Peak returns the highest spike alignment up to the iterate that is being observed, if that is
// bounded, and its step, -1 if it was NaN throughout.
func (l *Lanes) Peak(lane int) (spike float64, step int) {
	h := &l.heads[lane/8]
	return h.peak[lane%8], int(h.peakAt[lane%8]) - l.base[lane]
}

// Coefficients stores the w_g of the iterate that is being observed, or of the one back iterates
// before it (at most 1).
func (l *Lanes) Coefficients(dst []float64, lane, back int) {
	for g := range dst {
		dst[g] = l.iterate(lane, g, back)[lane%8]
	}
}

// observeLanes calls the host for lanes of row r whose iterates need an observation.
func (l *Lanes) observeLanes(r int, lanes uint) {
	h := &l.heads[r]
	for ; lanes != 0; lanes &= lanes - 1 {
		i := bits.TrailingZeros(lanes)
		lane := 8*r + i
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
	}
}

func (l *Lanes) bounded(lane int) bool {
	for g := range l.groups {
		if !(math.Abs(l.iterate(lane, g, 0)[lane%8]) <= Bound) {
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
			l.fill(8*r + bits.TrailingZeros8(h.vacant))
		}
	}
}
