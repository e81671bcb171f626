package reuse

import (
	"cmp"
	"encoding/binary"
	"errors"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
)

// memoResult is the part of a record that has a fixed size.
type memoResult struct {
	Status, TailOK                        uint8
	Final                                 solver.Metrics
	EscapeStep, StepsTo90, StepsTo99      int64
	PeakSpike                             float64
	PeakSpikeStep, DivergedStep, StepsRun int64
	TailSignal, TailLoss                  float64
	Samples, Groups                       uint32
}

// memoSample is one recorded step of a record; its coefficients follow it.
type memoSample struct {
	Step    int64
	Metrics solver.Metrics
}

// namedCoefficients follow those of the groups in every sample: signal, spike and bulk.
const namedCoefficients = 3

// appendResult encodes a result. Each sample has the coefficients of the groups, then the named ones.
func appendResult(b []byte, r *solver.Result) []byte {
	fixed := memoResult{
		Status: uint8(r.Status), Final: r.Final,
		EscapeStep: int64(r.EscapeStep), StepsTo90: int64(r.StepsTo90), StepsTo99: int64(r.StepsTo99),
		PeakSpike: r.PeakSpike, PeakSpikeStep: int64(r.PeakSpikeStep), DivergedStep: int64(r.DivergedStep), StepsRun: int64(r.StepsRun),
		TailSignal: r.TailSignal, TailLoss: r.TailLoss, Samples: uint32(len(r.Trajectory)), Groups: uint32(len(r.Groups)),
	}
	if r.TailOK {
		fixed.TailOK = 1
	}
	b = mustAppend(b, &fixed)
	for _, g := range r.Groups {
		b = mustAppend(b, [2]float64{g.Eigenvalue, float64(g.Multiplicity)})
	}
	for i := range r.Trajectory {
		s := &r.Trajectory[i]
		b = mustAppend(b, memoSample{int64(s.Step), s.Metrics})
		b = mustAppend(b, s.Coefficients)
	}
	return b
}

// mustAppend encodes a value of fixed size, which cannot fail.
func mustAppend(b []byte, v any) []byte {
	b, err := binary.Append(b, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}

// decodeResult reads what appendResult wrote.
func decodeResult(record []byte) (solver.Result, error) {
	var failed error
	take := func(v any) {
		n, err := binary.Decode(record, binary.LittleEndian, v)
		failed = cmp.Or(failed, err)
		record = record[n:]
	}
	var fixed memoResult
	take(&fixed)
	sample := int64(binary.Size(memoSample{})) + 8*(int64(fixed.Groups)+namedCoefficients)
	if size := int64(fixed.Groups)*2*8 + int64(fixed.Samples)*sample; failed != nil || size != int64(len(record)) {
		return solver.Result{}, errors.New("the length of a record does not match its header")
	}
	n := int(fixed.Groups)
	r := solver.Result{
		Status: solver.Status(fixed.Status), TailOK: fixed.TailOK == 1, Final: fixed.Final,
		EscapeStep: int(fixed.EscapeStep), StepsTo90: int(fixed.StepsTo90), StepsTo99: int(fixed.StepsTo99),
		PeakSpike: fixed.PeakSpike, PeakSpikeStep: int(fixed.PeakSpikeStep), DivergedStep: int(fixed.DivergedStep), StepsRun: int(fixed.StepsRun),
		TailSignal: fixed.TailSignal, TailLoss: fixed.TailLoss,
		SignalGroup: n, SpikeGroup: n + 1, BulkGroup: n + 2,
	}
	for range n {
		var g [2]float64
		take(&g)
		r.Groups = append(r.Groups, solver.Group{Eigenvalue: g[0], Multiplicity: int(g[1])})
	}
	for range fixed.Samples {
		var s memoSample
		take(&s)
		coefficients := make([]float64, n+namedCoefficients)
		take(coefficients)
		r.Trajectory = append(
			r.Trajectory,
			solver.Sample{Step: int(s.Step), Metrics: s.Metrics, Coefficients: coefficients},
		)
	}
	return r, failed
}

// resultOf turns a row of an earlier set back into what the solver returned, without its trajectory.
// It returns false for rows that are neither ok nor diverged: those are solved again.
func resultOf(p *results.PointRow) (solver.Result, bool) {
	r := solver.Result{
		Final:      solver.Metrics(p.Metrics),
		EscapeStep: int(p.EscapeStep), StepsTo90: int(p.StepsTo90), StepsTo99: int(p.StepsTo99),
		PeakSpike: p.PeakSpikeAlignment, PeakSpikeStep: int(p.PeakSpikeStep), DivergedStep: int(p.DivergedStep), StepsRun: int(p.StepsRun),
		TailOK: true, TailSignal: p.TailSignalAlignment, TailLoss: p.TailLoss,
	}
	switch p.Status {
	case results.StatusOK:
		r.Status = solver.OK
	case results.StatusDiverged:
		r.Status = solver.Diverged
	default:
		return solver.Result{}, false
	}
	return r, true
}
