package results

import "slices"

// pointKey are the first columns of the points table; those of the sweep's parameters follow.
var pointKey = []field[PointRow]{
	{
		required("point", Int64, "", "index in the sweep's unfiltered enumeration"),
		distinct, func(r *PointRow) any { return &r.Point },
	},
	{
		required("point_id", String, "",
			"hash of the complete resolved parameters and the solver, 32 hex digits"),
		distinct, func(r *PointRow) any { return &r.PointID },
	},
}

// pointResults are the columns of the points table after the parameters.
var pointResults = join(outcomeFields, measurementFields)

// outcomeFields say how the run of a point ended.
var outcomeFields = []field[PointRow]{
	{
		nullable("representation", String, "",
			"how the iterate was stored: reduced, subspace or dense; null where status is invalid"),
		0, func(r *PointRow) any { return &r.Representation },
	},
	{
		required("status", String, "", "ok, diverged, failed or invalid"),
		0, func(r *PointRow) any { return &r.Status },
	},
	{
		nullable("detail", String, "", "one line on why a point failed or is invalid"),
		0, func(r *PointRow) any { return &r.Detail },
	},
}

// measurementFields are the summary of a point's run and the properties of its parameters.
var measurementFields = join(
	within(func(r *PointRow) *Metrics { return &r.Metrics }, metricFields),
	within(func(r *PointRow) *RunSummary { return &r.RunSummary }, runFields),
	propertyFields,
)

// runFields are the columns of RunSummary after the metrics of the last iterate.
var runFields = []field[RunSummary]{
	{
		nullable("escape_step", Int64, "steps", "first k with loss <= 0.375 (theta^T Q theta)^2"),
		distinct | censored, func(r *RunSummary) any { return &r.EscapeStep },
	},
	{
		nullable("steps_to_90", Int64, "steps", "first k with signal_alignment >= 0.9"),
		distinct | censored, func(r *RunSummary) any { return &r.StepsTo90 },
	},
	{
		nullable("steps_to_99", Int64, "steps", "first k with signal_alignment >= 0.99"),
		distinct | censored, func(r *RunSummary) any { return &r.StepsTo99 },
	},
	{
		nullable("held_90_step", Int64, "steps",
			"first k from which signal_alignment >= 0.9 up to the last iterate; null where diverged"),
		distinct | censored | since4, func(r *RunSummary) any { return &r.Held90Step },
	},
	{
		nullable("held_99_step", Int64, "steps",
			"first k from which signal_alignment >= 0.99 up to the last iterate; null where diverged"),
		distinct | censored | since4, func(r *RunSummary) any { return &r.Held99Step },
	},
	{
		nullable("alignment_at_escape", Float64, "1", "signal_alignment at escape_step"),
		distinct | fraction | since4, func(r *RunSummary) any { return &r.AlignmentAtEscape },
	},
	{
		nullable("spike_at_escape", Float64, "1", "spike_alignment at escape_step"),
		distinct | fraction | since4, func(r *RunSummary) any { return &r.SpikeAtEscape },
	},
	{
		nullable("peak_spike_alignment", Float64, "1", "max over k of spike_alignment"),
		distinct | fraction, func(r *RunSummary) any { return &r.PeakSpikeAlignment },
	},
	{
		nullable("peak_spike_step", Int64, "steps", "first k at which peak_spike_alignment is reached"),
		distinct, func(r *RunSummary) any { return &r.PeakSpikeStep },
	},
	{
		nullable("diverged_step", Int64, "steps", "first k with an entry that is not finite or beyond 1e6"),
		distinct, func(r *RunSummary) any { return &r.DivergedStep },
	},
	{
		nullable("steps_run", Int64, "steps", "number of updates taken"),
		distinct, func(r *RunSummary) any { return &r.StepsRun },
	},
	{
		nullable("tail_signal_alignment", Float64, "1", "mean of signal_alignment over the last 100 iterates"),
		distinct | fraction, func(r *RunSummary) any { return &r.TailSignalAlignment },
	},
	{
		nullable("tail_loss", Float64, "1", "mean of loss over the last 100 iterates"),
		distinct, func(r *RunSummary) any { return &r.TailLoss },
	},
}

// propertyFields are properties of the parameters: warnings about the learning rate, and what the
// covariance is like.
var propertyFields = []field[PointRow]{
	{
		required("unstable_step", Bool, "",
			"gd with learning_rate > 1/lambda_max((theta^T Q theta) Q + 2 Q theta theta^T Q)"),
		0, func(r *PointRow) any { return &r.UnstableStep },
	},
	{
		required("resonant_step", Bool, "",
			"sign-like optimizer with init_scale/learning_rate within 1e-6 of an integer"),
		0, func(r *PointRow) any { return &r.ResonantStep },
	},
	{
		nullable("input_stable_rank", Float64, "1", "tr(Q) / lambda_max(Q)"),
		since4, func(r *PointRow) any { return &r.InputStableRank },
	},
}

// trajectoryFields are the columns of the trajectories table.
var trajectoryFields = join(
	[]field[TrajectoryRow]{
		{required("point", Int64, "", "index of the point"), 0, func(r *TrajectoryRow) any { return &r.Point }},
		{
			required("step", Int64, "steps", "k, the number of updates before this iterate"),
			0, func(r *TrajectoryRow) any { return &r.Step },
		},
	},
	within(func(r *TrajectoryRow) *Metrics { return &r.Metrics }, metricFields),
	[]field[TrajectoryRow]{
		{
			nullable("signal_coefficient", Float64, "1", "w_0 of W = sum_g w_g P_g (reduced runs)"),
			distinct, func(r *TrajectoryRow) any { return &r.SignalCoefficient },
		},
		{
			nullable("spike_coefficient", Float64, "1",
				"w_g of the largest eigenvalue above the teacher's (reduced runs)"),
			distinct, func(r *TrajectoryRow) any { return &r.SpikeCoefficient },
		},
		{
			nullable("bulk_coefficient", Float64, "1",
				"w_g of the remaining group of largest multiplicity (reduced runs)"),
			distinct, func(r *TrajectoryRow) any { return &r.BulkCoefficient },
		},
	},
)

// coefficientFields are the columns of the coefficients table.
var coefficientFields = []field[CoefficientRow]{
	{required("point", Int64, "", "index of the point"), 0, func(r *CoefficientRow) any { return &r.Point }},
	{
		required("step", Int64, "steps", "k, the number of updates before this iterate"),
		0, func(r *CoefficientRow) any { return &r.Step },
	},
	{
		required("group", Int64, "", "eigenspace: 0 is the teacher's, then by falling eigenvalue"),
		0, func(r *CoefficientRow) any { return &r.Group },
	},
	{
		required("eigenvalue", Float64, "1", "eigenvalue q_g of Q"),
		0, func(r *CoefficientRow) any { return &r.Eigenvalue },
	},
	{
		required("multiplicity", Int64, "1", "dimension n_g of the eigenspace"),
		0, func(r *CoefficientRow) any { return &r.Multiplicity },
	},
	{
		nullable("coefficient", Float64, "1", "w_g of W = sum_g w_g P_g"),
		distinct, func(r *CoefficientRow) any { return &r.Coefficient },
	},
}

// shardFields are the columns of the shards table.
var shardFields = []field[ShardRow]{
	{required("shard", Int64, "", "number of the shard"), 0, func(r *ShardRow) any { return &r.Shard }},
	{required("first", Int64, "", "first index of the shard"), 0, func(r *ShardRow) any { return &r.First }},
	{required("end", Int64, "", "index after its last one"), 0, func(r *ShardRow) any { return &r.End }},
	{required("points", Int64, "", "points in it"), 0, func(r *ShardRow) any { return &r.Points }},
	{required("node", String, "", "node that computed it"), 0, func(r *ShardRow) any { return &r.Node }},
	{required("attempts", Int64, "", "leases it took"), 0, func(r *ShardRow) any { return &r.Attempts }},
	{
		required("solver", String, "", "solver that computed it: name, version and hash if it has one"),
		since4, func(r *ShardRow) any { return &r.Solver },
	},
	{
		required("arithmetic_class", String, "", "arithmetic class of the node's CPU"),
		0, func(r *ShardRow) any { return &r.ArithmeticClass },
	},
	{required("kernel", String, "", "vector kernel that ran"), 0, func(r *ShardRow) any { return &r.Kernel }},
	{required("started", Time, "us", "when the node began"), 0, func(r *ShardRow) any { return &r.Started }},
	{required("finished", Time, "us", "when the node ended"), 0, func(r *ShardRow) any { return &r.Finished }},
	{required("bytes", Int64, "bytes", "size of its payload"), 0, func(r *ShardRow) any { return &r.Bytes }},
}

// retired are the columns that only sets of solver versions before 4 have: solver stands in their
// place.
var retired = [numTables][]Column{
	Shards: {required("solver_version", Int64, "", "version of the node's solver")},
}

// withRetired returns a copy of the columns of a table with the retired ones, each before the
// column that stands in its place.
func withRetired(t Table, columns []Column) []Column {
	out := slices.Clone(columns)
	for _, c := range retired[t] {
		at := slices.IndexFunc(out, func(o Column) bool { return o.Name == "solver" })
		out = slices.Insert(out, at, c)
	}
	return out
}

func required(name string, kind Kind, unit, doc string) Column {
	return Column{Name: name, Kind: kind, Unit: unit, Doc: doc}
}

func nullable(name string, kind Kind, unit, doc string) Column {
	return Column{Name: name, Kind: kind, Nullable: true, Unit: unit, Doc: doc}
}
