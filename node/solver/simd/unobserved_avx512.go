//go:build goexperiment.simd && amd64

package simd

import "unsafe"

// Offsets of rows for the assembly, from the start of a head or of the cells of three groups.
//
//nolint:unused // by the assembly
const (
	headTau        = unsafe.Offsetof(head{}.tau)
	headRate       = unsafe.Offsetof(head{}.rate)
	headKeep       = unsafe.Offsetof(head{}.keep)
	headEscape     = unsafe.Offsetof(head{}.escape)
	headSignal     = unsafe.Offsetof(head{}.signal)
	headBelow      = unsafe.Offsetof(head{}.below)
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

// Flags of stepFlags.
const (
	flagWatched = 1 << iota // losses are watched
	flagTails               // tails are summed
	flagDecays
)

// unobservedLimit is below the limit of ‖W‖² by more than the rounding errors.
const unobservedLimit = Bound * Bound * roundingSlack

// unobservedGD512 takes the steps of gd that need no observation, and reports whether one is left
// that may.
func (l *Lanes) unobservedGD512(vs []vector, end int) bool {
	if n := l.unobservedSteps(vs, end); n > 0 {
		v, w := &vs[0], &vs[1]
		l.now += unobservedStepsGD512(v.head, v.cells, w.head, w.cells, n, l.stepFlags(vs), unobservedLimit)
	}
	return l.hasStep(vs, end)
}

// unobservedSpecGD512 takes the steps of specgd that need no observation, and reports whether one
// is left that may.
func (l *Lanes) unobservedSpecGD512(vs []vector, end int) bool {
	if n := l.unobservedSteps(vs, end); n > 0 {
		v, w := &vs[0], &vs[1]
		l.now += unobservedStepsSpecGD512(v.head, v.cells, w.head, w.cells, n, l.stepFlags(vs), unobservedLimit)
	}
	return l.hasStep(vs, end)
}

// unobservedSteps is the number of steps from now on at which no point asks for an observation.
func (l *Lanes) unobservedSteps(vs []vector, end int) int {
	if l.law.Scheduled || !l.hasStep(vs, end) {
		return 0
	}
	return min(end, vs[0].shared.observeAt, vs[1].shared.observeAt) - l.now
}

// stepFlags say what the steps compute in addition to the iterates.
func (l *Lanes) stepFlags(vs []vector) (flags int) {
	if vs[0].shared.tails|vs[1].shared.tails != 0 {
		flags |= flagTails
	}
	if vs[0].shared.escaping|vs[1].shared.escaping != 0 {
		flags |= flagWatched
	}
	if l.law.Decays {
		flags |= flagDecays
	}
	return flags
}

// unobservedStepsGD512 takes up to n steps of gd of two vectors, and stops before one at which a
// lane needs an observation. It returns the number of steps taken.
//
//go:noescape
func unobservedStepsGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)

// unobservedStepsSpecGD512 is the same for specgd; it also stops before a step in which some
// gradient counts as zero.
//
//go:noescape
func unobservedStepsSpecGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)
