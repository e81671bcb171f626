package sweep_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/phasegrid/phasegrid/sweep"
)

// sampleOf is a spec that samples one parameter or variable.
func sampleOf(method string, num int, name, axis string) string {
	axes, optimizer := name+": "+axis, ""
	if name != "v" {
		axes += ", v: [1]"
	}
	if name != "optimizer" {
		optimizer = ", optimizer: gd"
	}
	return fmt.Sprintf("name: x\nvariables: {v: a number or a word}\n"+
		"fixed: {covariance: spiked, anisotropy: 3, dimension: 100, steps: 10, init_scale: 0.1, "+
		"learning_rate: 0.01%s}\n"+
		"sample: {method: %s, num: %d, seed: 3, axes: {%s}}\n", optimizer, method, num, axes)
}

func methods() []string { return []string{"sobol", "random", "lhs"} }

// A lattice is drawn at the decimals that a person writes, each value equally often: from + i·step,
// evaluated exactly, up to the last one that is not beyond to.
func TestSampledStepsAreTheDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, 12).Draw(t, "digits")
		from := rapid.Int64Range(-1000, 1000).Draw(t, "from")
		step := rapid.Int64Range(1, 1000).Draw(t, "step")
		count := rapid.Int64Range(1, 30).Draw(t, "count")
		rest := rapid.Int64Range(0, step-1).Draw(t, "rest") // to is so far beyond the last value
		method := rapid.SampledFrom(methods()).Draw(t, "method")
		text := func(n int64) string {
			return new(
				big.Rat,
			).SetFrac(big.NewInt(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)).
				FloatString(digits)
		}
		num := 8*count + rapid.Int64Range(0, count-1).Draw(t, "more")
		axis := fmt.Sprintf("{from: %s, to: %s, step: %s}", text(from), text(from+(count-1)*step+rest), text(step))
		spec, err := sweep.Parse("x.yaml", []byte(sampleOf(method, int(num), "v", axis)), sweep.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		counts := map[float64]int{}
		for p := range spec.Points(0, spec.Size()) {
			counts[p.Params[sweep.NumParameters].Float()]++
		}
		for i := range count {
			want, err := strconv.ParseFloat(text(from+i*step), 64)
			if err != nil {
				t.Fatal(err)
			}
			n, drawn := counts[want]
			delete(counts, want)
			if method == "lhs" && n != 8 && (n != 9 || num == 8*count) || method == "sobol" && !drawn {
				t.Errorf("%v is drawn %d times of %d, want 8 or 9 with lhs", want, n, num)
			}
		}
		if len(counts) > 0 {
			t.Errorf("other values: %v", counts)
		}
	})
}

func TestSampledStepsOfIntegers(t *testing.T) {
	for _, c := range []struct {
		axis string
		want []string
	}{
		{"{from: 2, to: 12, step: 3}", []string{"11", "2", "5", "8"}},
		{"{from: 2, to: 11, step: 3}", []string{"11", "2", "5", "8"}},
		{"{from: 4, to: 4.5, step: 1}", []string{"4"}},
		{"{from: 1e0, to: 2, step: 1.0}", []string{"1", "2"}},
	} {
		spec := parse(t, sampleOf("lhs", 40, "teacher_index", c.axis))
		var got []string
		for p := range spec.Points(0, spec.Size()) {
			if v := p.Params[sweep.TeacherIndex]; v.Kind() != sweep.KindInt {
				t.Fatalf("%s: %v is no integer", c.axis, v)
			} else {
				got = append(got, v.String())
			}
		}
		slices.Sort(got)
		for _, value := range c.want {
			if n := strings.Count(" "+strings.Join(got, " ")+" ", " "+value+" "); n == 0 {
				t.Errorf("%s: no %s", c.axis, value)
			}
		}
		if got = slices.Compact(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.axis, got, c.want)
		}
	}
	const huge = "{from: 9007199254740993, to: 9007199254740995, step: 1}" // beyond 2^53
	for p := range parse(t, sampleOf("lhs", 9, "seed", huge)).Points(0, 9) {
		if n := p.Params[sweep.Seed]; !n.IsNull() && (n.Int() < 1<<53+1 || n.Int() > 1<<53+3) {
			t.Errorf("seed %v", n)
		}
	}
}

// Weights are proportions, of words, numbers, truth values and default alike.
func TestSampledWeights(t *testing.T) {
	for _, c := range []struct {
		name, axis string
		want       map[string]int // of 100 points
	}{
		{"v", "{choice: [a, b, c], weights: [0.5, 0.3, 0.2]}", map[string]int{`"a"`: 50, `"b"`: 30, `"c"`: 20}},
		{"v", "{choice: [1, 2.5], weights: [1e-3, 3e-3]}", map[string]int{"1": 25, "2.5": 75}},
		{"v", "{choice: [a, b, a], weights: [1, 2, 1]}", map[string]int{`"a"`: 50, `"b"`: 50}},
		{"v", "{choice: [a, b]}", map[string]int{`"a"`: 50, `"b"`: 50}},
		{
			"rotate", "{choice: [none, default, householder], weights: [20, 20, 60]}",
			map[string]int{`"none"`: 40, `"householder"`: 60},
		},
		{"teacher_norm2", "{choice: [1, default, 4], weights: [1, 1, 2]}", map[string]int{"1": 50, "4": 50}},
		{
			"optimizer",
			"{choice: [gd, {name: muon, nesterov: true}, {name: muon, nesterov: false}], weights: [5, 3, 2]}",
			map[string]int{`"gd"`: 50, `"muon"`: 50},
		},
	} {
		for _, method := range methods() {
			spec := parse(t, sampleOf(method, 100, c.name, c.axis))
			got, id := map[string]int{}, slices.IndexFunc(spec.Columns(), func(id sweep.ParameterID) bool {
				return spec.Describe(id).Name == c.name
			})
			for p := range spec.Points(0, spec.Size()) {
				got[p.Params[spec.Columns()[id]].String()]++
			}
			tolerance := map[string]int{"sobol": 8, "random": 25, "lhs": 0}[method]
			if c.axis == "{choice: [a, b]}" { // as the list [a, b]
				tolerance = max(tolerance, 1)
			}
			for value, want := range c.want {
				if n := got[value]; n < want-tolerance || n > want+tolerance || len(got) != len(c.want) {
					t.Errorf("%s %s: %d of %s, want %d; all %v", method, c.axis, n, value, want, got)
				}
			}
		}
	}
	// Truth values, and what an entry carries.
	muon := "{choice: [{name: muon, nesterov: true}, {name: muon, nesterov: false}], weights: [3, 1]}"
	counts := map[bool]int{}
	for p := range parse(t, sampleOf("lhs", 100, "optimizer", muon)).Points(0, 100) {
		counts[p.Params[sweep.Nesterov].Bool()]++
	}
	if counts[true] != 75 {
		t.Errorf("%v", counts)
	}
	truth := sampleOf("lhs", 100, "nesterov", "{choice: [True, false, default], weights: [3, 1, 1]}")
	counts = map[bool]int{}
	for p := range parse(t, strings.Replace(truth, "optimizer: gd", "optimizer: muon", 1)).Points(0, 100) {
		counts[p.Params[sweep.Nesterov].Bool()]++
	}
	if counts[true]+counts[false] != 100 || counts[true] != 60 && counts[true] != 80 {
		t.Errorf("%v", counts)
	}
}

// A Latin hypercube draws each entry as often as its share says, rounded up or down.
func TestLatinHypercubeHoldsWeights(t *testing.T) {
	weights := []float64{1, 2, 1} // of 10 points: their shares end in the middle of cells
	for seed := range 20 {
		counts := make([]float64, len(weights))
		text := sampleOf("lhs", 10, "v", "{choice: [0, 1, 2], weights: [1, 2, 1]}")
		for p := range parse(t, strings.Replace(text, "seed: 3", fmt.Sprint("seed: ", seed), 1)).Points(0, 10) {
			counts[int(p.Params[sweep.NumParameters].Float())]++
		}
		for x, weight := range weights {
			if want := weight * 10 / 4; math.Abs(counts[x]-want) >= 1 {
				t.Errorf("seed %d: %d is drawn %g times of 10, want %g", seed, x, counts[x], want)
			}
		}
	}
}

// A normal axis has the moments that it says, and with bounds nothing beyond them.
func TestSampledNormal(t *testing.T) {
	for _, method := range methods() {
		for _, c := range []struct {
			axis                 string
			mean, sd, least, top float64
		}{
			{"{normal: {mean: -2, sd: 0.5}}", -2, 0.5, -5, 1},
			{"{normal: {mean: 1e3, sd: 20}, from: 1000}", 1000 + 20*0.7978845608, 20 * 0.602810275, 1000, 1120},
			{"{normal: {mean: 0, sd: 1}, to: -1, from: -1e9}", -1.525135, 0.446203, -6, -1},
		} {
			spec := parse(t, sampleOf(method, 4096, "v", c.axis))
			sum, squares := 0.0, 0.0
			for p := range spec.Points(0, spec.Size()) {
				x := p.Params[sweep.NumParameters].Float()
				if x < c.least || x > c.top {
					t.Fatalf("%s %s: %g", method, c.axis, x)
				}
				sum += x
				squares += (x - c.mean) * (x - c.mean)
			}
			mean, sd := sum/4096, math.Sqrt(squares/4096)
			tolerance := map[string]float64{"sobol": 0.003, "lhs": 0.003, "random": 0.07}[method] * c.sd
			if math.Abs(mean-c.mean) > tolerance || math.Abs(sd-c.sd) > tolerance {
				t.Errorf("%s %s: mean %g, sd %g", method, c.axis, mean, sd)
			}
		}
	}
}

// The first Sobol point, 0, is the quantile of 1/3 on a normal axis, and from on others.
func TestFirstSobolPoint(t *testing.T) {
	for axis, want := range map[string]float64{
		"{normal: {mean: 2, sd: 10}}": 2 - 4.307272992954576, "{from: 2, to: 10}": 2, "{from: 2, to: 10, step: 3}": 2,
		"{choice: [2, 3], weights: [1, 1]}": 2,
	} {
		first, _ := parse(t, strings.Replace(sampleOf("sobol", 4, "v", axis), "seed: 3, ", "", 1)).Point(0)
		if got := first.Params[sweep.NumParameters].Float(); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: the first point is %v, want %v", axis, got, want)
		}
	}
}

// More Sobol points are the earlier ones and others, on all kinds of axes.
func TestSobolSamplesGrow(t *testing.T) {
	for _, axis := range []string{
		"{normal: {mean: 0, sd: 1}}", "{normal: {mean: 0, sd: 1}, from: 0}", "{from: 0, to: 1, step: 0.1}",
		"{choice: [1, 2, 3], weights: [1, 2, 4]}", "{from: 0, to: 1}",
	} {
		for _, seed := range []string{"seed: 3, ", ""} {
			short, long := parse(t, strings.Replace(sampleOf("sobol", 64, "v", axis), "seed: 3, ", seed, 1)),
				parse(t, strings.Replace(sampleOf("sobol", 128, "v", axis), "seed: 3, ", seed, 1))
			for i := range short.Size() {
				p, _ := short.Point(i)
				q, _ := long.Point(i)
				if p.Params[sweep.NumParameters].Float() != q.Params[sweep.NumParameters].Float() {
					t.Fatalf(
						"%s: point %d is %v and %v",
						axis,
						i,
						p.Params[sweep.NumParameters],
						q.Params[sweep.NumParameters],
					)
				}
			}
		}
	}
}

// The canonical form does not depend on how numbers and proportions are written.
func TestSampledFormsAreCanonical(t *testing.T) {
	for _, same := range [][]string{
		{"{choice: [a, b]}", "[a, b]"},
		{
			"{choice: [a, b], weights: [0.5, 1.5]}", "{weights: [1, 3], choice: [a, b]}",
			"{choice: [a, b], weights: [1e9, 3e9]}",
		},
		{"{from: 0, to: 1, step: 0.10}", "{step: 1e-1, to: 1.0, from: 0e0}"},
		{"{normal: {mean: 1, sd: 0.50}, from: 0}", "{from: -0.0, normal: {sd: 5e-1, mean: 1.0}}"},
	} {
		first := parse(t, sampleOf("lhs", 8, "v", same[0])).Canonical()
		for _, other := range same[1:] {
			if got := parse(t, sampleOf("lhs", 8, "v", other)).Canonical(); string(got) != string(first) {
				t.Errorf("%s is %s, %s is %s", same[0], first, other, got)
			}
		}
	}
	a, b := parse(
		t,
		sampleOf("lhs", 8, "v", "[a, b]"),
	), parse(
		t,
		sampleOf("lhs", 8, "v", "{choice: [a, b], weights: [1, 1]}"),
	)
	if string(a.Canonical()) == string(b.Canonical()) {
		t.Error("equal weights are not those of a list: a Latin hypercube holds them exactly")
	}
}

// Whatever numbers an axis has, it is refused with a place, or it draws values that the parameter
// takes and reads back as itself.
func TestSampledFormsTakeAnyNumbers(t *testing.T) {
	sound := []string{"0.1", "0.25", "0.5", "1", "2", "3"}
	numbers := []string{
		"0", "-0.0", "1", "-1", "0.1", "0.3", "2", "5e-324", "-5e-324", "1e-300", "1e300", "1.7976931348623157e308",
		"-1.7976931348623157e308", "1e400", "1e-400", ".nan", ".inf", "nan", "9007199254740993", "9223372036854775807",
		"1e15", "0." + strings.Repeat("3", 99), strings.Repeat("7", 99), "1e250", "-1e250",
		"0x10", "'1'", "[1]", "", "true",
	}
	names := []string{"v", "anisotropy", "rho", "teacher_index", "init_scale", "seed", "learning_rate"}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		pick := func(what string) string {
			return rapid.SampledFrom(slices.Concat(sound, sound, sound, sound, numbers)).Draw(t, what)
		}
		var axis string
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			axis = fmt.Sprintf("{from: %s, to: %s, step: %s}", pick("from"), pick("to"), pick("step"))
		case 1:
			axis = fmt.Sprintf("{normal: {mean: %s, sd: %s}, from: %s, to: %s}", pick("mean"), pick("sd"), pick("from"),
				pick("to"))
		case 2:
			axis = fmt.Sprintf("{normal: {mean: %s, sd: %s}}", pick("mean"), pick("sd"))
		case 3:
			axis = fmt.Sprintf("{choice: [1, 2, 1], weights: [%s, %s, %s]}", pick("a"), pick("b"), pick("c"))
		}
		name := rapid.SampledFrom(names).Draw(t, "name")
		text := sampleOf(rapid.SampledFrom(methods()).Draw(t, "method"), 16, name, axis)
		for _, fixed := range []string{"anisotropy: 3, ", "init_scale: 0.1, ", "learning_rate: 0.01, "} {
			if strings.HasPrefix(fixed, name) {
				text = strings.Replace(text, fixed, "", 1)
			}
		}
		spec, err := sweep.Parse("x.yaml", []byte(text), sweep.Limits{})
		if err != nil {
			return
		}
		taken++
		back, err := sweep.Decode(spec.Canonical())
		if err != nil || string(back.Canonical()) != string(spec.Canonical()) {
			t.Fatalf("%s: %v\n%s", text, err, spec.Canonical())
		}
		for i := range spec.Size() {
			p, _ := spec.Point(i)
			q, _ := back.Point(i)
			if p.Invalid != "" || !equalPoints(&p, &q) {
				t.Fatalf("%s: point %d is %v, then %v: %s", text, i, p.Params, q.Params, p.Invalid)
			}
		}
	})
	if taken == 0 {
		t.Error("no axis is taken")
	}
	t.Logf("%d axes are taken", taken)
}
