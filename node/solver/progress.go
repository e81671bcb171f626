package solver

import (
	"fmt"
	"math"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// observation holds the metrics that are evaluated at every step.
type observation struct {
	loss, signal, spike float64
}

// undefinedMetrics are the metrics of a run without an iterate.
var undefinedMetrics = Metrics{
	Loss: math.NaN(), SignalAlignment: math.NaN(), SpikeAlignment: math.NaN(), BulkAlignment: math.NaN(),
	SignalEnergy: math.NaN(), WeightNorm2: math.NaN(), TopEigenvectorOverlap: math.NaN(), StableRank: math.NaN(),
	TeacherCovarianceOverlap: math.NaN(), WeightCovarianceNorm2: math.NaN(), ParameterMSE: math.NaN(),
	GradientNuclearRank: math.NaN(),
}

// tailLength is the number of last iterates over which tail means are taken, to average the
// oscillation under constant steps.
const tailLength = 100

// progress records first crossings, since when a level is held, the highest spike and the tail
// means of a run.
type progress struct {
	escapeLoss         float64
	escape, to90, to99 int
	held90, held99     int // from which iterate on the level has been held; -1 while it is not
	atEscape           observation
	peak               float64
	peakStep           int
	peakBar            float64 // a spike above it is a new peak, so that the earliest of equal peaks counts

	tailStart, steps     int
	tailSignal, tailLoss float64
}

// newProgress sets the escape level to half the loss ¾(θᵀQθ)² of W = 0: the spike saddle and the
// bulk plateau lie above it, the optimum below.
func newProgress(p *Problem, teacherEnergy float64) progress {
	return progress{
		escapeLoss: 0.375 * (teacherEnergy * teacherEnergy),
		escape:     -1,
		to90:       -1,
		to99:       -1,
		held90:     -1,
		held99:     -1,
		peakStep:   -1,
		peakBar:    math.Inf(-1),
		tailStart:  max(0, p.Steps-tailLength+1),
		steps:      p.Steps,
	}
}

// observe records iterate k.
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

// cross records the levels that iterate k has reached or lost.
func (w *progress) cross(k int, o observation) {
	if w.escape < 0 && o.loss <= w.escapeLoss {
		w.escape, w.atEscape = k, o
	}
	level(k, o.signal >= 0.9, &w.to90, &w.held90)
	level(k, o.signal >= 0.99, &w.to99, &w.held99)
}

// level notes whether iterate k is at a level or above it. An undefined alignment is not.
func level(k int, reached bool, first, held *int) {
	if !reached {
		*held = -1
		return
	}
	if *first < 0 {
		*first = k
	}
	if *held < 0 {
		*held = k
	}
}

// sum adds an iterate to the tail.
func (w *progress) sum(o observation) {
	w.tailSignal += o.signal
	w.tailLoss += o.loss
}

// watch returns which iterates after k the lanes have to report.
func (w *progress) watch(k int, record []int) simd.Watch {
	a := simd.Watch{Loss: math.Inf(-1), Step: w.steps}
	switch {
	case w.held90 < 0:
		a.Below, a.Signal = simd.NoFloor, 0.9
	case w.held99 < 0:
		a.Below, a.Signal = 0.9, 0.99
	default:
		a.Below, a.Signal = 0.99, math.Inf(1)
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

// store writes the record to r. Tail means are of runs that reached their last step only.
func (w *progress) store(r *Result) {
	r.EscapeStep, r.StepsTo90, r.StepsTo99 = w.escape, w.to90, w.to99
	r.PeakSpike, r.PeakSpikeStep = w.peak, w.peakStep
	r.AlignmentAtEscape, r.SpikeAtEscape = w.atEscape.signal, w.atEscape.spike
	if r.Status != Diverged {
		r.Held90Step, r.Held99Step = w.held90, w.held99
	}
	if r.Status == OK {
		n := float64(w.steps - w.tailStart + 1)
		r.TailSignal, r.TailLoss = w.tailSignal/n, w.tailLoss/n
		r.TailOK = finite(r.TailSignal) && finite(r.TailLoss)
		if !r.TailOK {
			r.TailSignal, r.TailLoss = 0, 0
		}
		if why := r.undefined(); why != "" {
			r.Status, r.Detail = Failed, why
		}
	}
}

// leastNormal is the least number with a full mantissa.
const leastNormal = 0x1p-1022

// undefined tells which metrics a run that took all its steps lacks, "" if none.
func (r *Result) undefined() string {
	at := fmt.Sprintf("at step %d", r.StepsRun)
	defined := r.TailOK
	if !defined {
		at = fmt.Sprintf("within the last %d iterates", tailLength)
	}
	for _, x := range r.Final.defined() {
		if math.IsNaN(*x) {
			defined, at = false, fmt.Sprintf("at step %d", r.StepsRun)
		}
	}
	switch {
	case defined:
		return ""
	case !(r.Final.WeightNorm2 >= leastNormal):
		return "evaluate metrics " + at + ": |W|_F^2 underflows"
	}
	return "evaluate metrics " + at + ": a value is not finite"
}
