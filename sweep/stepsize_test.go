package sweep

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// covarianceMatrix is Q written out, unrotated.
func covarianceMatrix(a Assignment) *mat.SymDense {
	d := int(a[Dimension].Int())
	q := mat.NewSymDense(d, nil)
	if a[Covariance].Text() == "ar1" {
		for i := range d {
			for j := range i + 1 {
				q.SetSym(i, j, math.Pow(a[Rho].Float(), float64(i-j)))
			}
		}
		return q
	}
	i := 0
	for _, r := range Spectrum(a) {
		for range r.Count {
			q.SetSym(i, i, r.Value)
			i++
		}
	}
	return q
}

// naiveStepLimit is 1/lambda_max((thetaᵀQtheta) Q + 2 Q theta thetaᵀ Q) by a full
// eigendecomposition.
func naiveStepLimit(a Assignment) float64 {
	d := int(a[Dimension].Int())
	theta := mat.NewVecDense(d, nil)
	switch a[Teacher].Text() {
	case "eigen":
		theta.SetVec(int(a[TeacherIndex].Int()), 1)
	case "uniform":
		for i := range d {
			theta.SetVec(i, 1)
		}
	case "random":
		randomDirection(theta.RawVector().Data, uint64(a[TeacherSeed].Int()))
	case "mix":
		w := a[TeacherWeights].List()
		for i := 0; i < len(w); i += 2 {
			theta.SetVec(int(w[i]), w[i+1])
		}
	}
	theta.ScaleVec(math.Sqrt(ThetaNorm2(a))/mat.Norm(theta, 2), theta)
	q := covarianceMatrix(a)
	var z mat.VecDense
	z.MulVec(q, theta)
	var h mat.SymDense
	h.ScaleSym(mat.Dot(theta, &z), q)
	h.SymRankOne(&h, 2, &z)
	var eigen mat.EigenSym
	if !eigen.Factorize(&h, false) {
		panic("no eigenvalues")
	}
	return 1 / eigen.Values(nil)[d-1]
}

func TestStepLimitMatchesEigendecomposition(t *testing.T) {
	covariances := [][]any{
		{"covariance", "isotropic", "scale", 2.5},
		{"covariance", "spiked", "anisotropy", 10.0},
		{"covariance", "spiked", "anisotropy", -0.6},
		{"covariance", "multi_spike", "spikes", []float64{3, 8, 1}},
		{"covariance", "power_law", "exponent", 1.5},
		{"covariance", "power_law", "exponent", 0.0},
		{"covariance", "block", "blocks", []float64{0.5, 4, 3, 5, 1, 3}},
		{"covariance", "custom", "eigenvalues", []float64{1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 9}},
		{"covariance", "ar1", "rho", 0.7},
		{"covariance", "ar1", "rho", -0.9},
		{"covariance", "ar1", "rho", 0.0},
	}
	teachers := [][]any{
		{"teacher", "eigen", "teacher_index", 0},
		{"teacher", "eigen", "teacher_index", 4},
		{"teacher", "uniform"},
		{"teacher", "random", "teacher_seed", 5},
		{"teacher", "mix", "teacher_weights", []float64{0, 1, 5, -2, 11, 0.25}},
		{"teacher", "mix", "teacher_weights", []float64{3, 1}},
	}
	for _, covariance := range covariances {
		for _, teacher := range teachers {
			for _, normalize := range []string{"none", "trace_d", "trace_1", "max_1"} {
				if covariance[1] == "ar1" && (normalize == "trace_1" || normalize == "max_1") {
					continue
				}
				pairs := append(
					append(
						[]any{"optimizer", "gd", "dimension", 12, "steps", 10, "init_scale", 0.1, "learning_rate", 0.1,
							"teacher_norm2", 1.7, "normalize", normalize},
						covariance...),
					teacher...)
				a := resolved(t, pairs...)
				got, want := stepLimit(a), naiveStepLimit(a)
				// Scaled to the variance that it has the teacher is the same.
				scaled := append([]any{"teacher_variance", 1.7 * unitVariance(a)}, pairs...)
				scaled[slices.Index(scaled, any("teacher_norm2"))] = "lr_warm" // does not apply
				if b := resolved(t, scaled...); math.Abs(ThetaNorm2(b)-1.7) > 1e-14 ||
					math.Abs(stepLimit(b)-got) > 1e-14*got {
					t.Errorf("%v: ‖theta‖² %v, limit %v, want 1.7, %v", scaled, ThetaNorm2(b), stepLimit(b), got)
				}
				// Both are accurate to a few units of round-off; the eigendecomposition to d of
				// them.
				if math.Abs(got-want) > 1e-13*want {
					t.Errorf("%v: %v, want %v (relative difference %.1e)", pairs, got, want, got/want-1)
				}
			}
		}
	}
}

func TestStepLimitOfOneDimension(t *testing.T) {
	a := resolved(t, "optimizer", "gd", "dimension", 1, "steps", 10, "init_scale", 0.1, "learning_rate", 0.1,
		"covariance", "ar1", "rho", 0.4, "teacher", "uniform")
	if got := stepLimit(a); math.Abs(got-1./3) > 1e-15 {
		t.Errorf("%v, want 1/3", got)
	}
}

func TestStepLimitOfSpikedIsClosedForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lambda := rapid.Float64Range(-0.9, 1000).Draw(t, "lambda")
		d := rapid.IntRange(3, 1_000_000).Draw(t, "d")
		a := make(Assignment, NumParameters)
		for id, v := range map[ParameterID]Value{Optimizer: textValue("gd"), Dimension: intValue(int64(d)),
			Steps: intValue(5), Covariance: textValue("spiked"),
			Anisotropy: floatValue(lambda), InitScale: floatValue(0.1), LearningRate: textValue("auto")} {
			a[id] = v
		}
		if broken := builtin.resolve(a); broken != nil {
			t.Fatal(broken)
		}
		want := 0.5 / max(3, 1+lambda)
		if got := a[LearningRate].Float(); math.Abs(got-want) > 1e-15 {
			t.Fatalf("learning_rate auto = %v, want %v", got, want)
		}
	})
}

func TestAutomaticRates(t *testing.T) {
	for _, c := range []struct {
		optimizer string
		more      []any
		want      float64
	}{
		{"gd", nil, 0.5 / 11},
		{"gd", []any{"teacher_norm2", 4.0}, 0.5 / 44},
		{"gd", []any{"teacher_index", 1}, 0.5 / (3 * 121)},
		{"momentum", nil, 0.05 / 11},
		{"momentum", []any{"momentum", 0.0}, 0.5 / 11},
		{"specgd", nil, 0.00207},
		{"muon", []any{"teacher_norm2", 9.0}, 0.00621},
		{"ngd", []any{"teacher_norm2", 4.0}, 0.02},
	} {
		a := resolved(t, spiked(append([]any{"optimizer", c.optimizer, "learning_rate", "auto"}, c.more...)...)...)
		if got := a[LearningRate].Float(); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s %v: %v, want %v", c.optimizer, c.more, got, c.want)
		}
	}
}

func TestUnstableStep(t *testing.T) {
	limit := 1. / 11
	for _, c := range []struct {
		optimizer string
		rate      float64
		want      bool
	}{{"gd", limit * 0.999, false}, {"gd", limit * 1.001, true}, {"momentum", 1, false}, {"specgd", 1, false}} {
		if got := unstableStep(resolved(t, spiked("optimizer", c.optimizer, "learning_rate",
			c.rate)...)); got != c.want {
			t.Errorf("%s at %v: %v", c.optimizer, c.rate, got)
		}
	}
}

func TestResonantStep(t *testing.T) {
	for _, c := range []struct {
		pairs []any
		want  bool
	}{
		{[]any{"optimizer", "specgd", "init_scale", 0.02, "learning_rate", 0.01}, true},
		{[]any{"optimizer", "specgd", "init_scale", 0.0137, "learning_rate", 0.00207}, false},
		{[]any{"optimizer", "specgd", "init_scale", 0.03 * (1 + 1e-7), "learning_rate", 0.01}, true},
		{[]any{"optimizer", "specgd", "init_scale", 0.03 * (1 + 1e-5), "learning_rate", 0.01}, false},
		{[]any{"optimizer", "specgd", "init_scale", 1e-9, "learning_rate", 0.01}, false},
		{[]any{"optimizer", "signgd", "init_scale", 0.02, "learning_rate", 0.01}, true},
		{[]any{"optimizer", "signum", "init_scale", 0.02, "learning_rate", 0.01}, true},
		{[]any{"optimizer", "muon", "init_scale", 0.02, "learning_rate", 0.01}, false},
		{[]any{"optimizer", "muon", "orthogonalizer", "exact", "init_scale", 0.02, "learning_rate", 0.01}, true},
		{[]any{"optimizer", "muon", "orthogonalizer", "exact", "init", "orthonormal", "width", 25, "init_scale", 0.04,
			"learning_rate", 0.01}, true},
		{[]any{"optimizer", "muon", "orthogonalizer", "exact", "init", "orthonormal", "width", 25, "init_scale", 0.03,
			"learning_rate", 0.01}, false},
		{[]any{"optimizer", "power", "power", 0.0, "init_scale", 0.02, "learning_rate", 0.01}, true},
		{[]any{"optimizer", "power", "power", 0.5, "init_scale", 0.02, "learning_rate", 0.01}, false},
		{[]any{"optimizer", "nucspec", "init_scale", 0.02, "learning_rate", 0.01}, false},
		{[]any{"optimizer", "gd", "init_scale", 0.02, "learning_rate", 0.01}, false},
	} {
		if got := resonantStep(resolved(t, spiked(c.pairs...)...)); got != c.want {
			t.Errorf("%v: %v", c.pairs, got)
		}
	}
}
