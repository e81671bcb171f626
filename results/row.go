package results

import "encoding/hex"

// Cell is one parameter's value in a row; the kind is its column's.
type Cell struct {
	Null  bool
	Int   int64
	Float float64
	Text  string
	Bool  bool
}

// Row statuses.
const (
	StatusOK       = "ok"
	StatusDiverged = "diverged"
	StatusFailed   = "failed"
	StatusInvalid  = "invalid"
)

// PointRow is one row of the points table. Floats that are NaN or Inf, and steps below 0, are
// written as null.
type PointRow struct {
	Point          int64
	PointID        [16]byte
	Parameters     []Cell // in the order of the schema's parameter columns
	Representation string
	Status         string
	Detail         string // "" is null

	Loss, SignalAlignment, SpikeAlignment, BulkAlignment         float64
	SignalEnergy, WeightNorm2, TopEigenvectorOverlap, StableRank float64
	EscapeStep, StepsTo90, StepsTo99                             int64
	PeakSpikeAlignment                                           float64
	PeakSpikeStep, DivergedStep, StepsRun                        int64
	TailSignalAlignment, TailLoss                                float64
	UnstableStep, ResonantStep                                   bool
}

// TrajectoryRow is one row of the trajectories table, under the same rule for nulls.
type TrajectoryRow struct {
	Point, Step                                                  int64
	Loss, SignalAlignment, SpikeAlignment, BulkAlignment         float64
	SignalEnergy, WeightNorm2, TopEigenvectorOverlap, StableRank float64
	SignalCoefficient, SpikeCoefficient, BulkCoefficient         float64
}

// CoefficientRow is one row of the coefficients table.
type CoefficientRow struct {
	Point, Step, Group, Multiplicity int64
	Eigenvalue, Coefficient          float64
}

// ShardRow is one row of the shards table: who computed the indices [First, End), when.
type ShardRow struct {
	Shard, First, End, Points int64
	Node                      string
	Attempts                  int64
	SolverVersion             int64
	ArithmeticClass, Kernel   string
	Started, Finished         int64 // microseconds since 1970 in UTC
	Bytes                     int64 // of the delivered payload
}

// logCells takes a log row's values in the order of its table's columns.
type logCells interface {
	int(int64)
	text(string)
}

// cells takes any row's values in the order of its table's columns.
type cells interface {
	logCells
	step(int64) // below 0: null
	float(float64)
	bool(bool)
	cell(Kind, Cell)
}

func (r *PointRow) write(w cells, parameters []Column) {
	w.int(r.Point)
	w.text(hex.EncodeToString(r.PointID[:]))
	for i, p := range parameters {
		w.cell(p.Kind, r.Parameters[i])
	}
	w.text(r.Representation)
	w.text(r.Status)
	w.text(r.Detail)
	for _, x := range [...]float64{r.Loss, r.SignalAlignment, r.SpikeAlignment, r.BulkAlignment,
		r.SignalEnergy, r.WeightNorm2, r.TopEigenvectorOverlap, r.StableRank} {
		w.float(x)
	}
	w.step(r.EscapeStep)
	w.step(r.StepsTo90)
	w.step(r.StepsTo99)
	w.float(r.PeakSpikeAlignment)
	w.step(r.PeakSpikeStep)
	w.step(r.DivergedStep)
	w.step(r.StepsRun)
	w.float(r.TailSignalAlignment)
	w.float(r.TailLoss)
	w.bool(r.UnstableStep)
	w.bool(r.ResonantStep)
}

func (r *TrajectoryRow) write(w cells) {
	w.int(r.Point)
	w.int(r.Step)
	for _, x := range [...]float64{r.Loss, r.SignalAlignment, r.SpikeAlignment, r.BulkAlignment,
		r.SignalEnergy, r.WeightNorm2, r.TopEigenvectorOverlap, r.StableRank,
		r.SignalCoefficient, r.SpikeCoefficient, r.BulkCoefficient} {
		w.float(x)
	}
}

func (r *CoefficientRow) write(w cells) {
	w.int(r.Point)
	w.int(r.Step)
	w.int(r.Group)
	w.float(r.Eigenvalue)
	w.int(r.Multiplicity)
	w.float(r.Coefficient)
}

func (r *ShardRow) write(w logCells) {
	w.int(r.Shard)
	w.int(r.First)
	w.int(r.End)
	w.int(r.Points)
	w.text(r.Node)
	w.int(r.Attempts)
	w.int(r.SolverVersion)
	w.text(r.ArithmeticClass)
	w.text(r.Kernel)
	w.int(r.Started)
	w.int(r.Finished)
	w.int(r.Bytes)
}
