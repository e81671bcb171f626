package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// observation is what every step needs to be watched by.
type observation struct {
	loss, signal, spike float64
}

// undefinedMetrics are those of no iterate.
var undefinedMetrics = Metrics{
	Loss: math.NaN(), SignalAlignment: math.NaN(), SpikeAlignment: math.NaN(), BulkAlignment: math.NaN(),
	SignalEnergy: math.NaN(), WeightNorm2: math.NaN(), TopEigenvectorOverlap: math.NaN(), StableRank: math.NaN(),
}

// tailLength is the number of last iterates whose means are kept, against the oscillation of
// constant steps.
const tailLength = 100

// progress watches a run: first crossings, the highest spike, means over the tail.
type progress struct {
	escapeLoss         float64
	escape, to90, to99 int
	peak               float64
	peakStep           int
	peakBar            float64 // what a spike must exceed to be a new peak, so that ties keep the earliest

	tailStart, steps     int
	tailSignal, tailLoss float64
}

// newProgress escapes at half the loss of W = 0, which is ¾(θᵀQθ)²: the spike saddle and the bulk
// plateau lie above that, the optimum below.
func newProgress(p *Problem, teacherEnergy float64) progress {
	return progress{
		escapeLoss: 0.375 * (teacherEnergy * teacherEnergy),
		escape:     -1,
		to90:       -1,
		to99:       -1,
		peakStep:   -1,
		peakBar:    math.Inf(-1),
		tailStart:  max(0, p.Steps-tailLength+1),
		steps:      p.Steps,
	}
}

// observe takes in iterate k.
func (w *progress) observe(k int, o observation) {
	w.cross(k, o)
	if o.spike > w.peakBar {
		w.peak, w.peakStep = o.spike, k
		w.peakBar = float64(o.spike*simd.PeakFactor) + simd.PeakMargin
	}
	if k >= w.tailStart {
		w.sum(o)
	}
}

// cross notes what iterate k is the first to reach.
func (w *progress) cross(k int, o observation) {
	if w.escape < 0 && o.loss <= w.escapeLoss {
		w.escape = k
	}
	if o.signal >= 0.9 && w.to90 < 0 {
		w.to90 = k
	}
	if o.signal >= 0.99 && w.to99 < 0 {
		w.to99 = k
	}
}

// sum takes an iterate into the tail.
func (w *progress) sum(o observation) {
	w.tailSignal += o.signal
	w.tailLoss += o.loss
}

// watch tells what of the iterates after k is of interest.
func (w *progress) watch(k int, record []int) simd.Watch {
	a := simd.Watch{Loss: math.Inf(-1), Signal: math.Inf(1), Step: w.steps}
	switch {
	case w.to90 < 0:
		a.Signal = 0.9
	case w.to99 < 0:
		a.Signal = 0.99
	}
	if w.escape < 0 {
		a.Loss = w.escapeLoss
	}
	if k < w.tailStart {
		a.Step = w.tailStart
	}
	if len(record) > 0 {
		a.Step = min(a.Step, record[0])
	}
	return a
}

// store writes what was seen. The tail counts only for a run that reached its end.
func (w *progress) store(r *Result) {
	r.EscapeStep, r.StepsTo90, r.StepsTo99 = w.escape, w.to90, w.to99
	r.PeakSpike, r.PeakSpikeStep = w.peak, w.peakStep
	if r.Status == OK {
		n := float64(w.steps - w.tailStart + 1)
		r.TailSignal, r.TailLoss = w.tailSignal/n, w.tailLoss/n
		r.TailOK = finite(r.TailSignal) && finite(r.TailLoss)
		if !r.TailOK {
			r.TailSignal, r.TailLoss = 0, 0
		}
	}
}
