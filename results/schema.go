package results

// Kind is the type of a column.
type Kind uint8

const (
	Int64 Kind = iota
	Float64
	String // UTF-8; lists and pairs are stored as canonical JSON
	Bool
)

// Column is one column of a table, with the metadata that goes into Arrow and Parquet fields.
type Column struct {
	Name     string
	Kind     Kind
	Nullable bool
	Unit     string
	Doc      string // formula or meaning
}

// Table names a table of the result set.
type Table uint8

const (
	Points Table = iota
	Trajectories
	Coefficients
	Shards // the log of who computed what, outside the promise of equal bytes
)

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

// PointRow is one row of the points table. Floats that are NaN or Inf, and steps below 0, are written as null.
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
