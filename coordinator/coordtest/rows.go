package coordtest

import (
	"runtime"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Rows makes rows of a sweep with the identities of its points. They are as wide as a solver's, and
// their results follow from the points' indices.
// Safe for concurrent use.
type Rows struct {
	spec       *sweep.Spec
	parameters []sweep.ParameterID
	solver     sweep.SolverIdentity
	schema     *results.Schema
	// builders are shared: a thousand nodes do not need one each.
	builders chan *results.Builder
}

// NewRows returns the rows of a sweep.
func NewRows(spec *sweep.Spec, solver sweep.SolverIdentity) (*Rows, error) {
	schema, err := results.SweepSchema(spec, solver)
	if err != nil {
		return nil, err
	}
	return &Rows{
		spec: spec, parameters: results.SweepParameters(spec), solver: solver, schema: schema,
		builders: make(chan *results.Builder, 2*runtime.GOMAXPROCS(0)),
	}, nil
}

// Encode returns the delivery of the shard with the indices [first, end).
func (r *Rows) Encode(first, end int64) (results.Delivery, error) {
	var b *results.Builder
	select {
	case b = <-r.builders:
	default:
		b = r.schema.NewBuilder()
	}
	d, err := r.encode(b, first, end)
	select {
	case r.builders <- b:
	default:
		b.Release()
	}
	return d, err
}

func (r *Rows) encode(b *results.Builder, first, end int64) (results.Delivery, error) {
	var row results.PointRow
	for p := range r.spec.Points(first, end) {
		i, x := p.Index, 1/float64(1+p.Index)
		row.Identify(&p, r.parameters, r.solver)
		row.Status = results.StatusOK
		row.RunSummary = results.RunSummary{
			Metrics: results.Metrics{
				Loss: float64(i), SignalAlignment: 1 - x, SpikeAlignment: x / 2, BulkAlignment: x / 2,
				SignalEnergy: 1 - x, WeightNorm2: 1, TopEigenvectorOverlap: 1, StableRank: 1 + x,
			},
			EscapeStep: i, StepsTo90: i + 1, StepsTo99: i + 2, PeakSpikeAlignment: x,
			PeakSpikeStep: i, DivergedStep: -1, StepsRun: 1000, TailSignalAlignment: 1 - x, TailLoss: x,
		}
		if err := b.AddPoint(row); err != nil {
			return results.Delivery{}, err
		}
	}
	return b.Encode()
}
