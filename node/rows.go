package node

import (
	"math"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// statuses are the solver's statuses as the points table stores them.
var statuses = [...]string{
	solver.OK:       results.StatusOK,
	solver.Diverged: results.StatusDiverged,
	solver.Failed:   results.StatusFailed,
}

// identify sets everything of a row that is known before its point is solved.
func identify(row *results.PointRow, p *sweep.Point, parameters []sweep.ParameterID) {
	row.Identify(p, parameters, ownSolver())
	if p.Invalid == "" {
		row.InputStableRank = sweep.InputStableRank(p.Params)
	}
}

// summaryOf is a solver's result as the points table stores it.
func summaryOf(r *solver.Result) results.RunSummary {
	s := results.RunSummary{
		Metrics:    results.Metrics(r.Final),
		EscapeStep: int64(r.EscapeStep), StepsTo90: int64(r.StepsTo90), StepsTo99: int64(r.StepsTo99),
		Held90Step: int64(r.Held90Step), Held99Step: int64(r.Held99Step),
		AlignmentAtEscape: r.AlignmentAtEscape, SpikeAtEscape: r.SpikeAtEscape,
		PeakSpikeAlignment: r.PeakSpike, PeakSpikeStep: int64(r.PeakSpikeStep),
		DivergedStep: int64(r.DivergedStep), StepsRun: int64(r.StepsRun),
		TailSignalAlignment: r.TailSignal, TailLoss: r.TailLoss,
	}
	if r.EscapeStep < 0 {
		s.AlignmentAtEscape, s.SpikeAtEscape = math.NaN(), math.NaN()
	}
	if !r.TailOK {
		s.TailSignalAlignment, s.TailLoss = math.NaN(), math.NaN()
	}
	return s
}

// trajectoryRow is the row of a recorded step. Its named coefficients are null unless the run is
// reduced.
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

// coefficientRow is one group's coefficient at a recorded step.
func coefficientRow(point int64, r *solver.Result, s *solver.Sample, group int) results.CoefficientRow {
	return results.CoefficientRow{
		Point: point, Step: int64(s.Step), Group: int64(group),
		Eigenvalue: r.Groups[group].Eigenvalue, Multiplicity: int64(r.Groups[group].Multiplicity),
		Coefficient: s.Coefficients[group],
	}
}
