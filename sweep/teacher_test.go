package sweep

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

func TestTeacherVarianceIsThetaQTheta(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.IntRange(2, 40).Draw(r, "dimension")
		variance := rapid.Float64Range(1e-6, 1e6).Draw(r, "variance")
		pairs := []any{"optimizer", "specgd", "dimension", d, "steps", 5, "init_scale", 0.1, "learning_rate", "auto",
			"teacher_variance", variance}
		pairs = append(pairs, rapid.SampledFrom([][]any{
			{"covariance", "spiked", "anisotropy", 7.0}, {"covariance", "power_law", "exponent", 1.5},
			{"covariance", "ar1", "rho", -0.6},
		}).Draw(r, "covariance")...)
		pairs = append(pairs, rapid.SampledFrom([][]any{
			{
				"teacher",
				"eigen",
				"teacher_index",
				d - 1,
			}, {"teacher", "uniform"}, {"teacher", "random", "teacher_seed", 3},
			{"teacher", "mix", "teacher_weights", []float64{0, 1, float64(d - 1), -2}},
		}).Draw(r, "teacher")...)
		pairs = append(pairs, "normalize", rapid.SampledFrom([]string{"none", "trace_d"}).Draw(r, "normalize"))
		a := resolved(t, pairs...)
		theta := mat.NewVecDense(d, direction(a))
		theta.ScaleVec(math.Sqrt(ThetaNorm2(a)), theta)
		var product mat.VecDense
		product.MulVec(covarianceMatrix(a), theta)
		if got := mat.Dot(theta, &product); math.Abs(got-variance) > 1e-12*variance {
			r.Errorf("%v: thetaᵀQtheta is %v, want %v", pairs, got, variance)
		}
		want := 0.0207 * math.Sqrt(ThetaNorm2(a)) / math.Sqrt(float64(d))
		if got := a[LearningRate].Float(); math.Abs(got-want) > 1e-15*want {
			r.Errorf("%v: learning rate %v, want %v", pairs, got, want)
		}
	})
}

func TestTeacherIsScaledInOneWay(t *testing.T) {
	a := resolved(t, spiked("teacher_variance", 2.0)...)
	if !a[TeacherNorm2].IsNull() || ThetaNorm2(a) != 2 {
		t.Errorf("teacher_norm2 %v, ‖theta‖² %v, want null, 2", a[TeacherNorm2], ThetaNorm2(a))
	}
	broken := builtin.resolve(assign(t, spiked("teacher_variance", 2.0, "teacher_norm2", 1.0)...))
	if len(broken) != 1 || broken[0].id != TeacherVariance ||
		!strings.Contains(broken[0].text, "beside teacher_norm2") {
		t.Errorf("%v", broken)
	}
	if a := resolved(t, spiked()...); !a[TeacherVariance].IsNull() || ThetaNorm2(a) != 1 {
		t.Errorf("teacher_variance %v, ‖theta‖² %v, want null, 1", a[TeacherVariance], ThetaNorm2(a))
	}
}

// The teacher's seed is a parameter of its own, so that replicates keep the teacher.
func TestTeacherSeedIsNotTheSeed(t *testing.T) {
	pairs := func(more ...any) []any {
		return spiked(append([]any{"teacher", "random", "init", "sphere"}, more...)...)
	}
	base := resolved(t, pairs()...)
	if base[TeacherSeed].Int() != 0 || base[Seed].Int() != 0 || base[Representation].Text() != "dense" {
		t.Errorf("teacher_seed %v, seed %v, %v", base[TeacherSeed], base[Seed], base[Representation])
	}
	other := resolved(t, pairs("seed", 8)...)
	if x, y := direction(base), direction(other); mat.Dot(mat.NewVecDense(100, x), mat.NewVecDense(100, y)) < 1-1e-14 {
		t.Error("another seed gives another teacher")
	}
	other = resolved(t, pairs("teacher_seed", 8)...)
	if x, y := direction(base), direction(other); mat.Dot(mat.NewVecDense(100, x), mat.NewVecDense(100, y)) > 0.5 {
		t.Error("another teacher_seed gives nearly the same teacher")
	}
	if a := resolved(t, spiked()...); !a[TeacherSeed].IsNull() {
		t.Errorf("teacher_seed %v without a random teacher", a[TeacherSeed])
	}
}

// Replicates of a run without random numbers differ where something is derived from their seed.
func TestReplicatesMayDifferByADerivedTeacher(t *testing.T) {
	file := `
name: replicates
fixed: {optimizer: gd, dimension: 20, steps: 5, covariance: power_law, exponent: 2, init_scale: 0.1,
  learning_rate: 0.1, teacher: random}
replicates: 4
`
	for derived, warnings := range map[string]int{"": 1, "derive: {teacher_seed: seed}\n": 0} {
		s, err := Parse("sweep.yaml", []byte(file+derived), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Warnings()) != warnings {
			t.Errorf("%q: %v, want %d", derived, s.Warnings(), warnings)
		}
	}
}

// Under rademacher inputs z_i² is 1: a teacher along a coordinate gives every input the same label.
func TestConstantLabelsGiveAWarning(t *testing.T) {
	for more, want := range map[string]bool{
		"inputs: rademacher": true, "inputs: uniform": false, "inputs: rademacher, rotate: householder": false,
		"inputs: rademacher, teacher: uniform": false, "inputs: rademacher, covariance: ar1, rho: 0.5": false,
	} {
		covariance := ", covariance: isotropic"
		if strings.Contains(more, "ar1") {
			covariance = ""
		}
		file := "name: labels\nfixed: {model: online, batch_size: 3, optimizer: gd, dimension: 20, steps: 5, " +
			"init_scale: 0.1, learning_rate: 0.1, " + more + covariance + "}\n"
		s, err := Parse("sweep.yaml", []byte(file), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Warnings()) == 1 && strings.Contains(s.Warnings()[0], "same label at 1 of 1"); got != want {
			t.Errorf("%s: %v", more, s.Warnings())
		}
	}
}

func TestInputsThatAreNotGaussianAreDense(t *testing.T) {
	pairs := func(law string) []any {
		return spiked("model", "online", "batch_size", 2, "init", "gaussian", "width", 3, "inputs", law)
	}
	if a := resolved(t, pairs("gaussian")...); a[Representation].Text() != "subspace" {
		t.Errorf("gaussian: %v", a[Representation])
	}
	for _, law := range []string{"rademacher", "uniform", "laplace"} {
		if a := resolved(t, pairs(law)...); a[Representation].Text() != "dense" {
			t.Errorf("%s: %v", law, a[Representation])
		}
		broken := builtin.resolve(assign(t, append(pairs(law), "representation", "subspace")...))
		if len(broken) != 1 || !strings.Contains(broken[0].text, "not invariant under rotations") {
			t.Errorf("%s: %v", law, broken)
		}
	}
}
