package sweep

import (
	"fmt"
	"math"
	"strings"
)

// maxCount bounds integers that decide the size of a point, so that products of two of them stay
// within int64.
const maxCount = 1_000_000_000

// parameters returns the table of all parameters. Read only.
func parameters() *[NumParameters]Parameter { return &parameterTable }

// Describe returns the description of a parameter.
func Describe(id ParameterID) Parameter { return parameterTable[id] }

// String is the parameter's name in sweep files and result sets.
func (id ParameterID) String() string {
	if int(id) >= NumParameters {
		return fmt.Sprintf("ParameterID(%d)", uint8(id))
	}
	return parameterTable[id].Name
}

// lookup finds a parameter by its name.
func lookup(name string) (ParameterID, bool) {
	for id := range parameterTable {
		if parameterTable[id].Name == name {
			return ParameterID(id), true
		}
	}
	return 0, false
}

func textParameter(id ParameterID, name, doc, use string, words ...string) Parameter {
	return Parameter{
		ID:    id,
		Name:  name,
		Kind:  KindText,
		Words: words,
		Min:   math.Inf(-1),
		Max:   math.Inf(1),
		Use:   use,
		Doc:   doc,
	}
}

func intParameter(id ParameterID, name string, low int, high float64, unit, doc, use string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindInt, Min: float64(low), Max: high, Unit: unit, Use: use, Doc: doc}
}

func numberParameter(id ParameterID, name string, low, high float64, doc, use string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindFloat, Min: low, Max: high, Unit: "1", Use: use, Doc: doc}
}

func boolParameter(id ParameterID, name, doc, use string) Parameter {
	return Parameter{ID: id, Name: name, Kind: KindBool, Min: math.Inf(-1), Max: math.Inf(1), Use: use, Doc: doc}
}

// above excludes the lower bound.
func (p Parameter) above() Parameter { p.MinOpen = true; return p }

// below excludes the upper bound.
func (p Parameter) below() Parameter { p.MaxOpen = true; return p }

// kind changes the kind of the values.
func (p Parameter) kind(k Kind) Parameter { p.Kind = k; return p }

// auto allows the word "auto".
func (p Parameter) auto() Parameter { p.Auto = true; return p }

var parameterTable = [NumParameters]Parameter{
	textParameter(Model, "model", "which gradient drives the dynamics; metrics are always those of the population", "",
		"population", "finite_sample", "online"),
	textParameter(
		Representation,
		"representation",
		"how the iterate is stored; auto takes the cheapest that is exact",
		"",
		"auto",
		"reduced",
		"subspace",
		"dense",
	),
	textParameter(
		Optimizer,
		"optimizer",
		"map from the gradient G to the update U of W <- W(1 - lr_k wd) - lr_k U",
		"",
		"gd",
		"momentum",
		"ngd",
		"specgd",
		"nucspec",
		"muon",
		"power",
		"dynmuon",
		"signgd",
		"signum",
		"adam",
		"shampoo",
	),
	intParameter(Dimension, "dimension", 1, maxCount, "1", "d, length of the input x and rows of W", ""),
	intParameter(Width, "width", 1, maxCount, "1", "m, columns of W (default: dimension)", ""),
	intParameter(Steps, "steps", 1, maxCount, "step", "T, number of updates", ""),
	intParameter(Samples, "samples", 1, maxCount, "1", "n, number of fixed pairs (x, y)", "model: finite_sample"),
	intParameter(
		BatchSize,
		"batch_size",
		1,
		maxCount,
		"1",
		"n, number of fresh pairs (x, y) each step",
		"model: online",
	),
	textParameter(Covariance, "covariance", "family of Q, the covariance of x ~ N(0, Q)", "",
		"isotropic", "spiked", "multi_spike", "power_law", "block", "custom", "ar1"),
	numberParameter(Scale, "scale", 0, 1e12, "q_i = scale", "covariance: isotropic").above(),
	numberParameter(
		Anisotropy,
		"anisotropy",
		-1,
		1e12,
		"lambda; q_1 = 1 + lambda, the other q_i = 1",
		"covariance: spiked",
	).above(),
	numberParameter(
		Spikes,
		"spikes",
		-1,
		1e12,
		"q_(1+j) = 1 + spikes[j], the other q_i = 1",
		"covariance: multi_spike",
	).above().kind(
		KindList,
	),
	numberParameter(Exponent, "exponent", 0, 20, "p; q_i = (i+1)^-p, i = 0..d-1", "covariance: power_law"),
	numberParameter(
		Blocks,
		"blocks",
		0,
		1e12,
		"list of [value, count]: q_i in order; the counts add up to dimension",
		"covariance: block",
	).above().kind(
		KindPairs,
	),
	numberParameter(
		Eigenvalues,
		"eigenvalues",
		0,
		1e12,
		"q_i in order, as many as dimension",
		"covariance: custom",
	).above().kind(
		KindList,
	),
	numberParameter(Rho, "rho", -1, 1, "Q_ij = rho^|i-j|", "covariance: ar1").above().below(),
	textParameter(Normalize, "normalize", "scale of Q: as given, trace d, trace 1, or largest eigenvalue 1", "",
		"none", "trace_d", "trace_1", "max_1"),
	textParameter(Rotate, "rotate", "Q -> HQH, theta -> H theta with H = I - 2hhᵀ/‖h‖², h_i = 1/(i+2)", "",
		"none", "householder"),
	textParameter(
		Teacher,
		"teacher",
		"direction of theta: e_index, (1,...,1)/sqrt(d), or a normalised mix of coordinates",
		"",
		"eigen",
		"uniform",
		"mix",
	),
	intParameter(
		TeacherIndex,
		"teacher_index",
		0,
		maxCount-1,
		"1",
		"theta is along e_index, counted from 0",
		"teacher: eigen",
	),
	numberParameter(
		TeacherWeights,
		"teacher_weights",
		math.Inf(-1),
		math.Inf(1),
		"list of [index, weight]: theta along sum of weight e_index",
		"teacher: mix",
	).kind(
		KindPairs,
	),
	numberParameter(TeacherNorm2, "teacher_norm2", 0, 1e12, "‖theta‖²", "").above(),
	textParameter(Init, "init", "W_0: alpha I, alpha/sqrt(m) N(0,1), or alpha H[:, :m]", "",
		"identity", "gaussian", "orthonormal"),
	numberParameter(InitScale, "init_scale", 0, 1e6, "alpha, scale of W_0", "").above(),
	numberParameter(LearningRate, "learning_rate", 0, 1e12, "lr, step size before the schedule", "").above().auto(),
	textParameter(Schedule, "schedule", "lr_k/lr: 1, 1 - k/T, (1 + cos(pi k/T))/2, 1/sqrt(1 + k/lr_warm)", "",
		"constant", "linear", "cosine", "invsqrt"),
	numberParameter(LRWarm, "lr_warm", 0, 1e12, "lr_k = lr/sqrt(1 + k/lr_warm)", "schedule: invsqrt").above(),
	numberParameter(WeightDecay, "weight_decay", 0, 1e12, "wd of W <- W(1 - lr_k wd) - lr_k U", ""),
	numberParameter(
		Momentum,
		"momentum",
		0,
		1,
		"beta of the buffer B",
		"optimizer: momentum, muon, dynmuon, signum",
	).below(),
	boolParameter(
		Nesterov,
		"nesterov",
		"U from G + beta B (muon: (1 - beta)G + beta B) instead of B",
		"optimizer: momentum, muon",
	),
	textParameter(Orthogonalizer, "orthogonalizer", "how muon maps singular values towards 1", "optimizer: muon",
		"newton_schulz", "polar_express", "exact"),
	intParameter(
		NSSteps,
		"ns_steps",
		1,
		100,
		"1",
		"polynomial iterations",
		"orthogonalizer: newton_schulz, polar_express",
	),
	numberParameter(Power, "power", -4, 4, "p of phi(s) = s^p on singular values", "optimizer: power"),
	boolParameter(
		NormalizePower,
		"normalize_power",
		"phi(s) = (s/s_max)^p instead of s^p",
		"optimizer: power, dynmuon",
	),
	numberParameter(
		PowerMax,
		"power_max",
		-4,
		4,
		"p_t = p_min + (p_max - p_min)/(1 + exp((t/T - tau)/w)), t = k + 1",
		"optimizer: dynmuon",
	),
	numberParameter(PowerMin, "power_min", -4, 4, "p_min of p_t, the power at the end", "optimizer: dynmuon"),
	numberParameter(PowerMidpoint, "power_midpoint", -1e6, 1e6, "tau of p_t, as a fraction of T", "optimizer: dynmuon"),
	numberParameter(PowerWidth, "power_width", 0, 1e6, "w of p_t, as a fraction of T", "optimizer: dynmuon").above(),
	numberParameter(Beta1, "beta1", 0, 1, "decay of the first moment", "optimizer: adam").below(),
	numberParameter(Beta2, "beta2", 0, 1, "decay of the second moment", "optimizer: adam").below(),
	numberParameter(
		Epsilon,
		"epsilon",
		0,
		1e6,
		"adam: added to the root; shampoo: L_0 = R_0 = epsilon I",
		"optimizer: adam, shampoo",
	).above(),
	numberParameter(
		LabelNoise,
		"label_noise",
		0,
		1e12,
		"sigma; y = <x, theta>² + sigma N(0,1)",
		"model: finite_sample, online",
	),
	intParameter(
		Seed,
		"seed",
		0,
		math.MaxInt64,
		"1",
		"seed of SplitMix64; replicate r uses seed + r",
		"model: finite_sample, online, or init: gaussian",
	),
}

// check tells what is wrong with one value on its own: "" when nothing is, else a sentence saying
// what is allowed. A whole float is a good integer; an integer is a good float.
func (p Parameter) check(v Value) string {
	ok := false
	switch p.Kind {
	case KindInt:
		ok = v.Kind() == KindInt && p.inRange(float64(v.Int())) ||
			v.Kind() == KindFloat && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53 &&
				p.inRange(v.Float())
	case KindFloat:
		ok = (v.Kind() == KindInt || v.Kind() == KindFloat) && p.inRange(v.Float()) ||
			p.Auto && v.Kind() == KindText && v.Text() == "auto"
	case KindText:
		if v.Kind() == KindText {
			for _, w := range p.Words {
				ok = ok || w == v.Text()
			}
		}
	case KindBool:
		ok = v.Kind() == KindBool
	case KindList:
		ok = v.Kind() == KindList && len(v.List()) > 0
		for _, x := range v.List() {
			ok = ok && p.inRange(x)
		}
	case KindPairs:
		return p.checkPairs(v)
	}
	if ok {
		return ""
	}
	return p.Name + " must be " + p.allowed()
}

// checkPairs is check for blocks ([value, count]) and teacher_weights ([index, weight]).
func (p Parameter) checkPairs(v Value) string {
	flat := v.List()
	if v.Kind() != KindPairs || len(flat) == 0 || len(flat)%2 != 0 {
		return p.Name + " must be " + p.allowed()
	}
	norm2 := 0.0
	for i := 0; i < len(flat); i += 2 {
		value, whole := flat[i], flat[i+1]
		low := 1.0
		if p.ID == TeacherWeights {
			whole, value, low = flat[i], flat[i+1], 0
		}
		if !p.inRange(value) || whole != math.Trunc(whole) || !(whole >= low && whole <= maxCount) {
			return p.Name + " must be " + p.allowed()
		}
		norm2 += value * value
	}
	if p.ID == TeacherWeights {
		if !(norm2 > 0 && norm2 <= math.MaxFloat64) {
			return p.Name + " must have weights whose squares add up to a positive, finite number"
		}
		for i := 0; i < len(flat); i += 2 {
			for j := 0; j < i; j += 2 {
				if flat[i] == flat[j] {
					return fmt.Sprintf("%s must name each index once; %v is there twice", p.Name, flat[i])
				}
			}
		}
	}
	return ""
}

func (p Parameter) inRange(x float64) bool {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return false
	}
	return (x > p.Min || x == p.Min && !p.MinOpen) && (x < p.Max || x == p.Max && !p.MaxOpen)
}

// allowed says what values the parameter takes, to follow "must be".
func (p Parameter) allowed() string {
	switch p.Kind {
	case KindInt:
		return "an integer" + p.interval()
	case KindFloat:
		if p.Auto {
			return "a number" + p.interval() + ", or auto"
		}
		return "a number" + p.interval()
	case KindText:
		return "one of " + strings.Join(p.Words, ", ")
	case KindBool:
		return "true or false"
	case KindList:
		return "a list of numbers, each" + p.interval()
	}
	if p.ID == TeacherWeights {
		return "a list of [index, weight], the index a whole number from 0"
	}
	return "a list of [value, count], the value above 0 and the count a whole number from 1"
}

// interval is the range in words, with a leading space; empty when there is none.
func (p Parameter) interval() string {
	var low, high string
	if !math.IsInf(p.Min, -1) {
		low = " at least " + formatFloat(p.Min)
		if p.MinOpen {
			low = " above " + formatFloat(p.Min)
		}
	}
	if !math.IsInf(p.Max, 1) {
		high = " at most " + formatFloat(p.Max)
		if p.Max == math.MaxInt64 { // as a float it is 2^63
			high = " at most 9223372036854775807"
		}
		if p.MaxOpen {
			high = " below " + formatFloat(p.Max)
		}
	}
	if low != "" && high != "" {
		return low + " and" + high
	}
	return low + high
}
