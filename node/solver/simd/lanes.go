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

// row holds one number for each of eight points; a vector kernel takes all of it, half of it, or one number at a time.
type row [8]float64

// cell is one eigenspace of eight points.
type cell struct {
	q, n  row // eigenvalue, multiplicity
	spike row // all bits set where the eigenspace counts as a spike, else 0
	g     row // gradient, then update
	m, v  row // the optimizer's memory
}

// head is what eight points have once.
type head struct {
	tau, rate, decay row // ‖θ‖², learning rate, weight decay

	// A point is quiet, and its host is not asked, while 4L > escape, ‖Wᵀu‖² <= signal ‖W‖², spike energy <= spike ‖W‖²,
	// ‖W‖² <= limit and the step is below next. An iterate that is not a number is never quiet.
	escape, signal, spike, limit, next row

	tailOn, tailSignal, tailLoss row // all bits set where the tail is summed; its sums

	trace                                  row // T
	loss, norm2, spikeEnergy, signalEnergy row // as observed: 4L, ‖W‖², spike energy, ‖Wᵀu‖²

	rtol, beta, beta2, epsilon, decay1, decay2, power row

	parts [4][8]row // strided partial sums

	escaping uint8 // lanes whose loss is watched
	tails    uint8 // lanes whose tail is summed
	vacant   uint8 // lanes to be filled after this step

	_ [rowSize - 3]byte // a head is a whole number of cache lines, so that no row straddles two
}

// vector is where a kernel finds the lanes that it takes at once: all of a row, half of it, or one. The pointers are into the
// slices of Lanes; kept here, they let loads have constant offsets.
type vector struct {
	head, cells unsafe.Pointer
	w           [2]unsafe.Pointer // the iterate of step k at k&1, the one before it beside it
	row         int               // of eight points, whose head is heads[row]
	lane        uintptr           // the first one in the row
}

// Offsets for the kernels.
const (
	rowSize   = unsafe.Sizeof(row{})
	cellSize  = unsafe.Sizeof(cell{})
	cellQ     = unsafe.Offsetof(cell{}.q)
	cellN     = unsafe.Offsetof(cell{}.n)
	cellSpike = unsafe.Offsetof(cell{}.spike)
	cellG     = unsafe.Offsetof(cell{}.g)
	cellM     = unsafe.Offsetof(cell{}.m)
	cellV     = unsafe.Offsetof(cell{}.v)

	headRate         = unsafe.Offsetof(head{}.rate)
	headPower        = unsafe.Offsetof(head{}.power)
	headTau          = unsafe.Offsetof(head{}.tau)
	headDecay        = unsafe.Offsetof(head{}.decay)
	headEscape       = unsafe.Offsetof(head{}.escape)
	headSignal       = unsafe.Offsetof(head{}.signal)
	headSpike        = unsafe.Offsetof(head{}.spike)
	headLimit        = unsafe.Offsetof(head{}.limit)
	headNext         = unsafe.Offsetof(head{}.next)
	headTailOn       = unsafe.Offsetof(head{}.tailOn)
	headTailSignal   = unsafe.Offsetof(head{}.tailSignal)
	headTailLoss     = unsafe.Offsetof(head{}.tailLoss)
	headTrace        = unsafe.Offsetof(head{}.trace)
	headLoss         = unsafe.Offsetof(head{}.loss)
	headNorm2        = unsafe.Offsetof(head{}.norm2)
	headSpikeEnergy  = unsafe.Offsetof(head{}.spikeEnergy)
	headSignalEnergy = unsafe.Offsetof(head{}.signalEnergy)
	headRTol         = unsafe.Offsetof(head{}.rtol)
	headBeta         = unsafe.Offsetof(head{}.beta)
	headBeta2        = unsafe.Offsetof(head{}.beta2)
	headEpsilon      = unsafe.Offsetof(head{}.epsilon)
	headDecay1       = unsafe.Offsetof(head{}.decay1)
	headDecay2       = unsafe.Offsetof(head{}.decay2)
	headParts        = unsafe.Offsetof(head{}.parts)
)

// Observation is an iterate as the vector kernels saw it.
type Observation struct {
	Loss, SignalAlignment, SpikeAlignment float64
	Bounded                               bool // no coefficient is beyond Bound
}

// Host owns the points that run in lanes. It is called by the goroutine that runs the Lanes.
type Host interface {
	// Load puts the next point into a free lane by Lanes.Set and its kin. It returns false when there are no more.
	Load(lane int) bool
	// See takes in iterate k of a lane's point: the first one, those that the lane's watch asks for, and any that is not
	// bounded. It returns true when the point is done and its lane free. Lanes.Coefficients tells the iterate.
	See(lane, k int, o Observation) (done bool)
	// Rate returns the learning rate and the power of step k, where Law.Scheduled.
	Rate(lane, k int) (rate, power float64)
}

// Watch says what of a point its host wants to see. Comparisons are made without a division and err on the side of showing.
type Watch struct {
	Loss   float64 // iterates with L <= Loss
	Signal float64 // with signal alignment >= Signal
	Spike  float64 // with spike alignment > Spike
	Step   int     // iterate Step, whatever it is
}

// scheduleSteps is how many steps ahead the rates of scheduled points are tabled.
const scheduleSteps = 64

// Lanes runs points of the reduced representation side by side, eight to a vector: W = Σ w_g P_g, the teacher's own line first.
// With x_g = q_g (w_g² - τ_g), τ_0 = ‖θ‖² and 0 for the rest, and T = Σ n_g x_g:
//
//	L = ½ Σ n_g x_g² + ¼ T²,  gradient q_g (2 x_g + T) w_g,  w_g <- w_g (1 - lr·wd) - lr u_g.
//
// A lane whose point is done takes the next one at once. Its memory is reused; it is not safe for concurrent use.
type Lanes struct {
	kernel Kernel
	law    Law
	groups int
	host   Host

	heads   []head
	cells   []cell // of row r: cells[r*groups:][:groups]
	w       []row  // of row r, step k: w[(2*r+k&1)*groups:][:groups]
	vectors []vector
	base    []int // per lane: now - base is the point's step
	now     int
	clock   float64 // now
	active  int

	rates, powers []row // step s of row r at (s mod scheduleSteps)·rows + r
}

// NewLanes returns lanes that use the kernel.
func NewLanes(k Kernel) *Lanes { return &Lanes{kernel: k} }

// Run takes points from the host until there are none and all are done. points is about how many there are, groups the number of
// eigenspaces of each. It returns ctx's error when that ends first.
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
		if law.Scheduled {
			for lane := range l.base {
				l.tabulate(lane)
			}
		}
		advance(l.kernel, l, l.now+scheduleSteps)
	}
	return nil
}

// shape lays out enough vectors to hide the latency of one step behind those of other points, while all stay near the CPU.
func (l *Lanes) shape(points int) {
	rows := max(1, min(MaxLanes/8, 24/l.groups, (points+7)/8))
	l.heads = grow(l.heads, rows)
	l.cells = grow(l.cells, rows*l.groups)
	l.w = grow(l.w, 2*rows*l.groups)
	l.base = grow(l.base, 8*rows)
	l.rates = grow(l.rates, scheduleSteps*rows)
	l.powers = grow(l.powers, scheduleSteps*rows)
	l.vectors = l.vectors[:0]
	for r := range l.heads {
		for lane := uintptr(0); lane < 8; lane += width(l.kernel) {
			from := func(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, 8*lane) }
			w := [2]unsafe.Pointer{from(unsafe.Pointer(&l.w[2*r*l.groups])), from(unsafe.Pointer(&l.w[(2*r+1)*l.groups]))}
			l.vectors = append(l.vectors, vector{from(unsafe.Pointer(&l.heads[r])), from(unsafe.Pointer(&l.cells[r*l.groups])), w, r, lane})
		}
	}
	clear(l.heads)
	clear(l.cells)
	clear(l.w)
	clear(l.rates)
	clear(l.powers)
	l.now, l.clock, l.active = 0, 0, 0
}

// fill loads the next point into a free lane for step now, or puts the lane at rest.
func (l *Lanes) fill(lane int) {
	h, i := &l.heads[lane/8], lane%8
	l.base[lane] = l.now
	h.tailOn[i], h.tailSignal[i], h.tailLoss[i] = 0, 0, 0
	h.tails &^= 1 << i
	h.escaping &^= 1 << i
	h.limit[i] = Bound * Bound
	h.decay1[i], h.decay2[i] = 1, 1
	for g := range l.groups {
		c := l.cell(lane, g)
		c.m[i], c.v[i] = 0, 0
	}
	if l.host.Load(lane) {
		h.next[i] = float64(l.now) - 0.5
		if l.law.Scheduled {
			l.tabulate(lane)
		}
		return
	}
	l.active--
	l.rest(lane)
}

// rest gives a lane a point that never moves and is never seen: a lane of zeros would not be quiet.
func (l *Lanes) rest(lane int) {
	h, i := &l.heads[lane/8], lane%8
	h.tau[i], h.rate[i], h.decay[i], h.rtol[i], h.beta[i], h.epsilon[i] = 0, 0, 0, 0, 0, 1
	h.escape[i], h.signal[i], h.spike[i], h.next[i] = -1, math.Inf(1), 1, math.Inf(1)
	for s := range scheduleSteps {
		l.rates[s*len(l.heads)+lane/8][i] = 0
	}
	for g := range l.groups {
		l.SetGroup(lane, g, 1, 1, false)
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

func (l *Lanes) cell(lane, group int) *cell { return &l.cells[lane/8*l.groups+group] }

func (l *Lanes) iterate(lane, group, back int) *row {
	return &l.w[(2*(lane/8)+(l.now+back)&1)*l.groups+group]
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

// SetGroup gives the lane's point an eigenspace; group 0 is the teacher's own line, of multiplicity 1.
func (l *Lanes) SetGroup(lane, group int, eigenvalue, multiplicity float64, spike bool) {
	c, i := l.cell(lane, group), lane%8
	c.q[i], c.n[i], c.spike[i] = eigenvalue, multiplicity, 0
	if spike {
		c.spike[i] = math.Float64frombits(math.MaxUint64)
	}
}

// SetWatch says what the host wants to see of the lane's point from now on.
func (l *Lanes) SetWatch(lane int, w Watch) {
	const shrink = 1 - 4e-16 // more than the rounding of a quotient and a product
	h, i := &l.heads[lane/8], lane%8
	h.escape[i] = 4 * w.Loss
	h.escaping &^= 1 << i
	if !math.IsInf(w.Loss, -1) {
		h.escaping |= 1 << i
	}
	h.signal[i] = w.Signal * shrink
	h.spike[i] = w.Spike * shrink
	h.next[i] = float64(w.Step+l.base[lane]) - 0.5
}

// SumTail starts the sums of signal alignment and loss with the iterate that is being seen.
func (l *Lanes) SumTail(lane int) {
	h, i := &l.heads[lane/8], lane%8
	h.tails |= 1 << i
	h.tailOn[i] = math.Float64frombits(math.MaxUint64)
}

// Tail returns the sums over the iterates before the one that is being seen.
func (l *Lanes) Tail(lane int) (signal, loss float64) {
	h := &l.heads[lane/8]
	return h.tailSignal[lane%8], h.tailLoss[lane%8]
}

// Coefficients stores the w_g of the iterate that is being seen, or of the one back iterates before it (at most 1).
func (l *Lanes) Coefficients(dst []float64, lane, back int) {
	for g := range dst {
		dst[g] = l.iterate(lane, g, back)[lane%8]
	}
}

// see shows the host the points of row r that are not quiet.
func (l *Lanes) see(r int, lanes uint) {
	h := &l.heads[r]
	for ; lanes != 0; lanes &= lanes - 1 {
		i := bits.TrailingZeros(lanes)
		lane := 8*r + i
		o := Observation{0.25 * h.loss[i], h.signalEnergy[i] / h.norm2[i], h.spikeEnergy[i] / h.norm2[i], true}
		if !(h.norm2[i] <= Bound*Bound) {
			o.Bounded = l.bounded(lane)
		}
		if l.host.See(lane, l.now-l.base[lane], o) {
			h.vacant |= 1 << i
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

// refill loads points into the vacant lanes of row r among lanes. The step has been taken: theirs begin with the next one.
func (l *Lanes) refill(r int, lanes uint) {
	h := &l.heads[r]
	l.now++
	for vacant := lanes & uint(h.vacant); vacant != 0; vacant &= vacant - 1 {
		l.fill(8*r + bits.TrailingZeros(vacant))
	}
	l.now--
	h.vacant &^= uint8(lanes)
}
