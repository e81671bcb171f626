package node

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// statuses are the solver's statuses as the result set writes them.
var statuses = [...]string{
	solver.OK:       results.StatusOK,
	solver.Diverged: results.StatusDiverged,
	solver.Failed:   results.StatusFailed,
}

// identify fills in what a row says before anything is computed.
func identify(row *results.PointRow, p *sweep.Point, parameters []sweep.ParameterID) {
	cells := row.Parameters[:0]
	for _, id := range parameters {
		cells = append(cells, results.ParameterCell(p.Params[id]))
	}
	*row = results.PointRow{
		Point: p.Index, PointID: sweep.PointID(&p.Params, solver.Version), Parameters: cells,
		Representation: p.Params[sweep.Representation].Text(),
		UnstableStep:   p.UnstableStep, ResonantStep: p.ResonantStep,
	}
}

// unsolved is the result of a point that was not computed, or not to an end.
func unsolved(detail string) solver.Result {
	return solver.Result{
		Status: solver.Failed, Detail: detail,
		Final:      solver.Metrics(results.UndefinedMetrics()),
		EscapeStep: -1, StepsTo90: -1, StepsTo99: -1,
		PeakSpike: math.NaN(), PeakSpikeStep: -1, DivergedStep: -1, StepsRun: -1,
		SignalGroup: -1, SpikeGroup: -1, BulkGroup: -1,
	}
}

// conclude fills in what was computed.
func conclude(row *results.PointRow, r *solver.Result) {
	row.Status, row.Detail = statuses[r.Status], r.Detail
	row.Metrics = results.Metrics(r.Final)
	row.EscapeStep, row.StepsTo90, row.StepsTo99 = int64(r.EscapeStep), int64(r.StepsTo90), int64(r.StepsTo99)
	row.PeakSpikeAlignment, row.PeakSpikeStep = r.PeakSpike, int64(r.PeakSpikeStep)
	row.DivergedStep, row.StepsRun = int64(r.DivergedStep), int64(r.StepsRun)
	row.TailSignalAlignment, row.TailLoss = math.NaN(), math.NaN()
	if r.TailOK {
		row.TailSignalAlignment, row.TailLoss = r.TailSignal, r.TailLoss
	}
}

// trajectoryRow is a sample; the named coefficients are null unless the run is reduced.
func trajectoryRow(point int64, r *solver.Result, s *solver.Sample) results.TrajectoryRow {
	coefficient := func(group int) float64 {
		if group < 0 || group >= len(s.Coefficients) {
			return math.NaN()
		}
		return s.Coefficients[group]
	}
	return results.TrajectoryRow{
		Point: point, Step: int64(s.Step),
		Metrics:           results.Metrics(s.Metrics),
		SignalCoefficient: coefficient(r.SignalGroup),
		SpikeCoefficient:  coefficient(r.SpikeGroup),
		BulkCoefficient:   coefficient(r.BulkGroup),
	}
}

// coefficientRow is one group's coefficient in a sample.
func coefficientRow(point int64, r *solver.Result, s *solver.Sample, group int) results.CoefficientRow {
	return results.CoefficientRow{
		Point: point, Step: int64(s.Step), Group: int64(group),
		Eigenvalue: r.Groups[group].Eigenvalue, Multiplicity: int64(r.Groups[group].Multiplicity),
		Coefficient: s.Coefficients[group],
	}
}
