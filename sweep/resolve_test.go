package sweep

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// assign builds an assignment from name, value pairs.
func assign(t testing.TB, pairs ...any) Assignment {
	t.Helper()
	a := make(Assignment, NumParameters)
	for i := 0; i < len(pairs); i += 2 {
		id, ok := builtin.lookup(pairs[i].(string))
		if !ok {
			t.Fatalf("no parameter %q", pairs[i])
		}
		switch v := pairs[i+1].(type) {
		case int:
			a[id] = intValue(int64(v))
		case float64:
			a[id] = floatValue(v)
		case string:
			a[id] = textValue(v)
		case bool:
			a[id] = boolValue(v)
		case []float64:
			if builtin[id].Kind == KindPairs {
				a[id] = pairsValue(v)
			} else {
				a[id] = listValue(v)
			}
		default:
			t.Fatalf("%s: %T", id, v)
		}
	}
	return a
}

// resolved is assign and resolve, without violations.
func resolved(t testing.TB, pairs ...any) Assignment {
	t.Helper()
	a := assign(t, pairs...)
	if broken := builtin.resolve(a); len(broken) > 0 {
		t.Fatalf("%v: %v", pairs, broken)
	}
	return a
}

// spiked are the parameters of a plain point; more pairs are added after it and win.
func spiked(pairs ...any) []any {
	return append([]any{"optimizer", "gd", "dimension", 100, "steps", 1000, "covariance", "spiked", "anisotropy", 10.0,
		"init_scale", 0.01, "learning_rate", 0.02}, pairs...)
}

func TestResolveFillsDefaultsPerOptimizer(t *testing.T) {
	for _, c := range []struct {
		optimizer string
		more      []any
		want      map[ParameterID]string
	}{
		{"gd", nil, map[ParameterID]string{Momentum: "null", Width: "100", TeacherNorm2: "1", WeightDecay: "0",
			Seed: "null", LRWarm: "null", Representation: `"reduced"`}},
		{"momentum", nil, map[ParameterID]string{Momentum: "0.9", Nesterov: "false"}},
		{"signum", nil, map[ParameterID]string{Momentum: "0.9", Nesterov: "null"}},
		{"muon", nil, map[ParameterID]string{Momentum: "0.95", Nesterov: "true", Orthogonalizer: `"newton_schulz"`,
			NSSteps: "5", Epsilon: "null"}},
		{"muon", []any{"orthogonalizer", "exact"}, map[ParameterID]string{NSSteps: "null"}},
		{"power", []any{"power", 0.5}, map[ParameterID]string{NormalizePower: "true", PowerMax: "null",
			Momentum: "null"}},
		{"dynmuon", nil, map[ParameterID]string{PowerMax: "1", PowerMin: "-0.25", PowerMidpoint: "0.02",
			PowerWidth: "0.08", Momentum: "0", WeightDecay: "0", Power: "null"}},
		{"adam", nil, map[ParameterID]string{Beta1: "0.9", Beta2: "0.999", Epsilon: "1e-8"}},
		{"shampoo", nil, map[ParameterID]string{Epsilon: "1e-12", Beta1: "null"}},
		{"gd", []any{"schedule", "invsqrt", "momentum", 0.5}, map[ParameterID]string{LRWarm: "100", Momentum: "null"}},
		{"gd", []any{"init", "gaussian", "width", 5}, map[ParameterID]string{Seed: "0"}},
		{"gd", []any{"model", "online", "batch_size", 10, "seed", 7, "samples", 3},
			map[ParameterID]string{Seed: "7", LabelNoise: "0", Samples: "null", Representation: `"dense"`}},
	} {
		a := resolved(t, spiked(append([]any{"optimizer", c.optimizer}, c.more...)...)...)
		for id, want := range c.want {
			if got := a[id].String(); got != want {
				t.Errorf("%s %v: %s = %s, want %s", c.optimizer, c.more, id, got, want)
			}
		}
	}
}

func TestResolveReportsRulesBetweenParameters(t *testing.T) {
	for _, c := range []struct {
		more []any
		id   ParameterID
		want string
	}{
		{[]any{"optimizer", "power"}, Power, "power is missing (optimizer: power); set it to a number in -4..4"},
		{[]any{"width", 5}, Width, "got 5, want dimension 100 with init: identity"},
		{[]any{"width", 101, "init", "orthonormal"}, Width, "want at most dimension 100 with init: orthonormal"},
		{[]any{"dimension", 1}, Dimension, "at least 2"},
		{[]any{"covariance", "multi_spike", "spikes", []float64{1, 2, 3}, "dimension", 3}, Spikes,
			"got 3 numbers, want at most dimension - 1 = 2"},
		{[]any{"covariance", "block", "blocks", []float64{1, 60, 2, 30}}, Blocks,
			"got a sum of counts of 90, want dimension 100"},
		{[]any{"covariance", "custom", "eigenvalues", []float64{1, 2}}, Eigenvalues,
			"got 2 numbers, want dimension = 100"},
		{[]any{"covariance", "ar1", "rho", 0.5, "teacher", "uniform", "normalize", "max_1"}, Normalize,
			"want none or trace_d"},
		{[]any{"covariance", "power_law", "exponent", 1.0, "dimension", 2000000}, Dimension, "want at most 1000000"},
		{[]any{"teacher_index", 100}, TeacherIndex, "got 100, want 0..99"},
		{[]any{"teacher", "mix", "teacher_weights", []float64{3, 1, 100, 1}}, TeacherWeights,
			"got index 100, want 0..99"},
		{[]any{"optimizer", "adam", "learning_rate", "auto"}, LearningRate, "give a number"},
		{[]any{"representation", "reduced", "teacher", "uniform"}, Representation, "not an eigenvector"},
		{[]any{"representation", "subspace", "covariance", "power_law", "exponent", 1.0}, Representation,
			"no large isotropic block"},
		{[]any{"model", "finite_sample"}, Samples, "samples is missing (model: finite_sample, minibatch)"},
	} {
		a := assign(t, spiked(c.more...)...)
		broken := builtin.resolve(a)
		if len(broken) != 1 || broken[0].id != c.id || !strings.Contains(broken[0].text, c.want) {
			t.Errorf("%v: %v, want %s: ...%s...", c.more, broken, c.id, c.want)
		}
	}
	empty := make(Assignment, NumParameters)
	if broken := builtin.resolve(empty); len(broken) < 5 {
		t.Errorf("an empty assignment: %v", broken)
	}
}

func TestResolveIsIdempotent(t *testing.T) {
	a := resolved(t, spiked("optimizer", "muon", "learning_rate", "auto", "teacher_norm2", 2)...)
	again := slices.Clone(a)
	if broken := builtin.resolve(again); broken != nil {
		t.Fatal(broken)
	}
	for i := range a {
		if a[i].String() != again[i].String() || a[i].Kind() != again[i].Kind() {
			t.Errorf("%s: %s, then %s", ParameterID(i), a[i], again[i])
		}
	}
	if a[TeacherNorm2].Kind() != KindFloat {
		t.Error("an integer stays where a number is meant")
	}
}

func TestTableIsWellFormed(t *testing.T) {
	for i, p := range builtin {
		if int(p.ID) != i || p.Name == "" || p.Doc == "" || p.Kind == KindNull {
			t.Errorf("parameter %d: %+v", i, p)
		}
		if (p.Kind == KindText) != (len(p.Words) > 0) {
			t.Errorf("%s: words %v", p.Name, p.Words)
		}
		if id, ok := builtin.lookup(p.Name); !ok || int(id) != i || id.String() != p.Name {
			t.Errorf("lookup(%q) = %v, %v", p.Name, id, ok)
		}
	}
	if _, ok := builtin.lookup("lambda"); ok {
		t.Error("lambda is no parameter's name")
	}
}

func TestCheckOneValue(t *testing.T) {
	for _, c := range []struct {
		id   ParameterID
		v    Value
		want string // "" is good
	}{
		{Dimension, intValue(1), ""},
		{Dimension, floatValue(30), ""},
		{Dimension, intValue(0), "dimension: got 0, want an integer in 1..1000000000"},
		{Dimension, floatValue(2.5), "dimension: got 2.5, want an integer"},
		{Dimension, textValue("many"), "want an integer in 1..1000000000"},
		{Anisotropy, intValue(3), ""},
		{Anisotropy, floatValue(-1), "anisotropy: got -1, want a number > -1"},
		{Anisotropy, floatValue(math.Inf(1)), "anisotropy: got +Inf, want"},
		{Rho, floatValue(1), "> -1 and < 1"},
		{Momentum, floatValue(0), ""},
		{LearningRate, textValue("auto"), ""},
		{LearningRate, floatValue(0), "> 0 and <= 1000000000000, or auto"},
		{InitScale, textValue("auto"), "init_scale: got \"auto\", want a number"},
		{Model, textValue("online"), ""},
		{Model, textValue("on-line"), "one of population, finite_sample, online"},
		{Nesterov, boolValue(true), ""},
		{Nesterov, intValue(1), "true or false"},
		{Spikes, listValue([]float64{3, -0.5}), ""},
		{Spikes, listValue(nil), "list of numbers"},
		{Spikes, listValue([]float64{-2}), "each > -1"},
		{Blocks, pairsValue([]float64{2, 10, 1, 90}), ""},
		{Blocks, pairsValue([]float64{2, 1.5}), "[value, count]"},
		{Blocks, pairsValue([]float64{0, 3}), "[value, count]"},
		{Blocks, intValue(3), "[value, count]"},
		{TeacherWeights, pairsValue([]float64{0, 1, 5, -2}), ""},
		{TeacherWeights, pairsValue([]float64{0, 0}), "squares"},
		{TeacherWeights, pairsValue([]float64{4, 1, 4, 2}), "got index 4 twice"},
		{TeacherWeights, pairsValue([]float64{-1, 1}), "integer indices >= 0"},
		{Seed, intValue(math.MaxInt64), ""},
		{Seed, intValue(-1), "want an integer in 0.."},
		{Steps, nullValue(), "steps: got null, want"},
	} {
		got := Describe(c.id).check(c.v, c.v.String())
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s = %s: %q, want %q", c.id, c.v, got, c.want)
		}
	}
}

func TestNumbersAreWrittenAsJSONWritesThem(t *testing.T) {
	for _, x := range []float64{0, 1, -2.5, 1e-6, 9.99e-7, 1e-8, -1e-12, 1e20, 1e21, 1e300, 1.0 / 3, math.MaxFloat64,
		math.SmallestNonzeroFloat64} {
		want, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if got := floatValue(x).String(); got != string(want) {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

func TestRepresentationIsResolvedWhateverElseIsWrong(t *testing.T) {
	a := assign(t, spiked("teacher_index", 100)...)
	if broken := builtin.resolve(a); len(broken) != 1 || a[Representation].Text() != "reduced" {
		t.Errorf("%v, %s", broken, a[Representation])
	}
	if good := resolved(t, spiked()...); Cost(a, 0) != Cost(good, 0) {
		t.Errorf("costs %d, not %d as its neighbours", Cost(a, 0), Cost(good, 0))
	}
}

func TestMinibatchTakesFixedPairs(t *testing.T) {
	pairs := func(batch int) []any {
		return spiked("model", "minibatch", "samples", 50, "batch_size", batch, "optimizer", "gd")
	}
	a := resolved(t, pairs(50)...)
	if a[Representation].Text() != "dense" || a[Seed].IsNull() || a[LabelNoise].IsNull() {
		t.Errorf("%v", a)
	}
	if small := Cost(resolved(t, pairs(5)...), 1); small >= Cost(a, 1) {
		t.Errorf("5 pairs a step cost %d, 50 %d", small, Cost(a, 1))
	}
	broken := builtin.resolve(assign(t, pairs(51)...))
	if len(broken) != 1 || broken[0].id != BatchSize || !strings.Contains(broken[0].text, "at most samples = 50") {
		t.Errorf("%v", broken)
	}
}

func TestNegativeUnitsDecideTheRepresentation(t *testing.T) {
	for _, c := range []struct {
		pairs []any
		want  string
	}{
		{[]any{"negative_units", 0}, "reduced"}, {[]any{"negative_units", 1}, "dense"},
		{[]any{"negative_units", 1, "init", "gaussian", "width", 3}, "subspace"},
		{[]any{"negative_units", 1, "init", "sphere", "width", 3}, "subspace"},
		{[]any{"negative_units", 1, "init", "orthonormal", "width", 3}, "subspace"},
		{[]any{"negative_units", 1, "init", "gaussian", "width", 3, "model", "online", "batch_size", 2}, "subspace"},
	} {
		if a := resolved(t, spiked(c.pairs...)...); a[Representation].Text() != c.want {
			t.Errorf("%v: %v, want %s", c.pairs, a[Representation], c.want)
		}
	}
	for _, representation := range []string{"reduced", "subspace"} {
		broken := builtin.resolve(assign(t, spiked("negative_units", 1, "representation", representation)...))
		if len(broken) != 1 || broken[0].id != Representation {
			t.Errorf("%s: %v", representation, broken)
		}
	}
	broken := builtin.resolve(assign(t, spiked("init", "gaussian", "width", 3, "negative_units", 3)...))
	if len(broken) != 1 || broken[0].id != NegativeUnits || !strings.Contains(broken[0].text, "at most width - 1 = 2") {
		t.Errorf("%v", broken)
	}
}
