package sweep

import (
	"fmt"
	"math"
	"strings"
	"testing"

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

// covarianceExamples are parameters of each family at dimension 12.
var covarianceExamples = map[string][]any{
	"isotropic":   {"scale", 1.0},
	"spiked":      {"anisotropy", 10.0},
	"multi_spike": {"spikes", []float64{3, 2}},
	"power_law":   {"exponent", 1.0},
	"block":       {"blocks", []float64{4, 3, 1, 8, 9, 1}},
	"custom":      {"eigenvalues", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
	"ar1":         {"rho", 0.5, "teacher", "uniform"},
}

func TestTableOfCovariances(t *testing.T) {
	var got strings.Builder
	for _, f := range Covariances() {
		parameters := make([]string, len(f.Parameters))
		for i, own := range f.Parameters {
			parameters[i] = own.ID.String() + " " + own.Default.plain()
		}
		a := resolved(t, spiked(append([]any{"covariance", f.Name, "dimension", 12},
			covarianceExamples[f.Name]...)...)...)
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
		if f.Formula == "" || f.Diagonal == (f.spectrum == nil) || f.Diagonal == (f.curvature != nil) {
			t.Errorf("%s: formula %q, diagonal %v", f.Name, f.Formula, f.Diagonal)
		}
		checkAgainstSpectrum(t, a)
	}
	if want := strings.TrimPrefix(covarianceFacts, "\n"); got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
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
	name := a[Covariance].Text()
	counts := map[float64]int64{}
	sum, top, widest, i := 0.0, 0.0, int64(0), int64(0)
	for _, r := range Spectrum(a) {
		if q := eigenvalue(a, i); q != r.Value {
			t.Errorf("%s: eigenvalue %d is %v, in the spectrum %v", name, i, q, r.Value)
		}
		i += r.Count
		sum += r.Value * float64(r.Count)
		top = max(top, r.Value)
		counts[r.Value] += r.Count
		widest = max(widest, counts[r.Value])
	}
	if i == 0 {
		return // not diagonal
	}
	if i != 12 || math.Abs(sum-trace(a)) > 1e-14*sum || top != largest(a) {
		t.Errorf("%s: %d eigenvalues, trace %v, largest %v; closed forms %v, %v", name, i, sum, top, trace(a),
			largest(a))
	}
	if n := int64(len(counts)); groups(a) < n || groups(a) > n+1 {
		t.Errorf("%s: %d distinct eigenvalues, groups %d", name, n, groups(a))
	}
	if familyOf(a).special != nil && special(a) < 12-widest {
		t.Errorf("%s: %d directions outside the block, special %d", name, 12-widest, special(a))
	}
}
