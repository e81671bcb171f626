package simd

import "unsafe"

// row holds one number for each of eight points, or for each of eight eigenspaces of one point; a
// vector kernel takes all of it, half of it, or one number at a time.
type row [8]float64

// cellOf is one eigenspace of eight points, or eight eigenspaces of one point. R is a row, or as
// much of one as a kernel takes at once.
type cellOf[R any] struct {
	w    [2]R // the coefficient at this step and at the one before, in the order of slot
	q, n R    // eigenvalue, multiplicity
	g    R    // gradient, then update
	m, v R    // the optimizer's memory
}

// headOf is what eight points have once. Where a row holds eight eigenspaces of one point, the
// point's number stands in all lanes, but tau in the first one alone: it is the teacher's.
type headOf[R any] struct {
	tau, rate, decay R // ‖θ‖², learning rate, weight decay
	teacher          R // the teacher's eigenvalue
	keep             R // 1 - lr·wd

	// An iterate needs no observation, and its host is not called, while 4L > escape, below ‖W‖² <=
	// ‖Wᵀu‖² <= signal ‖W‖², ‖W‖² <= limit and the step is below next. NaN always needs one. Where
	// the spike energy exceeds spike ‖W‖² there may be a new peak.
	escape, signal, below, spike, limit, next R

	// The highest spike alignment, the step of Lanes at which it was observed, and the bar for a
	// higher one.
	peak, peakAt, bar R

	tailOn, tailSignal, tailLoss R // all bits set where the tail is summed; its sums

	trace                                  R // T
	loss, norm2, spikeEnergy, signalEnergy R // as observed: 4L, ‖W‖², spike energy, ‖Wᵀu‖²

	rtol, beta, beta2, epsilon, decay1, decay2, power R

	spikes [3]R // of three groups: all bits set where the eigenspace counts as a spike, else 0
	// Of three groups: where |g|/q of one is above zero times that of any other, it does not count
	// as zero; +Inf if unknown.
	zero R

	held [4]R // numbers of a loop that calls a function

	parts [4][8]R // strided partial sums; those that no eigenspace belongs to are 0

	// Before step observeAt no point needs an observation because of its step number. 0 if unknown.
	observeAt int

	escaping uint8 // lanes whose loss is watched
	tails    uint8 // lanes whose tail is summed
	vacant   uint8 // lanes to be filled after this step; Lanes.vacancies reports whether there are any
	idle     uint8 // lanes without a point

	_ [rowSize - 12]byte // a head is a whole number of cache lines, so that no row straddles two
}

type (
	cell = cellOf[row]
	head = headOf[row]
)

// vector locates the lanes that a kernel processes at once: all of a row, half of it, or one. The
// pointers are into the slices of Lanes, at the first of these lanes: the kernel's own cells and
// heads begin there.
type vector struct {
	head, cells unsafe.Pointer
	shared      *head   // the head of all eight points, for fields that are not rows
	row         int     // of eight points, whose head is heads[row]
	lane        uintptr // the first one in the row
}

const (
	rowSize   = unsafe.Sizeof(row{})
	cellSize  = unsafe.Sizeof(cell{})
	headParts = unsafe.Offsetof(head{}.parts)
)
