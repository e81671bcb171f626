package sweep

import "fmt"

// violation is a rule that an assignment breaks: the parameter to point at, and a sentence with the
// fix.
type violation struct {
	id   ParameterID
	text string
}

// resolve completes an assignment in place: parameters that do not apply become null, those left
// out take their defaults, numbers take their parameter's kind, `representation: auto` becomes the
// cheapest exact one and `learning_rate: auto` a number. It returns the rules between parameters
// that the assignment breaks; values on their own are checked by Parameter.check before. Without
// violations a parameter is null exactly when it does not apply.
func resolve(a *Assignment) []violation {
	var broken []violation
	for i := range a {
		id := ParameterID(i)
		if !applies(id, a) {
			a[id] = Null()
			continue
		}
		if a[id].IsNull() {
			a[id] = fallback(id, a)
		}
		if a[id].IsNull() {
			if id != Width { // it is missing where dimension is, which is said already
				broken = append(broken, violation{id, missing(id)})
			}
			continue
		}
		a[id] = asKind(a[id], parameterTable[id].Kind)
	}
	// The representation is resolved whatever else is wrong: the static cost of a run of points
	// depends on it.
	inexact := resolveRepresentation(a)
	if broken == nil {
		broken = crossChecks(a)
	}
	if broken != nil {
		return broken
	}
	if inexact != "" {
		broken = append(broken, violation{Representation, inexact})
	}
	if text := resolveLearningRate(a); text != "" {
		broken = append(broken, violation{LearningRate, text})
	}
	return broken
}

// asKind turns whole floats into integers and integers into floats where the parameter is of that
// kind.
func asKind(v Value, k Kind) Value {
	switch {
	case k == KindInt && v.Kind() == KindFloat:
		return Int(int64(v.Float()))
	case k == KindFloat && v.Kind() == KindInt:
		return Float(v.Float())
	}
	return v
}

// applies tells whether a parameter means anything in an assignment whose earlier parameters are
// resolved.
func applies(id ParameterID, a *Assignment) bool {
	switch optimizer := a[Optimizer].text; id {
	case Samples:
		return a[Model].text == "finite_sample"
	case BatchSize:
		return a[Model].text == "online"
	case LabelNoise:
		return a[Model].text != "population"
	case Scale:
		return a[Covariance].text == "isotropic"
	case Anisotropy:
		return a[Covariance].text == "spiked"
	case Spikes:
		return a[Covariance].text == "multi_spike"
	case Exponent:
		return a[Covariance].text == "power_law"
	case Blocks:
		return a[Covariance].text == "block"
	case Eigenvalues:
		return a[Covariance].text == "custom"
	case Rho:
		return a[Covariance].text == "ar1"
	case TeacherIndex:
		return a[Teacher].text == "eigen"
	case TeacherWeights:
		return a[Teacher].text == "mix"
	case LRWarm:
		return a[Schedule].text == "invsqrt"
	case Momentum:
		return optimizer == "momentum" || optimizer == "muon" || optimizer == "dynmuon" || optimizer == "signum"
	case Nesterov:
		return optimizer == "momentum" || optimizer == "muon"
	case Orthogonalizer:
		return optimizer == "muon"
	case NSSteps:
		return optimizer == "muon" && a[Orthogonalizer].text != "exact"
	case Power:
		return optimizer == "power"
	case NormalizePower:
		return optimizer == "power" || optimizer == "dynmuon"
	case PowerMax, PowerMin, PowerMidpoint, PowerWidth:
		return optimizer == "dynmuon"
	case Beta1, Beta2:
		return optimizer == "adam"
	case Epsilon:
		return optimizer == "adam" || optimizer == "shampoo"
	case Seed:
		return random(a)
	}
	return true
}

// random tells whether the run draws random numbers.
func random(a *Assignment) bool {
	return a[Model].text != "population" || a[Init].text == "gaussian"
}

// fallback is the default of a parameter that applies and is not set; null where it must be given.
func fallback(id ParameterID, a *Assignment) Value {
	optimizer := a[Optimizer].text
	switch id {
	case Model:
		return Text("population")
	case Representation:
		return Text("auto")
	case Width:
		return a[Dimension]
	case Normalize, Rotate:
		return Text("none")
	case Teacher:
		return Text("eigen")
	case TeacherIndex, Seed:
		return Int(0)
	case Init:
		return Text("identity")
	case Scale, TeacherNorm2:
		return Float(1)
	case WeightDecay, LabelNoise:
		return Float(0)
	case Schedule:
		return Text("constant")
	case LRWarm:
		return Float(100)
	case Momentum:
		switch optimizer {
		case "muon":
			return Float(0.95)
		case "dynmuon":
			return Float(0)
		}
		return Float(0.9)
	case Nesterov:
		return Bool(optimizer == "muon")
	case Orthogonalizer:
		return Text("newton_schulz")
	case NSSteps:
		return Int(5)
	case NormalizePower:
		return Bool(true)
	case PowerMax:
		return Float(1)
	case PowerMin:
		return Float(-0.25)
	case PowerMidpoint:
		return Float(0.02)
	case PowerWidth:
		return Float(0.08)
	case Beta1:
		return Float(0.9)
	case Beta2:
		return Float(0.999)
	case Epsilon:
		if optimizer == "shampoo" {
			return Float(1e-12)
		}
		return Float(1e-8)
	}
	return Null()
}

// missing is the message for a parameter that applies, is not set and has no default.
func missing(id ParameterID) string {
	p := &parameterTable[id]
	text := p.Name + " is missing"
	if p.Use != "" {
		text += " (" + p.Use + ")"
	}
	return text + ": set it to " + p.allowed()
}

// maxDistinct bounds the dimension of covariances with as many eigenvalues as dimensions.
const maxDistinct = 1_000_000

// crossChecks are the rules between parameters, on a completed assignment.
func crossChecks(a *Assignment) []violation {
	var broken []violation
	add := func(id ParameterID, format string, args ...any) {
		broken = append(broken, violation{id, fmt.Sprintf(format, args...)})
	}
	d, m := a[Dimension].i, a[Width].i
	switch a[Init].text {
	case "identity":
		if m != d {
			add(
				Width,
				"init: identity needs width = dimension, not width %d and dimension %d: leave width out, or use init: gaussian or orthonormal",
				m,
				d,
			)
		}
	case "orthonormal":
		if m > d {
			add(Width, "init: orthonormal needs width at most dimension, not width %d and dimension %d", m, d)
		}
	}
	switch covariance := a[Covariance].text; covariance {
	case "power_law", "ar1":
		if d > maxDistinct {
			add(
				Dimension,
				"covariance: %s needs dimension at most %d, not %d: its eigenvalues are all different",
				covariance,
				maxDistinct,
				d,
			)
		}
	case "spiked":
		if d < 2 {
			add(Dimension, "covariance: spiked needs dimension at least 2 (the spike is at index 1), not %d", d)
		}
	case "multi_spike":
		if n := int64(len(a[Spikes].list)); d < n+1 {
			add(Spikes, "%d spikes need dimension at least %d (they start at index 1), not %d", n, n+1, d)
		}
	case "block":
		total := int64(0)
		for i := 1; i < len(a[Blocks].list); i += 2 {
			total += int64(a[Blocks].list[i])
		}
		if total != d {
			add(Blocks, "the counts of blocks must add up to dimension %d, not %d", d, total)
		}
	case "custom":
		if n := int64(len(a[Eigenvalues].list)); n != d {
			add(Eigenvalues, "eigenvalues must list dimension = %d numbers, not %d", d, n)
		}
	}
	if a[Covariance].text == "ar1" {
		if n := a[Normalize].text; n == "trace_1" || n == "max_1" {
			add(
				Normalize,
				"normalize: %s is not defined for covariance: ar1, whose trace is dimension: use none or trace_d",
				n,
			)
		}
	}
	switch a[Teacher].text {
	case "eigen":
		if i := a[TeacherIndex].i; i >= d {
			add(TeacherIndex, "teacher_index must be below dimension %d, not %d: indices count from 0", d, i)
		}
	case "mix":
		for i := 0; i+1 < len(a[TeacherWeights].list); i += 2 {
			if index := a[TeacherWeights].list[i]; index >= float64(d) {
				add(
					TeacherWeights,
					"teacher_weights names index %v, which must be below dimension %d: indices count from 0",
					index,
					d,
				)
			}
		}
	}
	return broken
}
