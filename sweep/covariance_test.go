package sweep

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// covarianceFacts is what planning and documentation take from each row, written out by hand for
// the points of covarianceExamples: parameters, bounds on the coefficients of a reduced run and on
// the directions outside the isotropic block, trace and rules between parameters that fail at d =
// 1.
const covarianceFacts = `
isotropic(scale 1) diagonal, groups 2, special 0, trace 12
spiked(anisotropy null) diagonal, groups 3, special 1, trace 22, check
multi_spike(spikes null) diagonal, groups 4, special 2, trace 17, check
power_law(exponent null) diagonal, groups 12, no block, trace 3.103210678210678, check
block(blocks null) diagonal, groups 4, special 4, trace 29, check
custom(eigenvalues null) diagonal, groups 12, no block, trace 78, check
ar1(rho null) groups 12, no block, trace 12, check
`

// covarianceCases are parameters of each family at dimension d, which give it as many different
// eigenvalues as its `distinct` bounds.
var covarianceCases = map[string]struct {
	smallest   int // dimension
	parameters func(d int) []any
}{
	"isotropic": {1, func(int) []any { return []any{"scale", 1.0} }},
	"spiked":    {2, func(int) []any { return []any{"anisotropy", 10.0} }},
	"multi_spike": {2, func(d int) []any {
		return []any{"spikes", []float64{3, 2}[:min(2, max(1, d-1))]}
	}},
	"power_law": {1, func(int) []any { return []any{"exponent", 1.0} }},
	"block": {1, func(d int) []any {
		if d < 5 {
			return []any{"blocks", []float64{4, float64(d)}}
		}
		return []any{"blocks", []float64{4, 3, 1, float64(d - 4), 9, 1}}
	}},
	"custom": {1, func(d int) []any {
		q := make([]float64, d)
		for i := range q {
			q[i] = float64(i + 1)
		}
		return []any{"eigenvalues", q}
	}},
	"ar1": {1, func(int) []any { return []any{"rho", 0.5, "teacher", "uniform"} }},
}

// pairsOf are the parameters of the family's case at dimension d.
func pairsOf(t *testing.T, f *CovarianceFamily, d int) []any {
	t.Helper()
	c, ok := covarianceCases[f.Name]
	if !ok {
		t.Fatalf("covariance %s has no case in covarianceCases", f.Name)
	}
	return spiked(append([]any{"covariance", f.Name, "dimension", d}, c.parameters(d)...)...)
}

func TestTableOfCovariances(t *testing.T) {
	var got strings.Builder
	for _, f := range Covariances() {
		parameters := make([]string, len(f.Parameters))
		for i, own := range f.Parameters {
			parameters[i] = own.ID.String() + " " + own.Default.plain()
		}
		a := resolved(t, pairsOf(t, &f, 12)...)
		fmt.Fprintf(&got, "%s(%s) ", f.Name, strings.Join(parameters, ", "))
		if f.Diagonal {
			got.WriteString("diagonal, ")
		}
		fmt.Fprintf(&got, "groups %d, ", groups(a))
		if f.special == nil {
			got.WriteString("no block, ")
		} else {
			fmt.Fprintf(&got, "special %d, ", special(a))
		}
		fmt.Fprintf(&got, "trace %s", exact.FormatFloat(trace(a)))
		if f.check != nil {
			got.WriteString(", check")
		}
		got.WriteByte('\n')
		if f.Formula == "" {
			t.Errorf("%s has no formula", f.Name)
		}
	}
	if want := strings.TrimPrefix(covarianceFacts, "\n"); got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}

// What planning takes from a row agrees with a pass over its spectrum, or with its matrix, at every
// dimension.
func TestCovariancesAgreeWithTheirSpectra(t *testing.T) {
	for _, f := range Covariances() {
		for _, d := range []int{1, 2, 3, 12, 64, 65} {
			pairs := pairsOf(t, &f, d)
			if d < covarianceCases[f.Name].smallest {
				if builtin.resolve(assign(t, pairs...)) == nil {
					t.Errorf("%s: dimension %d breaks no rule", f.Name, d)
				}
				continue
			}
			a := resolved(t, pairs...)
			if f.Diagonal {
				checkAgainstSpectrum(t, a)
			} else {
				checkAgainstMatrix(t, a)
			}
		}
	}
}

// A row that cannot be planned is found before a sweep uses it.
func TestCheckCovariances(t *testing.T) {
	if err := CheckCovariances(); err != nil {
		t.Error(err)
	}
	good := covarianceTable[0]
	for name, spoil := range map[string]func(f *CovarianceFamily){
		"no name":                func(f *CovarianceFamily) { f.Name = "" },
		"no spectrum":            func(f *CovarianceFamily) { f.spectrum = nil },
		"spectrum, not diagonal": func(f *CovarianceFamily) { f.Diagonal = false },
		"no functions":           func(f *CovarianceFamily) { f.Diagonal, f.spectrum = false, nil },
		"two curvatures":         func(f *CovarianceFamily) { f.curvature = ar1Curvature },
	} {
		bad := good
		spoil(&bad)
		if bad.complete() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The traces of spiked families are rounded as d + lambda, on which the bits of normalised runs
// depend, and a power law of a million eigenvalues costs no pass over them.
func TestTracesInClosedForm(t *testing.T) {
	different := 0
	for i := range 100 {
		lambda := 1 / float64(3+i)
		a := resolved(t, spiked("anisotropy", lambda)...)
		b := resolved(t, spiked("covariance", "multi_spike", "spikes", []float64{lambda, 2 * lambda})...)
		sum := 0.0
		for r := range familyOf(a).spectrum(a) {
			sum += r.Value * float64(r.Count)
		}
		if sum != trace(a) {
			different++
		}
		if trace(a) != 100+lambda || trace(b) != 100+lambda+2*lambda {
			t.Errorf("lambda %v: traces %v, %v", lambda, trace(a), trace(b))
		}
	}
	if different == 0 {
		t.Error("a pass over the spectrum gives the same bits: the test shows nothing")
	}
	f := familyOf(resolved(t, spiked("covariance", "power_law", "exponent", 1.0)...))
	if f.trace == nil || f.largest == nil || f.eigenvalue == nil {
		t.Error("power_law has no closed forms")
	}
}

// checkAgainstSpectrum compares what a row gives in closed form with a pass over its spectrum.
func checkAgainstSpectrum(t *testing.T, a Assignment) {
	t.Helper()
	f, d := familyOf(a), a[Dimension].Int()
	name := fmt.Sprintf("%s at dimension %d", f.Name, d)
	counts := map[float64]int64{}
	sum, top, widest, i := 0.0, 0.0, int64(0), int64(0)
	for _, r := range Spectrum(a) {
		for _, k := range []int64{i, i + r.Count - 1} {
			if q := eigenvalue(a, k); q != r.Value {
				t.Errorf("%s: eigenvalue %d is %v, in the spectrum %v", name, k, q, r.Value)
			}
		}
		i += r.Count
		sum += r.Value * float64(r.Count)
		top = max(top, r.Value)
		counts[r.Value] += r.Count
		widest = max(widest, counts[r.Value])
	}
	if i != d || !(math.Abs(sum-trace(a)) <= 1e-14*sum) || top != largest(a) {
		t.Errorf("%s: %d eigenvalues, trace %v, largest %v; closed forms %v, %v", name, i, sum, top, trace(a),
			largest(a))
	}
	if n := int64(len(counts)); groups(a) < n || groups(a) > n+1 || f.distinct != nil && f.distinct(a) != n {
		t.Errorf("%s: %d distinct eigenvalues, groups %d", name, n, groups(a))
	}
	if f.special != nil && special(a) != d-widest {
		t.Errorf("%s: %d directions outside the block, special %d", name, d-widest, special(a))
	}
}

// checkAgainstMatrix compares what a row that is not diagonal gives with its matrix.
func checkAgainstMatrix(t *testing.T, a Assignment) {
	t.Helper()
	q := covarianceMatrix(a)
	var eigen mat.EigenSym
	if !eigen.Factorize(q, false) {
		t.Fatal("no eigenvalues")
	}
	d := int(a[Dimension].Int())
	want := mat.Trace(q)
	stable := want / eigen.Values(nil)[d-1]
	if !(math.Abs(trace(a)-want) <= 1e-14*want) || !(math.Abs(InputStableRank(a)-stable) <= 1e-13*stable) {
		t.Errorf("%s at dimension %d: trace %v, stable rank %v; want %v, %v", a[Covariance].Text(), d, trace(a),
			InputStableRank(a), want, stable)
	}
	if got, want := stepLimit(a), naiveStepLimit(a); !(math.Abs(got-want) <= 1e-13*want) {
		t.Errorf("%s at dimension %d: step limit %v, want %v", a[Covariance].Text(), d, got, want)
	}
}
