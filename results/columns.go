package results

// The columns of each table around the sweep's parameters. Formulas: W is the d x m iterate, theta
// the teacher, u = theta/|theta|, Q the covariance of the inputs, A = W W^T - theta theta^T.

// pointKey opens the points table.
var pointKey = []Column{
	required("point", Int64, "", "index in the sweep's unfiltered enumeration"),
	required("point_id", String, "", "hash of the complete resolved parameters and the solver version, 32 hex digits"),
}

// pointResults close it, after the parameters.
var pointResults = append(append([]Column{
	nullable(
		"representation",
		String,
		"",
		"how the iterate was stored: reduced, subspace or dense; null where status is invalid",
	),
	required("status", String, "", "ok, diverged, failed or invalid"),
	nullable("detail", String, "", "one line on why a point failed or is invalid"),
}, metrics...), []Column{
	nullable("escape_step", Int64, "steps", "first k with loss <= 0.375 (theta^T Q theta)^2"),
	nullable("steps_to_90", Int64, "steps", "first k with signal_alignment >= 0.9"),
	nullable("steps_to_99", Int64, "steps", "first k with signal_alignment >= 0.99"),
	nullable("peak_spike_alignment", Float64, "1", "max over k of spike_alignment"),
	nullable("peak_spike_step", Int64, "steps", "first k at which peak_spike_alignment is reached"),
	nullable("diverged_step", Int64, "steps", "first k with an entry that is not finite or beyond 1e6"),
	nullable("steps_run", Int64, "steps", "number of updates taken"),
	nullable("tail_signal_alignment", Float64, "1", "mean of signal_alignment over the last 100 iterates"),
	nullable("tail_loss", Float64, "1", "mean of loss over the last 100 iterates"),
	required(
		"unstable_step",
		Bool,
		"",
		"gd with learning_rate > 1/lambda_max((theta^T Q theta) Q + 2 Q theta theta^T Q)",
	),
	required("resonant_step", Bool, "", "sign-like optimizer with init_scale/learning_rate within 1e-6 of an integer"),
}...)

// metrics are those of one iterate.
var metrics = []Column{
	nullable("loss", Float64, "1", "tr(AQAQ)/2 + tr(AQ)^2/4"),
	nullable("signal_alignment", Float64, "1", "|W^T u|^2 / |W|_F^2"),
	nullable(
		"spike_alignment",
		Float64,
		"1",
		"energy fraction in non-teacher eigenspaces of Q with eigenvalue > u^T Q u",
	),
	nullable("bulk_alignment", Float64, "1", "max(0, 1 - signal_alignment - spike_alignment)"),
	nullable("signal_energy", Float64, "1", "|W^T u|^2"),
	nullable("weight_norm2", Float64, "1", "|W|_F^2"),
	nullable("top_eigenvector_overlap", Float64, "1", "u^T P u / rank P, P the top eigenspace of W W^T"),
	nullable("stable_rank", Float64, "1", "|W|_F^2 / |W|_2^2"),
}

var trajectoryColumns = append(append([]Column{
	required("point", Int64, "", "index of the point"),
	required("step", Int64, "steps", "k, the number of updates before this iterate"),
}, metrics...), []Column{
	nullable("signal_coefficient", Float64, "1", "w_0 of W = sum_g w_g P_g (reduced runs)"),
	nullable("spike_coefficient", Float64, "1", "w_g of the largest eigenvalue above the teacher's (reduced runs)"),
	nullable("bulk_coefficient", Float64, "1", "w_g of the remaining group of largest multiplicity (reduced runs)"),
}...)

var coefficientColumns = []Column{
	required("point", Int64, "", "index of the point"),
	required("step", Int64, "steps", "k, the number of updates before this iterate"),
	required("group", Int64, "", "eigenspace: 0 is the teacher's, then by falling eigenvalue"),
	required("eigenvalue", Float64, "1", "eigenvalue q_g of Q"),
	required("multiplicity", Int64, "1", "dimension n_g of the eigenspace"),
	nullable("coefficient", Float64, "1", "w_g of W = sum_g w_g P_g"),
}

var shardColumns = []Column{
	required("shard", Int64, "", "number of the shard"),
	required("first", Int64, "", "first index of the shard"),
	required("end", Int64, "", "index after its last one"),
	required("points", Int64, "", "points in it"),
	required("node", String, "", "node that computed it"),
	required("attempts", Int64, "", "leases it took"),
	required("solver_version", Int64, "", "version of the node's solver"),
	required("arithmetic_class", String, "", "arithmetic class of the node's CPU"),
	required("kernel", String, "", "vector kernel that ran"),
	required("started", Time, "us", "when the node began"),
	required("finished", Time, "us", "when the node ended"),
	required("bytes", Int64, "bytes", "size of its payload"),
}

func required(name string, kind Kind, unit, doc string) Column {
	return Column{Name: name, Kind: kind, Unit: unit, Doc: doc}
}

func nullable(name string, kind Kind, unit, doc string) Column {
	return Column{Name: name, Kind: kind, Nullable: true, Unit: unit, Doc: doc}
}
