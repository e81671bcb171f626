package sweep_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/phasegrid/phasegrid/sweep"
)

const variableHead = "name: x\nfixed: {covariance: spiked, anisotropy: 3, steps: 20, init_scale: 0.01"

// columnValues are the values of a column of the points, as canonical text.
func columnValues(spec *sweep.Spec, name string) []string {
	var texts []string
	for p := range spec.Points(0, spec.Size()) {
		for _, id := range spec.Columns() {
			if spec.Describe(id).Name == name {
				texts = append(texts, p.Params[id].String())
			}
		}
	}
	return texts
}

func TestVariablesAreSetAsParametersAre(t *testing.T) {
	for _, c := range []struct {
		rest       string
		multiplier string // of the points in order
		dimension  string
	}{
		{ // an axis stands after the parameters
			", optimizer: gd}\ngrid: {multiplier: [0.5, 2], dimension: [8, 16]}\n", "0.5 2 0.5 2", "8 8 16 16",
		},
		{
			", optimizer: gd, dimension: 8}\ngrid: {multiplier: {logspace: {from: 0.01, to: 1, num: 3}}}\n",
			"0.01 0.1 1", "8 8 8",
		},
		{", optimizer: gd, dimension: 8, multiplier: 2}\n", "2", "8"},
		{
			", optimizer: gd}\nzip: {multiplier: [1, 2], dimension: [16, 8]}\n", "1 2", "16 8",
		},
		{ // points override fixed
			", optimizer: gd, multiplier: 3}\npoints: [{dimension: 8}, {dimension: 9, multiplier: 4}]\n", "3 4", "8 9",
		},
		{
			", optimizer: gd}\nsample: {method: sobol, num: 2, axes: {multiplier: [5, 6], dimension: [8, 9]}}\n",
			"5 6", "8 9",
		},
		{ // entries of an axis carry them
			", multiplier: 1, dimension: 8}\ngrid: {optimizer: [gd, {name: muon, multiplier: 7}]}\n", "1 7", "8 8",
		},
		{ // blocks without a value have a null, and an alternative for expressions
			", optimizer: gd, dimension: 8}\nunion: [{fixed: {multiplier: 4}}, {grid: {anisotropy: [1, 2]}}]\n",
			"4 null null", "8 8 8",
		},
	} {
		spec := parse(t, variableHead+c.rest+"variables: {multiplier: learning rate over 0.001}\n"+
			"derive: {learning_rate: (multiplier ?? 1) * 0.001}\n")
		if got := strings.Join(columnValues(spec, "multiplier"), " "); got != c.multiplier {
			t.Errorf("%s: multiplier %s, want %s", c.rest, got, c.multiplier)
		}
		if got := strings.Join(columnValues(spec, "dimension"), " "); got != c.dimension {
			t.Errorf("%s: dimension %s, want %s", c.rest, got, c.dimension)
		}
		for p := range spec.Points(0, spec.Size()) {
			id := spec.Columns()[len(spec.Columns())-1]
			rate := 0.001
			if v := p.Params[id]; !v.IsNull() {
				rate *= v.Float()
			}
			if p.Invalid != "" || p.Params[sweep.LearningRate].Float() != rate {
				t.Errorf("%s: point %+v, want learning rate %v", c.rest, p, rate)
			}
		}
		if d := spec.Describe(spec.Columns()[len(spec.Columns())-1]); d.Name != "multiplier" || !d.IsVariable() ||
			d.Doc != "learning rate over 0.001" || d.Kind != sweep.KindFloat {
			t.Errorf("the last column is %+v", d)
		}
	}
}

// Keys of axes and samples are names as well: what stands there is no value of the variable.
func TestVariablesAreNamedLikeKeys(t *testing.T) {
	spec := parse(t, variableHead+", optimizer: gd, learning_rate: 0.001, dimension: 8}\n"+
		"variables: {method: a word, num: a word, mean: a word, sd: a word, from: a word, to: a word, values: a word, "+
		"choice: a word, weights: a word, draw: a number}\n"+
		"sample:\n  method: lhs\n  num: 4\n  axes:\n    teacher_norm2: {normal: {mean: 3, sd: 0.1}, from: 2, to: 4}\n"+
		"    draw: {choice: [1, 2], weights: [1, 3]}\n"+
		"    method: {choice: [a, b], weights: [2, 2]}\n"+
		"grid: {num: {values: [a]}, mean: [{name: m, sd: s}], choice: [c, d]}\n"+
		"zip: {from: [f, g], to: [t, u]}\nunion: [{points: [{values: v, weights: w}]}]\n")
	for _, name := range []string{"method", "num", "mean", "sd", "from", "to", "values", "choice", "weights"} {
		if got := columnValues(spec, name)[0]; !strings.HasPrefix(got, `"`) {
			t.Errorf("%s is %s", name, got)
		}
	}
}

// An entry of an axis of words sets any parameters, so that settings have names.
func TestWordsNameSettings(t *testing.T) {
	spec := parse(t, variableHead+", optimizer: gd, learning_rate: 0.001}\nvariables: {setting: which one}\n"+
		"grid: {setting: [{name: small, dimension: 8}, {name: large, dimension: 64, steps: 40}]}\n")
	if got := columnValues(spec, "setting"); !slices.Equal(got, []string{`"small"`, `"large"`}) {
		t.Errorf("settings %s", got)
	}
	if got := columnValues(spec, "steps"); !slices.Equal(got, []string{"20", "40"}) {
		t.Errorf("steps %s", got)
	}
	spec = parse(t, variableHead+", optimizer: gd, learning_rate: 0.001, dimension: 8}\n"+
		"variables: {setting: which one}\nzip: {setting: {values: [small, large]}, seed: {values: [1, 2]}}\n")
	if got := columnValues(spec, "setting"); !slices.Equal(got, []string{`"small"`, `"large"`}) {
		t.Errorf("settings %s", got)
	}
}

// Reading a variable where the point has none is a mistake, at the expression, even where the
// language has an answer for nil; not in a branch that is not taken, nor with an alternative.
func TestUnsetVariablesAreNotRead(t *testing.T) {
	const blocks = ", optimizer: gd, dimension: 8, learning_rate: 0.001}\n" +
		"variables: {part: which, factor: how much}\n" +
		"union: [{fixed: {part: a, factor: 2}}, {grid: {teacher_norm2: [1, 2]}}]\n"
	const last = 6
	for _, c := range []struct{ key, expression, unset string }{
		{"derive", "{weight_decay: factor * 0.1}", "factor"},
		{"derive", "{weight_decay: factor}", "factor"},
		{"derive", "{weight_decay: \"part == 'a' ? 0.1 : 0.2\"}", "part"},
		{"where", "part == 'a'", "part"},
		{"where", "factor < 3 or teacher_norm2 > 1", "factor"},
		{"where", "not (part in ['a'])", "part"},
		{"derive", "{weight_decay: \"teacher_norm2 == 2 ? factor : 0\"}", "factor"},
		{"derive", "{weight_decay: \"teacher_norm2 == 3 ? factor : 0\"}", ""},
		{"derive", "{weight_decay: (factor ?? 1) * 0.1}", ""},
		{"derive", "{weight_decay: \"(part ?? 'b') == 'a' ? 0.1 : 0.2\"}", ""},
		{"where", "part != nil", ""},
		{"where", "nil == part or part == 'a'", ""},
	} {
		_, err := sweep.Parse("x.yaml", []byte(variableHead+blocks+c.key+": "+c.expression+"\n"), sweep.Limits{})
		var mistakes sweep.Mistakes
		switch {
		case c.unset == "" && err != nil:
			t.Errorf("%s: %v", c.expression, err)
		case c.unset != "" && (!errors.As(err, &mistakes) || len(mistakes) != 1 || mistakes[0].Line != last-1 ||
			!strings.Contains(mistakes[0].Text, c.unset+" is not set at this point; give an alternative")):
			t.Errorf("%s: got %v, want %s unset", c.expression, err, c.unset)
		}
	}
}

// What a variable is left to depends on nothing, so a word that decides defaults can be derived
// from it.
func TestDerivedWordsReadVariables(t *testing.T) {
	spec := parse(t, variableHead+", dimension: 8, learning_rate: 0.001}\nvariables: {flag: which half}\n"+
		"grid: {init: [identity, {name: orthonormal, flag: 2}]}\n"+
		"derive: {optimizer: \"(flag ?? 1) == 1 ? 'gd' : 'momentum'\"}\n")
	if got := columnValues(spec, "optimizer"); !slices.Equal(got, []string{`"gd"`, `"momentum"`}) {
		t.Errorf("optimizers %s", got)
	}
}

// The estimated size of rows has room for the longest words, so that no shard is larger than cut.
func TestVariablesCountAsBytes(t *testing.T) {
	const n = 100
	points := func(more string) int64 {
		spec := parse(t, variableHead+", optimizer: gd, dimension: 8, learning_rate: 0.001"+more)
		p, err := sweep.NewPlan(t.Context(), spec, sweep.PlanVersion)
		if err != nil {
			t.Fatal(err)
		}
		return p.Summary().Arrow.Points
	}
	seeds := fmt.Sprintf("grid: {init: [gaussian], seed: {range: {from: 1, to: %d, step: 1}}}\n", n)
	word := strings.Repeat("w", 63)
	with := points(", a: " + word + ", b: " + word + "}\nvariables: {a: one, b: two}\n" + seeds)
	if more := with - points("}\n"+seeds); more < 2*n*int64(len(word)) {
		t.Errorf("%d points with two words of %d bytes count %d bytes more", n, len(word), more)
	}
}

func TestVariablesInTheIdentity(t *testing.T) {
	const rest = ", optimizer: gd, dimension: 8}\nderive: {learning_rate: 0.001 * multiplier}\n"
	base := parse(t, variableHead+rest+"variables: {multiplier: how much}\ngrid: {multiplier: [1, 2]}\n")
	plain := parse(t, variableHead+", optimizer: gd, dimension: 8}\ngrid: {learning_rate: [0.001, 0.002]}\n")
	ids := map[string]string{base.ID(sweep.BuiltinSolver(4)): "base", plain.ID(sweep.BuiltinSolver(4)): "plain"}
	for _, other := range []string{
		"variables: {multiplier: how many}\ngrid: {multiplier: [1, 2]}\n",
		"variables: {multiplier: how much}\ngrid: {multiplier: [1, 3]}\n",
		"variables: {multiplier: how much, other: more}\ngrid: {multiplier: [1, 2], other: [0]}\n",
	} {
		id := parse(t, variableHead+rest+other).ID(sweep.BuiltinSolver(4))
		if ids[id] != "" {
			t.Errorf("%s has the id of %s", other, ids[id])
		}
		ids[id] = other
	}
	for i := range int64(2) {
		p, _ := base.Point(i)
		q, _ := plain.Point(i)
		if sweep.PointID(p.Params, sweep.BuiltinSolver(4)) != sweep.PointID(q.Params, sweep.BuiltinSolver(4)) {
			t.Errorf("point %d has another id with a variable", i)
		}
	}
}

// drawn is a random sweep file with variables, and what its grid has to enumerate to.
type drawn struct {
	names     []string   // of the variables, in order
	values    [][]string // of each, as YAML flow text
	dimension []int
	meaning   []string
}

func drawVariables(t *rapid.T) drawn {
	var d drawn
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`v[a-z0-9_]{0,8}x`), 1, 4, rapid.ID[string]).Draw(t, "names")
	d.names = names
	slices.Sort(d.names)
	text := rapid.StringOfN(rapid.RuneFrom([]rune(`ab1 ?:#,"'\{}[]&*!|>%@-üλ~<µ`)), 1, 12, -1).
		Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	for range d.names {
		d.meaning = append(d.meaning, strings.TrimSpace(text.Draw(t, "meaning")))
		var values []string
		if rapid.Bool().Draw(t, "numbers") {
			for _, f := range rapid.SliceOfNDistinct(rapid.Float64Range(-1e6, 1e6), 1, 3, rapid.ID[float64]).
				Draw(t, "values") {
				values = append(values, strconv.FormatFloat(f+0, 'g', -1, 64))
			}
		} else {
			for _, w := range rapid.SliceOfNDistinct(text, 1, 3, rapid.ID[string]).Draw(t, "values") {
				values = append(values, strconv.Quote(w))
			}
		}
		d.values = append(d.values, values)
	}
	d.dimension = rapid.SliceOfNDistinct(rapid.IntRange(2, 50), 1, 3, rapid.ID[int]).Draw(t, "dimension")
	return d
}

// file writes the sweep with its keys in a random order.
func (d drawn) file(t *rapid.T) string {
	var variables, axes []string
	for i, name := range d.names {
		variables = append(variables, fmt.Sprintf("  %s: %q\n", name, d.meaning[i]))
		axes = append(axes, fmt.Sprintf("  %s: [%s]\n", name, strings.Join(d.values[i], ", ")))
	}
	axes = append(axes, fmt.Sprintf("  dimension: %s\n", strings.ReplaceAll(fmt.Sprint(d.dimension), " ", ", ")))
	order := func(lines []string) string {
		return strings.Join(rapid.Permutation(lines).Draw(t, "order"), "")
	}
	return order([]string{
		"name: drawn\n",
		"fixed: {covariance: isotropic, steps: 5, init_scale: 0.01, optimizer: gd, learning_rate: 0.01}\n",
		"variables:\n" + order(variables),
		"grid:\n" + order(axes),
	})
}

// rows are the points as text: dimension, then the variables by name, the last one innermost.
func (d drawn) rows() []string {
	rows := []string{""}
	cross := func(values []string) {
		var next []string
		for _, row := range rows {
			for _, v := range values {
				next = append(next, row+" "+v)
			}
		}
		rows = next
	}
	var dimension []string
	for _, n := range d.dimension {
		dimension = append(dimension, strconv.Itoa(n))
	}
	cross(dimension)
	for _, values := range d.values {
		cross(values)
	}
	return rows
}

// The points of a random sweep with variables are the product of its axes, whatever the order of
// keys; a coordinator restores the same sweep from the canonical form, and so does its own file;
// point ids are those of the points without variables.
func TestRandomVariables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawVariables(t)
		file := d.file(t)
		spec, err := sweep.Parse("drawn.yaml", []byte(file), sweep.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		restored, err := sweep.Decode(spec.Canonical())
		if err != nil {
			t.Fatalf("%v\n%s", err, spec.Canonical())
		}
		again, err := sweep.Parse("again.yaml", sweep.File("drawn", spec.Canonical(), nil), sweep.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, sweep.File("drawn", spec.Canonical(), nil))
		}
		other, err := sweep.Parse("other.yaml", []byte(d.file(t)), sweep.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*sweep.Spec{spec, restored, again, other} {
			if s.ID(sweep.BuiltinSolver(4)) != spec.ID(sweep.BuiltinSolver(4)) {
				t.Fatalf("%s\nis not\n%s", s.Canonical(), spec.Canonical())
			}
			d.check(t, s)
		}
		plain, err := sweep.Parse("plain.yaml", []byte("name: plain\n"+
			"fixed: {covariance: isotropic, steps: 5, init_scale: 0.01, optimizer: gd, learning_rate: 0.01}\n"+
			fmt.Sprintf("grid: {dimension: [%d]}\n", d.dimension[0])), sweep.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := spec.Point(0)
		q, _ := plain.Point(0)
		if sweep.PointID(p.Params, sweep.BuiltinSolver(4)) != sweep.PointID(q.Params, sweep.BuiltinSolver(4)) ||
			plain.ID(sweep.BuiltinSolver(4)) == spec.ID(sweep.BuiltinSolver(4)) {
			t.Fatal("variables are in the point id, or not in the sweep id")
		}
	})
}

// check compares the points and columns of a spec with the product of the axes.
func (d drawn) check(t *rapid.T, s *sweep.Spec) {
	t.Helper()
	columns := s.Columns()
	variables := columns[len(columns)-len(d.names):]
	for i, id := range variables {
		if p := s.Describe(id); p.Name != d.names[i] || p.Doc != d.meaning[i] {
			t.Fatalf("column %+v, want %s: %s", p, d.names[i], d.meaning[i])
		}
	}
	var got []string
	for p := range s.Points(0, s.Size()) {
		row := " " + p.Params[sweep.Dimension].String()
		for _, id := range variables {
			row += " " + p.Params[id].String()
		}
		got = append(got, row)
	}
	want := d.rows()
	if len(got) != len(want) {
		t.Fatalf("%d points, want %d", len(got), len(want))
	}
	for i := range got {
		if !sameRow(got[i], want[i]) {
			t.Fatalf("point %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// sameRow compares rows whose numbers may be written differently.
func sameRow(a, b string) bool {
	if a == b {
		return true
	}
	x, y := strings.Fields(a), strings.Fields(b)
	return len(x) == len(y) && !slices.ContainsFunc(indices(len(x)), func(i int) bool {
		f, err := strconv.ParseFloat(x[i], 64)
		g, err2 := strconv.ParseFloat(y[i], 64)
		return x[i] != y[i] && (err != nil || err2 != nil || f != g)
	})
}

// A file with other mistakes also says which parameters are missing, where no key names them.
func TestMissingParametersAreSaidWithOtherMistakes(t *testing.T) {
	for _, c := range []struct {
		file string
		want string // names of the missing parameters
	}{
		{"fixed: {optimizer: gd, dimension: x}\n", "covariance init_scale learning_rate steps"},
		{"fixed: {optimizer: gd, dimension: x}\nrecord: {steps: [0, 1]}\n",
			"covariance init_scale learning_rate steps"},
		{"fixed: {optimizer: gd, dimnsion: 3}\n", "covariance init_scale learning_rate steps"},
		{"fixd: {optimizer: gd, dimension: 3}\n", "covariance init_scale learning_rate steps"},
		{"fixed: {optimizer: gd, covariance: spiked}\nwhere: 3 >\n",
			"anisotropy dimension init_scale learning_rate steps"},
		{"fixed: {covariance: spikd, optimizer: gd}\n", "dimension init_scale learning_rate steps"},
		{"fixed: {covariance: spiked, optimizer: gd}\nderive: {anisotropy: ), learning_rate: steps(}\n",
			"dimension init_scale steps"},
		{"fixed: {covariance: spiked, optimizer: gd, steps: 3, init_scale: 0.1, learning_rate: 0.1, rho: x}\n" +
			"union: [{fixed: {anisotropy: 3, dimension: 8}}, {fixed: {dimension: 9}}]\n", "anisotropy"},
		{"fixed: {covariance: spiked, optimizer: gd, steps: 3, init_scale: 0.1, learning_rate: 0.1, rho: x}\n" +
			"union: {anisotropy: 3, dimension: 8}\n", ""},
		{"fixed: [covariance, optimizer]\n",
			"covariance dimension init_scale learning_rate optimizer steps"},
	} {
		_, err := sweep.Parse("x.yaml", []byte("name: x\n"+c.file), sweep.Limits{})
		var mistakes sweep.Mistakes
		if !errors.As(err, &mistakes) {
			t.Fatalf("%s: %v", c.file, err)
		}
		var missing []string
		for _, m := range mistakes {
			if name, _, ok := strings.Cut(m.Text, " is missing"); ok {
				missing = append(missing, name)
			}
		}
		if got := strings.Join(missing, " "); got != c.want || len(missing) == len(mistakes) {
			t.Errorf("%s: missing %q, want %q:\n%v", c.file, got, c.want, err)
		}
	}
}
