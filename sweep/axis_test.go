package sweep_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
	"pgregory.net/rapid"
)

const axisHead = "name: x\nrecord: none\n" +
	"fixed: {covariance: spiked, dimension: 8, steps: 3, init_scale: 0.1"

// axisValues are the values of one parameter over the points of a file.
func axisValues(t testing.TB, spec *sweep.Spec, id sweep.ParameterID) []float64 {
	t.Helper()
	var values []float64
	for p := range spec.Points(0, spec.Size()) {
		values = append(values, p.Params[id].Float())
	}
	return values
}

func TestConditionsFindTheWrittenNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		rest string
		want int
	}{
		"range": {
			", anisotropy: 1, optimizer: momentum}\ngrid:\n" +
				"  learning_rate: {range: {from: 0.1, to: 0.5, step: 0.1}}\n" +
				"  momentum: {range: {from: 0, to: 0.9, step: 0.3}}\n" +
				"where: learning_rate != 0.3 and momentum != 0.9\n", 12,
		},
		"logspace": {
			", anisotropy: 1, optimizer: gd}\ngrid: {learning_rate: {logspace: {from: 1e-5, to: 1, num: 6}}}\n" +
				"where: learning_rate in [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]\n", 6,
		},
		"linspace": {
			", anisotropy: 1, optimizer: gd}\ngrid: {learning_rate: {linspace: {from: 0.001, to: 0.01, num: 10}}}\n" +
				"where: learning_rate <= 0.01\n", 10,
		},
	} {
		spec := parse(t, axisHead+c.rest)
		if got := len(axisValues(t, spec, sweep.LearningRate)); got != c.want {
			t.Errorf("%s: where leaves %d points, want %d", name, got, c.want)
		}
	}
}

func TestExtendedAxesKeepTheirValues(t *testing.T) {
	for _, forms := range [][]string{
		{"[0.1, 0.2, 0.3]", "[0, 0.1, 0.2, 0.3, 0.4]"},
		{
			"{linspace: {from: 0.1, to: 0.7, num: 7}}", "{linspace: {from: 0.1, to: 1.3, num: 13}}",
			"{linspace: {from: -0.2, to: 0.7, num: 10}}", "{range: {from: -0.3, to: 2, step: 0.1}}",
			"[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]",
		},
		{
			"{logspace: {from: 1e-3, to: 0.1, num: 5}}", "{logspace: {from: 1e-3, to: 10, num: 9}}",
			"{logspace: {from: 1e-6, to: 0.1, num: 11}}", "{logspace: {from: 1e-3, to: 0.1, num: 9}}",
			"{logspace: {from: 0.1, to: 1e-3, num: 5}}",
		},
		{
			"{logspace: {from: 0.7, to: 2.8, num: 5}}", "{logspace: {from: 0.7, to: 11.2, num: 9}}",
			"{logspace: {from: 0.175, to: 2.8, num: 9}}",
		},
	} {
		var first []float64
		for i, form := range forms {
			spec := parse(
				t,
				axisHead+", optimizer: gd, learning_rate: 0.1}\ngrid: {anisotropy: "+form+"}\n",
			)
			values := axisValues(t, spec, sweep.Anisotropy)
			if i == 0 {
				first = values
			}
			for _, f := range first {
				if !slices.Contains(values, f) {
					t.Errorf("%s gives %v, without %v of %s", form, values, f, forms[0])
				}
			}
		}
	}
}

// The canonical spec keeps every digit, so that nodes compute the entries that the file gives.
func TestCanonicalAxesKeepEveryDigit(t *testing.T) {
	const tie = "1.00000000000000011102230246251565404236316680908203125" // between 1 and its successor
	for form, want := range map[string][]float64{
		"{linspace: {from: " + tie + ", to: 2, num: 2}}":           {1, 2},
		"{linspace: {from: " + tie + "1, to: 2, num: 2}}":          {math.Nextafter(1, 2), 2},
		"{logspace: {from: 10000e-4, to: " + tie + "1, num: 2}}":   {1, math.Nextafter(1, 2)},
		"{range: {from: 0, to: 1, step: 0.333333333333333333333}}": {0, 1. / 3, 2. / 3, 1},
		"{range: {from: 0, to: 1, step: 0.333333333333333333334}}": {0, 1. / 3, 2. / 3},
	} {
		spec := parse(t, axisHead+", optimizer: gd, learning_rate: 0.1}\ngrid: {anisotropy: "+form+"}\n")
		again, err := sweep.Decode(spec.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		got := axisValues(t, spec, sweep.Anisotropy)
		if !slices.Equal(got, want) || !slices.Equal(got, axisValues(t, again, sweep.Anisotropy)) ||
			string(again.Canonical()) != string(spec.Canonical()) {
			t.Errorf("%s gives %v and is kept as %s, want %v", form, got, spec.Canonical(), want)
		}
	}
	short := parse(t, axisHead+", anisotropy: 1, optimizer: gd}\n"+
		"grid: {learning_rate: {logspace: {from: 0.100e-4, to: 10e-1, num: 6}}}\n")
	if want := `{"logspace":{"from":0.00001,"num":6,"to":1}}`; !strings.Contains(string(short.Canonical()), want) {
		t.Errorf("the canonical spec is %s, without %s", short.Canonical(), want)
	}
}

func TestIntegerAxesAreExact(t *testing.T) {
	const rest = ", anisotropy: 1, optimizer: gd, learning_rate: 0.1, init: gaussian}\ngrid: {%s: %s}\n"
	spec := parse(t, axisHead+fmt.Sprintf(rest, "seed",
		"{range: {from: 9223372036854775805, to: 9223372036854775807, step: 1}}"))
	for i, want := range []int64{math.MaxInt64 - 2, math.MaxInt64 - 1, math.MaxInt64} {
		if p, ok := spec.Point(int64(i)); !ok || p.Params[sweep.Seed].Int() != want {
			t.Errorf("seed %d is %v, want %d", i, p.Params[sweep.Seed], want)
		}
	}
	const bounds = ", want an integer in 0..9223372036854775807"
	const fraction = ", want an integer; list the values"
	for _, c := range []struct{ form, want string }{
		{
			"{range: {from: 9223372036854775806, to: 9223372036854775808, step: 1}}",
			"seed: got 9223372036854775808" + bounds,
		},
		{"{linspace: {from: 0, to: 1e300, num: 2}}", "seed: got 1e+300" + bounds},
		{"{linspace: {from: 1.5, to: 3.5, num: 3}}", "seed: entry 1 is 1.5" + fraction},
		{"{range: {from: 1, to: 9, step: 1.00000000000000000001}}", "seed: entry 2 is almost 2" + fraction},
		{"{logspace: {from: 1, to: 1000000000000000001, num: 7}}", "seed: entry 2 is almost 1000" + fraction},
		{
			"{linspace: {from: 1" + strings.Repeat("7", 100) + "e-90, to: 2, num: 2}}",
			"from: got 1777777777" +
				strings.Repeat("7", 47) + "..., want at most 100 significant digits",
		},
		{
			"{linspace: {from: 1, to: 2e-400, num: 2}}",
			"to: got 2e-400, want 0, or a magnitude from 5e-324 to 1.8e308",
		},
	} {
		_, err := sweep.Parse("sweep.yaml", []byte(axisHead+fmt.Sprintf(rest, "seed", c.form)), sweep.Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.form, err, c.want)
		}
	}
}

// A spec of plan version 1 has the points that it had, entries of floating-point arithmetic and
// all, under the id that it had.
func TestSpecsOfPlanVersion1AreReadAsTheyWere(t *testing.T) {
	const first = `{"fixed":{"anisotropy":1,"covariance":"spiked","dimension":8,"init_scale":0.1,` +
		`"learning_rate":0.1,"optimizer":"momentum","steps":3},"grid":{"momentum":` +
		`{"range":{"from":0,"step":0.3,"to":0.9}},"teacher_norm2":{"linspace":{"from":0.001,"num":10,"to":0.01}},` +
		`"weight_decay":{"logspace":{"from":0.00001,"num":6,"to":1}}},"where":"momentum <= 0.9"}`
	old, err := sweep.Decode([]byte(first))
	if err != nil {
		t.Fatal(err)
	}
	if string(old.Canonical()) != first {
		t.Errorf("the canonical spec is %s", old.Canonical())
	}
	if got, want := old.ID(sweep.BuiltinSolver(3)), "d8f7a0ebdcc33dd1953f85965f2b51bd"; got != want {
		t.Errorf("the id is %s, want %s", got, want)
	}
	file := strings.Replace(first, "{", `{"name":"x","record":"none",`, 1)
	again := parse(t, file)
	if old.ID(sweep.BuiltinSolver(3)) == again.ID(sweep.BuiltinSolver(3)) {
		t.Error("the same file has the id of plan version 1")
	}
	if back, err := sweep.Decode(again.Canonical()); err != nil ||
		back.ID(sweep.BuiltinSolver(3)) != again.ID(sweep.BuiltinSolver(3)) {
		t.Errorf("Decode: %v", err)
	}
	distinct := func(spec *sweep.Spec, id sweep.ParameterID) []float64 {
		values := axisValues(t, spec, id)
		slices.Sort(values)
		return slices.Compact(values)
	}
	third, low := 0.3, 1e-5 // variables: constants would be exact
	for _, c := range []struct {
		id       sweep.ParameterID
		at       int
		old, new float64
	}{
		{sweep.Momentum, 2, 2 * third, 0.6},
		{sweep.Momentum, 3, 3 * third, 0.9},
		{sweep.TeacherNorm2, 9, 0.010000000000000002, 0.01},
		{sweep.WeightDecay, 2, low * math.Pow(1/low, 2./5), 0.001},
	} {
		if got := distinct(old, c.id)[c.at]; got != c.old {
			t.Errorf("entry %d of %v under plan version 1: %v, want %v", c.at, c.id, got, c.old)
		}
		if got := distinct(again, c.id)[c.at]; got != c.new {
			t.Errorf("entry %d of %v: %v, want %v", c.at, c.id, got, c.new)
		}
	}
	if _, err := sweep.NewPlan(t.Context(), old, 1); !errors.Is(err, sweep.ErrPlanVersion) {
		t.Errorf("NewPlan = %v", err)
	}
	if _, err := sweep.NewPlan(t.Context(), old, sweep.PlanVersion); !errors.Is(err, sweep.ErrPlanVersion) {
		t.Errorf("NewPlan by the present version = %v", err)
	}
	for _, version := range []string{"1", "3", "2.5", "two"} {
		text := strings.Replace(file, "{", `{"plan_version":`+version+",", 1)
		if _, err := sweep.Parse("sweep.yaml", []byte(text), sweep.Limits{}); err == nil ||
			!strings.Contains(err.Error(), "plan_version: got "+version+", want 2; ") {
			t.Errorf("plan_version %s: %v", version, err)
		}
	}
	if _, err := sweep.Decode([]byte(`{"plan_version":3,` + first[1:])); err == nil {
		t.Error("Decode reads a spec of plan version 3")
	}
}

// TestGrownAxesReuseTheirPoints: an axis that grows at either end, or gets finer by a whole number,
// has every point of the old one, in any form.
func TestGrownAxesReuseTheirPoints(t *testing.T) {
	ids := func(r *rapid.T, form string) map[[16]byte]bool {
		spec := parse(t, axisHead+", optimizer: gd, learning_rate: 0.1}\ngrid: {anisotropy: "+form+"}\n")
		set := map[[16]byte]bool{}
		for p := range spec.Points(0, spec.Size()) {
			set[sweep.PointID(p.Params, sweep.BuiltinSolver(1))] = true
		}
		if len(set) != int(spec.Size()) {
			r.Fatalf("%s has equal points", form)
		}
		return set
	}
	rapid.Check(t, func(r *rapid.T) {
		num := rapid.IntRange(2, 12).Draw(r, "num")
		below, above := rapid.IntRange(0, 6).Draw(r, "below"), rapid.IntRange(0, 6).Draw(r, "above")
		finer := rapid.IntRange(1, 4).Draw(r, "finer")
		var old, grown string
		if rapid.Bool().Draw(r, "logarithmic") {
			// from·10^(i/per), with whole numbers of steps a decade
			per := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 8, 10}).Draw(r, "per")
			decade := rapid.IntRange(-4, 2).Draw(r, "decade")
			decades := 1 + num/4
			old = fmt.Sprintf("{logspace: {from: 1e%d, to: 1e%d, num: %d}}", decade, decade+decades, decades*per+1)
			below, above = below/3, above/3
			grown = fmt.Sprintf("{logspace: {from: 1e%d, to: 1e%d, num: %d}}",
				decade-below, decade+decades+above, (decades+below+above)*per*finer+1)
		} else {
			// from + i·step, both with a few decimals
			scale := rapid.SampledFrom([]int64{1, 10, 100, 1000}).Draw(r, "scale")
			step := rapid.Int64Range(1, 3000).Draw(r, "step") * int64(finer)
			from := rapid.Int64Range(0, 5000).Draw(r, "from") + int64(below)*step
			decimal := func(n int64) string { return big.NewRat(n, scale).FloatString(3) }
			to := from + int64(num-1)*step
			low, high := from-int64(below)*step, to+int64(above)*step
			line := func(a, b int64, n int) string {
				return fmt.Sprintf("{linspace: {from: %s, to: %s, num: %d}}", decimal(a), decimal(b), n)
			}
			steps := func(a, b, by int64) string {
				return fmt.Sprintf("{range: {from: %s, to: %s, step: %s}}", decimal(a), decimal(b), decimal(by))
			}
			var list []string
			for x := from; x <= to; x += step {
				list = append(list, decimal(x))
			}
			old = rapid.SampledFrom([]string{
				line(from, to, num), steps(from, to, step), "[" + strings.Join(list, ", ") + "]",
			}).Draw(r, "old")
			grown = rapid.SampledFrom([]string{
				line(low, high, (num-1+below+above)*finer+1), steps(low, high, step/int64(finer)),
			}).Draw(r, "grown")
		}
		has := ids(r, grown)
		for id := range ids(r, old) {
			if !has[id] {
				r.Fatalf("%s lacks a point of %s", grown, old)
			}
		}
	})
}
