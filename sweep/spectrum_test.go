package sweep

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestSpectrumOfEveryFamily(t *testing.T) {
	for _, c := range []struct {
		pairs []any
		want  []Run
	}{
		{[]any{"covariance", "isotropic", "scale", 2.0}, []Run{{2, 100}}},
		{[]any{"covariance", "spiked", "anisotropy", 10.0}, []Run{{1, 1}, {11, 1}, {1, 98}}},
		{[]any{"covariance", "spiked", "anisotropy", 10.0, "dimension", 2}, []Run{{1, 1}, {11, 1}}},
		{[]any{"covariance", "spiked", "anisotropy", 1.0, "dimension", 1000000}, []Run{{1, 1}, {2, 1}, {1, 999998}}},
		{[]any{"covariance", "spiked", "anisotropy", 3.0, "normalize", "max_1"}, []Run{{0.25, 1}, {1, 1}, {0.25, 98}}},
		{[]any{"covariance", "multi_spike", "spikes", []float64{3, 1}}, []Run{{1, 1}, {4, 1}, {2, 1}, {1, 97}}},
		{[]any{"covariance", "block", "blocks", []float64{4, 25, 1, 75}, "normalize", "trace_d"},
			[]Run{{4 / 1.75, 25}, {1 / 1.75, 75}}},
		{[]any{"covariance", "power_law", "exponent", 2.0, "dimension", 3}, []Run{{1, 1}, {0.25, 1}, {1. / 9, 1}}},
		{[]any{"covariance", "power_law", "exponent", 1.0, "dimension", 3, "normalize", "trace_1"},
			[]Run{{6. / 11, 1}, {3. / 11, 1}, {2. / 11, 1}}},
		{[]any{"covariance", "custom", "eigenvalues", []float64{5, 1}, "dimension", 2, "normalize", "max_1"},
			[]Run{{1, 1}, {0.2, 1}}},
		{[]any{"covariance", "ar1", "rho", 0.5, "teacher", "uniform"}, nil},
	} {
		a := resolved(t, spiked(c.pairs...)...)
		got := Spectrum(a)
		if len(got) != len(c.want) {
			t.Errorf("%v: %v, want %v", c.pairs, got, c.want)
			continue
		}
		i := int64(0)
		for k, r := range got {
			if r.Count != c.want[k].Count || math.Abs(r.Value-c.want[k].Value) > 4e-16*c.want[k].Value {
				t.Errorf("%v: run %d is %v, want %v", c.pairs, k, r, c.want[k])
			}
			if q := eigenvalue(a, i); math.Abs(q-r.Value) > 4e-16*q {
				t.Errorf("%v: eigenvalue %d is %v, in the spectrum %v", c.pairs, i, q, r.Value)
			}
			i += r.Count
		}
	}
}

// The sum of all terms one by one, with the roundings of the additions added up beside it (Kahan):
// the roundings of 3,000 terms just below 1 are all of one sign.
func TestPowerSumMatchesNaiveSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(1, 3000).Draw(t, "d")
		p := rapid.OneOf(
			rapid.Float64Range(0, 4),
			rapid.Float64Range(0, 20),
			rapid.SampledFrom([]float64{0, 1, 1 + 1e-12, 1 - 1e-9, 2}),
		).Draw(
			t,
			"p",
		)
		want, lost := 0.0, 0.0
		for i := d; i >= 1; i-- {
			term := math.Pow(float64(i), -p) - lost
			sum := want + term
			want, lost = sum, (sum-want)-term
		}
		if got := powerSum(d, p); math.Abs(got-want) > 2e-14*want {
			t.Fatalf("sum of i^-%v to %d: %v, want %v (%.1e)", p, d, got, want, got/want-1)
		}
	})
}

func TestNormalizedTraces(t *testing.T) {
	for _, c := range []struct {
		normalize string
		want      func(sum, top float64) float64
	}{
		{"trace_d", func(sum, _ float64) float64 { return sum / 500 }},
		{"trace_1", func(sum, _ float64) float64 { return sum }},
		{"max_1", func(_, top float64) float64 { return top }},
	} {
		a := resolved(
			t,
			spiked("covariance", "power_law", "exponent", 1.3, "dimension", 500, "normalize", c.normalize)...)
		sum, top := 0.0, 0.0
		for _, r := range Spectrum(a) {
			sum += r.Value * float64(r.Count)
			top = max(top, r.Value)
		}
		if got := c.want(sum, top); math.Abs(got-1) > 1e-13 {
			t.Errorf("%s: %v, want 1", c.normalize, got)
		}
	}
}
