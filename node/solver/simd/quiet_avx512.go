//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// Where the assembly finds rows, from the start of a head or of the cells of three groups.
//
//nolint:unused // by the assembly
const (
	headTau        = unsafe.Offsetof(head{}.tau)
	headRate       = unsafe.Offsetof(head{}.rate)
	headKeep       = unsafe.Offsetof(head{}.keep)
	headEscape     = unsafe.Offsetof(head{}.escape)
	headSignal     = unsafe.Offsetof(head{}.signal)
	headSpike      = unsafe.Offsetof(head{}.spike)
	headTailOn     = unsafe.Offsetof(head{}.tailOn)
	headTailSignal = unsafe.Offsetof(head{}.tailSignal)
	headTailLoss   = unsafe.Offsetof(head{}.tailLoss)
	headZero       = unsafe.Offsetof(head{}.zero)
	headSpikes1    = unsafe.Offsetof(head{}.spikes) + rowSize
	headSpikes2    = headSpikes1 + rowSize

	cellW0, cellW1, cellW2                = unsafe.Offsetof(cell{}.w), cellW0 + cellSize, cellW1 + cellSize
	cellBefore0, cellBefore1, cellBefore2 = cellW0 + rowSize, cellW1 + rowSize, cellW2 + rowSize
	cellQ0, cellQ1, cellQ2                = unsafe.Offsetof(cell{}.q), cellQ0 + cellSize, cellQ1 + cellSize
	cellN1, cellN2                        = unsafe.Offsetof(cell{}.n) + cellSize, cellN1 + cellSize
	cellG0, cellG1, cellG2                = unsafe.Offsetof(cell{}.g), cellG0 + cellSize, cellG1 + cellSize
	cellM0, cellM1, cellM2                = unsafe.Offsetof(cell{}.m), cellM0 + cellSize, cellM1 + cellSize
	cellV0, cellV1, cellV2                = unsafe.Offsetof(cell{}.v), cellV0 + cellSize, cellV1 + cellSize
)

// Flags of quiet steps.
const (
	quietWatched = 1 << iota // losses are watched
	quietTails               // tails are summed
	quietDecays
)

// quietLimit is less than what the limit of ‖W‖² allows, by more than rounding.
const quietLimit = Bound * Bound * shrink

// quietGD512 takes the steps of gd that need no look, and tells whether there is one that may.
func (l *Lanes) quietGD512(vs []vector, end int) bool {
	if n := l.quietSteps(vs, end); n > 0 {
		l.now += quietStepsGD512(vs[0].head, vs[0].cells, vs[1].head, vs[1].cells, n, l.quietFlags(vs), quietLimit)
	}
	return l.awake(vs, end)
}

// quietSpecGD512 takes the steps of specgd that need no look, and tells whether there is one that may.
func (l *Lanes) quietSpecGD512(vs []vector, end int) bool {
	if n := l.quietSteps(vs, end); n > 0 {
		l.now += quietStepsSpecGD512(vs[0].head, vs[0].cells, vs[1].head, vs[1].cells, n, l.quietFlags(vs), quietLimit)
	}
	return l.awake(vs, end)
}

// quietSteps is how many steps no point asks to be seen at.
func (l *Lanes) quietSteps(vs []vector, end int) int {
	if l.law.Scheduled || !l.awake(vs, end) {
		return 0
	}
	return min(end, vs[0].eight.wake, vs[1].eight.wake) - l.now
}

// quietFlags say what the steps compute beside the iterates.
func (l *Lanes) quietFlags(vs []vector) (flags int) {
	if vs[0].eight.tails|vs[1].eight.tails != 0 {
		flags |= quietTails
	}
	if vs[0].eight.escaping|vs[1].eight.escaping != 0 {
		flags |= quietWatched
	}
	if l.law.Decays {
		flags |= quietDecays
	}
	return flags
}

// quietStepsGD512 takes up to n steps of gd of two vectors, and ends before one at which a lane is not quiet. It returns how many it took.
//
//go:noescape
func quietStepsGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)

// quietStepsSpecGD512 is the same for specgd; it ends before a step in which some gradient counts as zero, too.
//
//go:noescape
func quietStepsSpecGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)
