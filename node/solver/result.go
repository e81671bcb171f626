package solver

// Status is how a run ended. It is a value, not an error.
type Status uint8

const (
	OK       Status = iota // T steps were taken
	Diverged               // an entry was non-finite or beyond 1e6 at iterate DivergedStep
	Failed                 // a numerical routine failed; Detail says which
)

// Metrics are evaluated at one iterate W, with u = θ/‖θ‖. See the fields' formulas. A metric that
// is undefined there (an alignment of W = 0) or overflows is NaN, which is null in the result set;
// nothing else in a Result is NaN, and nothing is Inf.
type Metrics struct {
	Loss                  float64 // ½tr(AQAQ) + ¼tr(AQ)², A = WWᵀ - θθᵀ (without the label noise's σ²/4)
	SignalAlignment       float64 // ‖Wᵀu‖²/‖W‖_F²
	SpikeAlignment        float64 // energy fraction in non-teacher eigenspaces with q_g > uᵀQu
	BulkAlignment         float64 // max(0, 1 - signal - spike)
	SignalEnergy          float64 // ‖Wᵀu‖²
	WeightNorm2           float64 // ‖W‖_F²
	TopEigenvectorOverlap float64 // uᵀP_top u / rank P_top, P_top: eigenspace of WWᵀ with eigenvalue >= max(1-1e-9)
	StableRank            float64 // ‖W‖_F²/‖W‖₂²

	TeacherCovarianceOverlap float64 // ‖WᵀQθ‖
	WeightCovarianceNorm2    float64 // tr(WᵀQW)
	ParameterMSE             float64 // min over orthogonal O of ‖WO - [θ, 0, ..., 0]‖_F²/d
	GradientNuclearRank      float64 // ‖G‖_*²/‖G‖_F², G the population's gradient; NaN where G = 0
}

// Sample is a row of the trajectory.
type Sample struct {
	Step int
	Metrics
	// Coefficients are w_g by group (teacher first, then falling eigenvalue); nil unless reduced.
	// For a reduced run it is always set in recorded samples, so that the named coefficients can be
	// read from it.
	Coefficients []float64
}

// Group is one eigenspace of a reduced run.
type Group struct {
	Eigenvalue   float64
	Multiplicity int
}

// Result is the outcome of a Problem. Step numbers are -1 if never reached.
type Result struct {
	Status Status
	Detail string // one line on why it Failed

	// Final metrics, at iterate T, or at DivergedStep-1.
	Final Metrics

	EscapeStep    int // first k with L <= 0.375 (θᵀQθ)²
	StepsTo90     int // first k with signal alignment >= 0.9
	StepsTo99     int
	Held90Step    int // first k from which the signal alignment is >= 0.9 up to the last iterate
	Held99Step    int
	PeakSpike     float64
	PeakSpikeStep int
	// The signal and the spike alignment at EscapeStep, 0 without one.
	AlignmentAtEscape, SpikeAtEscape float64

	DivergedStep int
	StepsRun     int

	// Tail means over iterates max(0, T-99)..T; NaN-free: TailOK is false where diverged.
	TailOK     bool
	TailSignal float64
	TailLoss   float64

	Trajectory []Sample
	// Groups of a reduced run (shared, read only); Signal, Spike and Bulk index them, -1 where
	// there is none.
	Groups                             []Group
	SignalGroup, SpikeGroup, BulkGroup int
}
