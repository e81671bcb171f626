package sweep

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCostIsFlatInTheDimensionWhereTheRunIs(t *testing.T) {
	for _, pairs := range [][]any{{}, {"optimizer", "muon"}, {"teacher", "uniform", "steps", 100_000_000}} {
		small := Cost(resolved(t, spiked(pairs...)...), 0)
		large := Cost(resolved(t, spiked(append(pairs, "dimension", 1000000)...)...), 0)
		if float64(large) > 1.1*float64(small) {
			t.Errorf("%v: %d at dimension 100, %d at 10^6", pairs, small, large)
		}
	}
}

// The leading term of a dense step is 4dm² for the gradient and, for the polar factor, 14dm² + 8m³.
func TestDenseCostHasItsLeadingTerm(t *testing.T) {
	d, steps := 1000.0, 500.0
	for _, c := range []struct {
		optimizer string
		cubes     float64
	}{{"gd", 4}, {"specgd", 26}, {"muon", 34}, {"power", 48}, {"shampoo", 30}} {
		pairs := spiked(
			"optimizer",
			c.optimizer,
			"representation",
			"dense",
			"dimension",
			int(d),
			"steps",
			int(steps),
			"power",
			0.5,
		)
		got := float64(Cost(resolved(t, pairs...), 0))
		if want := c.cubes * d * d * d * steps; got < want || got > 1.1*want {
			t.Errorf("%s: %.3g, want about %.3g", c.optimizer, got, want)
		}
	}
}

func TestFiniteSampleMemoryHoldsItsSamples(t *testing.T) {
	a := resolved(t, spiked("model", "finite_sample", "samples", 1_000_000, "init", "gaussian", "width", 1)...)
	if got := PointBytes(a, Record{}); got < 8*1_000_000*100 {
		t.Errorf("%d bytes", got)
	}
	huge := resolved(t, spiked("dimension", 1_000_000, "representation", "dense")...)
	if got := PointBytes(huge, Record{}); got < 8e12 {
		t.Errorf("a million by a million takes %d bytes", got)
	}
	long := resolved(t, spiked("steps", 1_000_000_000)...)
	if got := PointBytes(long, Record{Every: 1}); got < 1e11 {
		t.Errorf("a billion rows take %d bytes", got)
	}
}

// anyPoint draws a resolved assignment from all families, models and optimizers.
func anyPoint(t *rapid.T) (Assignment, bool) {
	a := make(Assignment, NumParameters)
	for _, id := range []ParameterID{Model, Representation, Optimizer, Covariance, Rotate, Teacher, Init,
		Orthogonalizer} {
		a[id] = textValue(rapid.SampledFrom(builtin[id].Words).Draw(t, id.String()))
	}
	d := rapid.Int64Range(2, maxCount).Draw(t, "dimension")
	if rapid.Bool().Draw(t, "small") {
		d = d%50 + 2
	}
	a[Dimension], a[Steps] = intValue(d), intValue(rapid.Int64Range(1, maxCount).Draw(t, "steps"))
	if rapid.Bool().Draw(t, "narrow") {
		a[Width] = intValue(rapid.Int64Range(1, d).Draw(t, "width"))
	}
	n := rapid.Int64Range(1, maxCount).Draw(t, "samples")
	a[Samples], a[BatchSize] = intValue(n), intValue(n)
	a[Anisotropy], a[Spikes], a[Exponent] = floatValue(3), listValue([]float64{4}), floatValue(1)
	a[Blocks], a[Eigenvalues] = pairsValue([]float64{2, 1, 1, float64(d - 1)}), listValue([]float64{1, 2})
	a[Rho], a[TeacherWeights] = floatValue(0.5), pairsValue([]float64{0, 1, 1, 1})
	a[InitScale], a[LearningRate], a[Power] = floatValue(0.01), floatValue(0.01), floatValue(0.5)
	return a, builtin.resolve(a) == nil
}

func TestCostAndMemoryAreBoundedForEveryPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, _ := anyPoint(t)
		for _, r := range []Record{{}, {Every: 1, Coefficients: true}} {
			records := r.Count(a[Steps].Int())
			if cost := Cost(a, records); cost < 1 || cost > 1<<53 {
				t.Fatalf("cost %d", cost)
			}
			if bytes := PointBytes(a, r); bytes < 512 {
				t.Fatalf("%d bytes", bytes)
			}
		}
	})
}

// A change of any parameter that is not cost-relevant leaves cost, memory and representation as
// they are.
func TestOnlyCostRelevantParametersDecideTheCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, good := anyPoint(t)
		if !good {
			t.Skip("no point")
		}
		b := slices.Clone(a)
		for i := range b {
			id, p := ParameterID(i), builtin[i]
			if costRelevant(id) || b[i].IsNull() {
				continue
			}
			switch {
			case id == TeacherIndex:
				b[i] = intValue(1)
			case id == Seed:
				b[i] = intValue(12345)
			case p.Kind == KindFloat:
				b[i] = floatValue(0.75)
			case p.Kind == KindBool:
				b[i] = boolValue(!b[i].Bool())
			case id == TeacherWeights:
				b[i] = pairsValue([]float64{1, 3})
			case id == Schedule:
				b[i] = textValue("invsqrt")
			}
		}
		b[Representation] = textValue("auto")
		a[Representation] = textValue("auto")
		if broken := builtin.resolve(a); broken != nil {
			t.Fatal(broken)
		}
		if broken := builtin.resolve(b); broken != nil {
			t.Fatal(broken)
		}
		record := Record{Log: 30, Coefficients: true}
		if a[Representation].Text() != b[Representation].Text() || Cost(a, 30) != Cost(b, 30) ||
			PointBytes(a, record) != PointBytes(b, record) {
			t.Fatalf("%v costs %d, %v costs %d", a, Cost(a, 30), b, Cost(b, 30))
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	for _, c := range []struct {
		name  string
		pairs []any
	}{
		{"spiked", spiked("learning_rate", "auto")},
		{"power_law", spiked("covariance", "power_law", "exponent", 1.0, "normalize", "trace_d", "teacher_index", 5,
			"learning_rate", "auto", "dimension", 1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			start := assign(b, c.pairs...)
			b.ReportAllocs()
			begin := time.Now()
			for b.Loop() {
				a := start
				if builtin.resolve(a) != nil {
					b.Fatal("no point")
				}
			}
			b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "points/s")
		})
	}
}
