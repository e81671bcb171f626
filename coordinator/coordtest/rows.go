package coordtest

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Rows makes rows of a sweep that are as wide as a solver's and follow from the points' indices.
// Safe for concurrent use.
type Rows struct {
	spec     *sweep.Spec
	filtered bool // where excludes some indices
	schema   *results.Schema
	// builders are shared: a thousand nodes do not need one each.
	builders chan *results.Builder
}

// NewRows returns the rows of a sweep.
func NewRows(spec *sweep.Spec, solver sweep.SolverIdentity) (*Rows, error) {
	schema, err := results.SweepSchema(spec, solver)
	if err != nil {
		return nil, err
	}
	points, exact := spec.Count()
	return &Rows{
		spec: spec, filtered: !exact || points != spec.Size(), schema: schema,
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
	parameters := make([]results.Cell, len(r.schema.Parameters()))
	for i, c := range r.schema.Parameters() {
		parameters[i] = results.Cell{Int: 100, Float: float64(first), Text: "population", Null: c.Kind == results.Bool}
	}
	for i := first; i < end; i++ {
		if r.filtered { // resolving a point takes longer than making its row
			if _, present := r.spec.Point(i); !present {
				continue
			}
		}
		id := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
		x := 1 / float64(1+i)
		err := b.AddPoint(results.PointRow{
			Point: i, PointID: [16]byte(id[:16]), Parameters: parameters,
			Representation: "reduced", Status: results.StatusOK,
			RunSummary: results.RunSummary{
				Metrics: results.Metrics{
					Loss: float64(i), SignalAlignment: 1 - x, SpikeAlignment: x / 2, BulkAlignment: x / 2,
					SignalEnergy: 1 - x, WeightNorm2: 1, TopEigenvectorOverlap: 1, StableRank: 1 + x,
				},
				EscapeStep: i, StepsTo90: i + 1, StepsTo99: i + 2, PeakSpikeAlignment: x,
				PeakSpikeStep: i, DivergedStep: -1, StepsRun: 1000, TailSignalAlignment: 1 - x, TailLoss: x,
			},
		})
		if err != nil {
			return results.Delivery{}, err
		}
	}
	return b.Encode()
}
