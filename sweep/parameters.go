package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxCount bounds integers that decide the size of a point, so that products of two of them stay
// within int64.
const maxCount = 1_000_000_000

// Parameters returns the table of parameters, in the order in which axes are enumerated. The caller
// owns the slice, but not what its rows refer to.
func Parameters() []Parameter { return slices.Clone(builtin) }

// Describe returns the description of a parameter.
func Describe(id ParameterID) Parameter { return builtin[id] }

// String is the parameter's name in sweep files and result sets.
func (id ParameterID) String() string {
	if int(id) >= NumParameters {
		return fmt.Sprintf("ParameterID(%d)", uint8(id))
	}
	return builtin[id].Name
}

// lookup finds a parameter by its name.
func (t table) lookup(name string) (ParameterID, bool) {
	for id := range t {
		if t[id].Name == name {
			return ParameterID(id), true
		}
	}
	return 0, false
}

// names are the names of the parameters in order.
func (t table) names() []string {
	names := make([]string, len(t))
	for i := range t {
		names[i] = t[i].Name
	}
	return names
}

// ids are the parameters in order.
func (t table) ids() ParameterID { return ParameterID(len(t)) }

// The constructors of Parameter set what the kind decides; the methods below set the rest.

func textParameter(id ParameterID, name, doc string, words ...string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindText, Words: words, Min: math.Inf(-1), Max: math.Inf(1), Doc: doc}
}

func intParameter(id ParameterID, name string, low int, high float64, unit, doc string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindInt, Min: float64(low), Max: high, Unit: unit, Doc: doc}
}

func numberParameter(id ParameterID, name string, low, high float64, doc string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindFloat, Min: low, Max: high, Unit: "1", Doc: doc}
}

func boolParameter(id ParameterID, name, doc string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindBool, Min: math.Inf(-1), Max: math.Inf(1), Doc: doc}
}

// above excludes the lower bound.
func (p Parameter) above() Parameter { p.MinOpen = true; return p }

// below excludes the upper bound.
func (p Parameter) below() Parameter { p.MaxOpen = true; return p }

// kind changes the kind of the values.
func (p Parameter) kind(k Kind) Parameter { p.Kind = k; return p }

// auto allows the word "auto".
func (p Parameter) auto() Parameter { p.Auto = true; return p }

// optional allows the parameter to be left out, without a default.
func (p Parameter) optional() Parameter { p.Optional = true; return p }

// or sets the default.
func (p Parameter) or(v Value) Parameter { p.Default = v; return p }

// when adds a condition; one of them has to hold for the parameter to apply.
func (p Parameter) when(id ParameterID, words ...string) Parameter {
	p.When = append(p.When, Condition{id, words})
	return p
}

// table lists the parameters of a sweep, each at its ID, in the order in which axes are enumerated.
// Read only.
type table []Parameter

// builtin are the parameters of the built-in solver, which every sweep has.
var builtin = newBuiltin()

// newBuiltin lists the parameters. Those of optimizers and covariances apply where a row of
// these tables has them, and take their defaults from there.
func newBuiltin() table {
	t := make(table, NumParameters)
	for _, group := range [][]Parameter{runParameters(), covarianceParameters(), stateParameters(),
		optimizerParameters()} {
		for _, p := range group {
			t[p.ID] = p
		}
	}
	for i := range t {
		p := &t[i]
		if len(p.When) == 0 {
			p.When = owners(p.ID)
		}
		p.Use = t.use(p.When)
	}
	return t
}

// owners is the condition under which a parameter of rows applies, if it is one.
func owners(id ParameterID) []Condition {
	has := func(own []OwnParameter) bool {
		return slices.ContainsFunc(own, func(o OwnParameter) bool { return o.ID == id })
	}
	if names := optimizerNames(func(r *UpdateRule) bool { return has(r.Parameters) }); names != nil {
		return []Condition{{Optimizer, names}}
	}
	if names := covarianceNames(func(f *CovarianceFamily) bool { return has(f.Parameters) }); names != nil {
		return []Condition{{Covariance, names}}
	}
	return nil
}

// use writes conditions as "model: online, or init: gaussian".
func (t table) use(when []Condition) string {
	parts := make([]string, len(when))
	for i, c := range when {
		parts[i] = t[c.ID].Name + ": " + strings.Join(c.Words, ", ")
	}
	return strings.Join(parts, ", or ")
}

// runParameters are those of the run as a whole.
func runParameters() []Parameter {
	return []Parameter{
		textParameter(Model, "model", "which gradient drives the dynamics; metrics are always those of the population",
			"population", "finite_sample", "online", "minibatch").or(textValue("population")),
		textParameter(
			Representation,
			"representation",
			"how the iterate is stored; auto takes the cheapest that is exact",
			"auto",
			"reduced",
			"subspace",
			"dense",
		).or(
			textValue("auto"),
		),
		textParameter(Optimizer, "optimizer", "map from the gradient G to the update U of W <- W(1 - lr_k wd) - lr_k U",
			optimizerNames(func(*UpdateRule) bool { return true })...),
		intParameter(Dimension, "dimension", 1, maxCount, "1", "d, length of the input x and rows of W"),
		intParameter(Width, "width", 1, maxCount, "1", "m, columns of W (default: dimension)"),
		intParameter(NegativeUnits, "negative_units", 0, maxCount-1, "1",
			"k, units of weight -1 in the second layer: the last columns of W; less than width").or(intValue(0)),
		intParameter(Steps, "steps", 1, maxCount, "step", "T, number of updates"),
		intParameter(Samples, "samples", 1, maxCount, "1", "n, number of fixed pairs (x, y)").
			when(Model, "finite_sample", "minibatch"),
		intParameter(BatchSize, "batch_size", 1, maxCount, "1",
			"n, number of pairs (x, y) each step: fresh ones, or of those fixed").
			when(Model, "online", "minibatch"),
		textParameter(Inputs, "inputs",
			"law of the entries of z in x = Rz, RRᵀ = Q, each of mean 0 and variance 1; R is the Cholesky factor",
			"gaussian", "rademacher", "uniform", "laplace").
			when(Model, "finite_sample", "online", "minibatch").or(textValue("gaussian")),
		numberParameter(LabelNoise, "label_noise", 0, 1e12, "sigma; y = <x, theta>² + sigma N(0,1)").
			when(Model, "finite_sample", "online", "minibatch").or(floatValue(0)),
		intParameter(Seed, "seed", 0, math.MaxInt64, "1", "seed of SplitMix64; replicate r uses seed + r").
			when(Model, "finite_sample", "online", "minibatch").when(Init, "gaussian", "sphere").or(intValue(0)),
	}
}

// covarianceParameters are those of Q.
func covarianceParameters() []Parameter {
	return []Parameter{
		textParameter(Covariance, "covariance", "family of Q, the covariance of x ~ N(0, Q)",
			covarianceNames(func(*CovarianceFamily) bool { return true })...),
		numberParameter(Scale, "scale", 0, 1e12, "q_i = scale").above(),
		numberParameter(Anisotropy, "anisotropy", -1, 1e12, "lambda; q_1 = 1 + lambda, the other q_i = 1").above(),
		numberParameter(
			Spikes,
			"spikes",
			-1,
			1e12,
			"q_(1+j) = 1 + spikes[j], the other q_i = 1",
		).above().kind(
			KindList,
		),
		numberParameter(Exponent, "exponent", 0, 20, "p; q_i = (i+1)^-p, i = 0..d-1"),
		numberParameter(
			Blocks,
			"blocks",
			0,
			1e12,
			"list of [value, count]: q_i in order; the counts add up to dimension",
		).
			above().kind(
			KindPairs,
		),
		numberParameter(
			Eigenvalues,
			"eigenvalues",
			0,
			1e12,
			"q_i in order, as many as dimension",
		).above().kind(
			KindList,
		),
		numberParameter(Rho, "rho", -1, 1, "Q_ij = rho^|i-j|").above().below(),
		textParameter(Normalize, "normalize", "scale of Q: as given, trace d, trace 1, or largest eigenvalue 1",
			"none", "trace_d", "trace_1", "max_1").or(textValue("none")),
		textParameter(Rotate, "rotate", "Q -> HQH, theta -> H theta with H = I - 2hhᵀ/‖h‖², h_i = 1/(i+2)",
			"none", "householder").or(textValue("none")),
	}
}

// stateParameters are those of the teacher and of W_0.
func stateParameters() []Parameter {
	return []Parameter{
		textParameter(Teacher, "teacher",
			"direction of theta: e_index, (1,...,1)/sqrt(d), a normalised mix of coordinates, or uniform on the sphere",
			"eigen", "uniform", "mix", "random").or(textValue("eigen")),
		intParameter(TeacherIndex, "teacher_index", 0, maxCount-1, "1", "theta is along e_index, counted from 0").
			when(Teacher, "eigen").or(intValue(0)),
		numberParameter(TeacherWeights, "teacher_weights", math.Inf(-1), math.Inf(1),
			"list of [index, weight]: theta along sum of weight e_index").kind(KindPairs).when(Teacher, "mix"),
		intParameter(TeacherSeed, "teacher_seed", 0, math.MaxInt64, "1",
			"theta is along normals of SplitMix64(teacher_seed xor 0xD1B54A32D192ED03); replicates share it").
			when(Teacher, "random").or(intValue(0)),
		numberParameter(TeacherNorm2, "teacher_norm2", 0, 1e12, "‖theta‖²; null where teacher_variance is set").
			above().or(floatValue(1)),
		numberParameter(TeacherVariance, "teacher_variance", 0, 1e12, "thetaᵀQtheta, instead of teacher_norm2").
			above().optional(),
		textParameter(Init, "init", "W_0: alpha I, alpha/sqrt(m) N(0,1), alpha H[:, :m], or alpha N/‖N‖_F",
			"identity", "gaussian", "orthonormal", "sphere").or(textValue("identity")),
		numberParameter(InitScale, "init_scale", 1e-150, 1e6, "alpha, scale of W_0"),
	}
}

// optimizerParameters are those of the update.
func optimizerParameters() []Parameter {
	return []Parameter{
		numberParameter(LearningRate, "learning_rate", 0, 1e12, "lr, learning rate before the schedule").above().auto(),
		textParameter(Schedule, "schedule", "lr_k/lr: 1, 1 - k/T, (1 + cos(pi k/T))/2, 1/sqrt(1 + k/lr_warm)",
			"constant", "linear", "cosine", "invsqrt").or(textValue("constant")),
		numberParameter(LRWarm, "lr_warm", 0, 1e12, "lr_k = lr/sqrt(1 + k/lr_warm)").above().
			when(Schedule, "invsqrt").or(floatValue(100)),
		numberParameter(WeightDecay, "weight_decay", 0, 1e12, "wd of W <- W(1 - lr_k wd) - lr_k U").or(floatValue(0)),
		numberParameter(Momentum, "momentum", 0, 1, "beta of the buffer B").below(),
		boolParameter(Nesterov, "nesterov", "U from G + beta B (muon: (1 - beta)G + beta B) instead of B"),
		textParameter(Orthogonalizer, "orthogonalizer", "how muon maps singular values towards 1",
			"newton_schulz", "polar_express", "exact"),
		intParameter(NSSteps, "ns_steps", 1, 100, "1", "polynomial iterations").
			when(Orthogonalizer, "newton_schulz", "polar_express"),
		numberParameter(Power, "power", -4, 4, "p of phi(s) = s^p on singular values"),
		boolParameter(NormalizePower, "normalize_power", "phi(s) = (s/s_max)^p instead of s^p"),
		numberParameter(PowerMax, "power_max", -4, 4,
			"p_t = p_min + (p_max - p_min)/(1 + exp((t/T - tau)/w)), t = k + 1"),
		numberParameter(PowerMin, "power_min", -4, 4, "p_min of p_t, the power at the end"),
		numberParameter(PowerMidpoint, "power_midpoint", -1e6, 1e6, "tau of p_t, as a fraction of T"),
		numberParameter(PowerWidth, "power_width", 0, 1e6, "w of p_t, as a fraction of T").above(),
		numberParameter(Beta1, "beta1", 0, 1, "decay of the first moment").below(),
		numberParameter(Beta2, "beta2", 0, 1, "decay of the second moment").below(),
		numberParameter(Epsilon, "epsilon", 0, 1e6, "adam: added to the root; shampoo: L_0 = R_0 = epsilon I").above(),
	}
}
