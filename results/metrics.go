package results

// Metrics are the metrics of one iterate W. A metric that is undefined there, or overflows, is NaN.
// solver.Metrics has the same fields in the same order, so that one converts to the other; if they
// differ, node does not compile.
type Metrics struct {
	Loss                  float64
	SignalAlignment       float64
	SpikeAlignment        float64
	BulkAlignment         float64
	SignalEnergy          float64
	WeightNorm2           float64
	TopEigenvectorOverlap float64
	StableRank            float64

	TeacherCovarianceOverlap float64
	WeightCovarianceNorm2    float64
	ParameterMSE             float64
	GradientNuclearRank      float64
}

// metricFields are the columns of Metrics in the points table (at the last iterate) and in the
// trajectories table. Formulas: W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
// covariance of the inputs, A = W W^T - theta theta^T.
var metricFields = []field[Metrics]{
	{
		nullable("loss", Float64, "1", "tr(AQAQ)/2 + tr(AQ)^2/4"),
		distinct, func(m *Metrics) any { return &m.Loss },
	},
	{
		nullable("signal_alignment", Float64, "1", "|W^T u|^2 / |W|_F^2"),
		distinct | fraction, func(m *Metrics) any { return &m.SignalAlignment },
	},
	{
		nullable("spike_alignment", Float64, "1",
			"energy fraction in non-teacher eigenspaces of Q with eigenvalue > u^T Q u"),
		distinct | fraction, func(m *Metrics) any { return &m.SpikeAlignment },
	},
	{
		nullable("bulk_alignment", Float64, "1", "max(0, 1 - signal_alignment - spike_alignment)"),
		distinct | fraction, func(m *Metrics) any { return &m.BulkAlignment },
	},
	{
		nullable("signal_energy", Float64, "1", "|W^T u|^2"),
		distinct, func(m *Metrics) any { return &m.SignalEnergy },
	},
	{
		nullable("weight_norm2", Float64, "1", "|W|_F^2"),
		distinct, func(m *Metrics) any { return &m.WeightNorm2 },
	},
	{
		nullable("top_eigenvector_overlap", Float64, "1", "u^T P u / rank P, P the top eigenspace of W W^T"),
		distinct | fraction, func(m *Metrics) any { return &m.TopEigenvectorOverlap },
	},
	{
		nullable("stable_rank", Float64, "1", "|W|_F^2 / |W|_2^2"),
		distinct, func(m *Metrics) any { return &m.StableRank },
	},
	{
		nullable("teacher_covariance_overlap", Float64, "1", "|W^T Q theta|"),
		distinct | since4, func(m *Metrics) any { return &m.TeacherCovarianceOverlap },
	},
	{
		nullable("weight_covariance_norm2", Float64, "1", "tr(W^T Q W)"),
		distinct | since4, func(m *Metrics) any { return &m.WeightCovarianceNorm2 },
	},
	{
		nullable("parameter_mse", Float64, "1", "min over orthogonal O of |W O - [theta, 0, ..., 0]|_F^2 / d"),
		distinct | since4, func(m *Metrics) any { return &m.ParameterMSE },
	},
	{
		nullable("gradient_nuclear_rank", Float64, "1",
			"|G|_*^2 / |G|_F^2, G the gradient of loss; null where G = 0"),
		distinct | since4, func(m *Metrics) any { return &m.GradientNuclearRank },
	},
}
