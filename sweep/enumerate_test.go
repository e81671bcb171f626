package sweep_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"github.com/phasegrid/phasegrid/sweep"
)

// goodFiles are sweep files that use everything that a sweep file can say.
func goodFiles(t testing.TB) map[string]string {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d good files, %v", len(files), err)
	}
	out := map[string]string{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = string(src)
	}
	return out
}

// shuffled writes a YAML value with the keys of every mapping in another order.
func shuffled(t *rapid.T, value any) any {
	switch v := value.(type) {
	case yaml.MapSlice:
		out := make(yaml.MapSlice, len(v))
		for i, j := range rapid.Permutation(indices(len(v))).Draw(t, "order") {
			out[i] = yaml.MapItem{Key: v[j].Key, Value: shuffled(t, v[j].Value)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shuffled(t, v[i])
		}
		return out
	}
	return value
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestKeyOrderNeverMatters(t *testing.T) {
	for name, src := range goodFiles(t) {
		want := parse(t, src)
		var tree yaml.MapSlice
		if err := yaml.UnmarshalWithOptions([]byte(strings.TrimPrefix(src, "\ufeff")), &tree,
			yaml.UseOrderedMap()); err != nil {
			t.Fatal(err)
		}
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			text, err := yaml.Marshal(shuffled(t, tree))
			if err != nil {
				t.Fatal(err)
			}
			got, err := sweep.Parse("shuffled.yaml", text, sweep.Limits{})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if string(got.Canonical()) != string(want.Canonical()) {
				t.Fatalf("%s\nis written\n%s\nnot\n%s", text, got.Canonical(), want.Canonical())
			}
			at := rapid.Int64Range(0, want.Size()-1).Draw(t, "index")
			p, ok := got.Point(at)
			q, ok2 := want.Point(at)
			if ok != ok2 || ok && !equalPoints(&p, &q) {
				t.Fatalf("point %d is %v, not %v", at, p, q)
			}
		}))
	}
}

func TestSpellingNeverMatters(t *testing.T) {
	const rest = "name: x\nfixed: {covariance: spiked, dimension: 100, steps: 100, init_scale: 0.1, optimizer: gd}\n"
	for _, pair := range [][2]string{
		{"grid: {anisotropy: [100, 0.5]}", "grid:\n  anisotropy:\n    values:\n    - 1e2\n    - 5.0E-1 # half"},
		{"grid: {seed: [1, 1000]}", "grid: {seed: [+1, 1.0e3]}"},
		{"grid: {schedule: [cosine]}", "grid: {schedule: ['cosine']}"},
		{"grid: {schedule: [cosine]}", "grid: {schedule: [{name: cosine}]}"},
		{"points: [{schedule: {name: invsqrt, lr_warm: 5}}]", "points: [{lr_warm: 5, schedule: invsqrt}]"},
		{"replicates: 1", "record: none"},
		{"derive: {weight_decay: 1e-1}", "derive: {weight_decay: '0.1'}"},
		{"where: anisotropy > 0", "where: >-\n  anisotropy\n  > 0"},
		{"grid: {anisotropy: {linspace: {from: 1, to: 3, num: 5}}}",
			"grid: {anisotropy: {linspace: {num: 5.0, to: 3e0, from: 1.0}}}"},
	} {
		a, b := parse(
			t,
			rest+"grid: {learning_rate: [0.1], anisotropy: [3]}\n",
		), parse(
			t,
			rest+"grid: {learning_rate: [1e-1], anisotropy: [3]}\n",
		)
		if a.ID(sweep.BuiltinSolver(1)) != b.ID(sweep.BuiltinSolver(1)) {
			t.Fatal("0.1 is not 1e-1")
		}
		with := func(s string) *sweep.Spec {
			fixed := ", learning_rate: 0.1}"
			if !strings.Contains(s, "anisotropy:") {
				fixed = ", learning_rate: 0.1, anisotropy: 3}"
			}
			return parse(t, strings.Replace(rest, "}", fixed, 1)+s+"\n")
		}
		x, y := with(pair[0]), with(pair[1])
		if x.ID(sweep.BuiltinSolver(1)) != y.ID(sweep.BuiltinSolver(1)) {
			t.Errorf("%s is %s\n%s is %s", pair[0], x.Canonical(), pair[1], y.Canonical())
		}
	}
	x := parse(t, rest+"grid: {learning_rate: [0.1], anisotropy: [3]}\n")
	if y := parse(t, rest+"grid: {learning_rate: [0.2], anisotropy: [3]}\n"); x.ID(
		sweep.BuiltinSolver(1),
	) == y.ID(
		sweep.BuiltinSolver(1),
	) {
		t.Error("different sweeps have the same id")
	}
	if x.ID(sweep.BuiltinSolver(1)) == x.ID(sweep.BuiltinSolver(2)) || len(x.ID(sweep.BuiltinSolver(1))) != 32 {
		t.Errorf("ids %s and %s of two solver versions", x.ID(sweep.BuiltinSolver(1)), x.ID(sweep.BuiltinSolver(2)))
	}
	if y := parse(t, strings.Replace(rest, "name: x", "name: other",
		1)+"grid: {learning_rate: [0.1], anisotropy: [3]}\n"); x.ID(sweep.BuiltinSolver(1)) !=
		y.ID(sweep.BuiltinSolver(1)) {
		t.Error("the name is hashed")
	}
}

// Points, Point and a naive enumeration agree: every combination, outermost the parameter that
// comes first in the table, the zip where its first parameter stands, replicates innermost.
func TestEnumerationAgreesWithNaive(t *testing.T) {
	numbers := []sweep.ParameterID{sweep.Dimension, sweep.Steps, sweep.Anisotropy, sweep.TeacherNorm2, sweep.InitScale,
		sweep.LearningRate, sweep.WeightDecay, sweep.Momentum}
	rapid.Check(t, func(t *rapid.T) {
		values := map[sweep.ParameterID][]float64{}
		for _, id := range numbers {
			for i := range rapid.IntRange(1, 3).Draw(t, "values") {
				v := float64(i+2) / 10
				if p := sweep.Describe(id); p.Kind == sweep.KindInt {
					v = float64(i + 2)
				}
				values[id] = append(values[id], v)
			}
		}
		order := rapid.Permutation(numbers).Draw(t, "order")
		zipSize := rapid.IntRange(0, 3).Draw(t, "zip")
		zip, grid := slices.Clone(order[:zipSize]), slices.Clone(order[zipSize:])
		for _, id := range zip {
			for len(values[id]) > len(values[zip[0]]) {
				values[id] = values[id][:len(values[id])-1]
			}
			for len(values[id]) < len(values[zip[0]]) {
				values[id] = append(values[id], values[id][len(values[id])-1])
			}
		}
		replicates := rapid.Int64Range(1, 3).Draw(t, "replicates")

		var src strings.Builder
		fmt.Fprintf(
			&src,
			"name: naive\nfixed: {model: online, batch_size: 1, covariance: spiked, optimizer: momentum}\n"+
				"replicates: %d\n",
			replicates,
		)
		section := func(name string, ids []sweep.ParameterID) {
			if len(ids) > 0 {
				fmt.Fprintf(&src, "%s:\n", name)
			}
			for _, id := range ids {
				fmt.Fprintf(&src, "  %s: %s\n", id, strings.ReplaceAll(fmt.Sprint(values[id]), " ", ", "))
			}
		}
		section("zip", zip)
		section("grid", grid)
		spec, err := sweep.Parse("naive.yaml", []byte(src.String()), sweep.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, src.String())
		}

		slices.Sort(zip)
		factors := [][]sweep.ParameterID{}
		for _, id := range grid {
			factors = append(factors, []sweep.ParameterID{id})
		}
		if len(zip) > 0 {
			factors = append(factors, zip)
		}
		slices.SortFunc(factors, func(a, b []sweep.ParameterID) int { return int(a[0]) - int(b[0]) })
		rows := []map[sweep.ParameterID]float64{{}}
		for _, f := range factors {
			var longer []map[sweep.ParameterID]float64
			for _, row := range rows {
				for i := range values[f[0]] {
					next := map[sweep.ParameterID]float64{}
					for id, v := range row {
						next[id] = v
					}
					for _, id := range f {
						next[id] = values[id][i]
					}
					longer = append(longer, next)
				}
			}
			rows = longer
		}

		if want := int64(len(rows)) * replicates; spec.Size() != want {
			t.Fatalf("Size() = %d, want %d", spec.Size(), want)
		}
		index := int64(0)
		for p := range spec.Points(0, spec.Size()) {
			for id, v := range rows[index/replicates] {
				if got := p.Params[id].Float(); got != v {
					t.Fatalf("%s of point %d is %v, want %v\n%s", id, index, got, v, src.String())
				}
			}
			if p.Index != index || p.Params[sweep.Seed].Int() != index%replicates {
				t.Fatalf("index %d has index %d and seed %d", index, p.Index, p.Params[sweep.Seed].Int())
			}
			index++
		}
		if index != spec.Size() {
			t.Fatalf("%d points, want %d", index, spec.Size())
		}
	})
}

// Points of any range are the points one by one.
func TestPointsAreThePointsOneByOne(t *testing.T) {
	for name, src := range goodFiles(t) {
		spec := parse(t, src)
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			first := rapid.Int64Range(0, spec.Size()).Draw(t, "first")
			end := rapid.Int64Range(first, spec.Size()).Draw(t, "end")
			next := first
			for p := range spec.Points(first, end) {
				for ; next < p.Index; next++ {
					if q, ok := spec.Point(next); ok {
						t.Fatalf("Points leaves out %v", q)
					}
				}
				if q, ok := spec.Point(p.Index); !ok || !equalPoints(&p, &q) {
					t.Fatalf("point %v is %v, %v", p, q, ok)
				}
				next = p.Index + 1
			}
		}))
	}
}

func TestUnionKeepsListOrderAndInheritsWhatStandsBeside(t *testing.T) {
	spec := parse(t, goodFiles(t)["union.yaml"])
	var got []string
	for p := range spec.Points(0, spec.Size()) {
		got = append(
			got,
			fmt.Sprintf("%s d=%d lr=%.3g T=%d", p.Params[sweep.Optimizer].Text(), p.Params[sweep.Dimension].Int(),
				p.Params[sweep.LearningRate].Float(), p.Params[sweep.Steps].Int()),
		)
	}
	var want []string
	for _, row := range []string{
		"gd d=30 lr=0.0455 T=3000", "gd d=30 lr=0.01 T=3000", "gd d=100 lr=0.0455 T=3000", "gd d=100 lr=0.01 T=3000",
		"specgd d=30 lr=0.00365 T=1000", "specgd d=100 lr=0.002 T=1000", "muon d=30 lr=0.00365 T=1000",
		"power d=30 lr=0.01 T=1000", "power d=100 lr=0.01 T=1000", "adam d=30 lr=0.001 T=100",
		"adam d=100 lr=0.001 T=100",
	} {
		want = append(want, row, row) // two replicates
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAxisFormsGiveTheirNumbers(t *testing.T) {
	const rest = "name: x\nfixed: {covariance: spiked, dimension: 100, steps: 100, init_scale: 0.1, " +
		"optimizer: gd, learning_rate: 0.1}\n"
	for form, want := range map[string][]float64{
		"{linspace: {from: 0.5, to: 200, num: 4}}": {0.5, 67, 133.5, 200},
		"{linspace: {from: 3, to: 1, num: 3}}":     {3, 2, 1},
		"{linspace: {from: 3, to: 9, num: 1}}":     {3},
		"{logspace: {from: 0.3, to: 190, num: 3}}": {0.3, math.Sqrt(57), 190},
		"{logspace: {from: 100, to: 1, num: 2}}":   {100, 1},
		"{range: {from: 0.1, to: 0.5, step: 0.1}}": {0.1, 0.2, 0.3, 0.4, 0.5},
		"{range: {from: 5, to: 0, step: -2}}":      {5, 3, 1},
		"{range: {from: 1, to: 2, step: 5}}":       {1},
		"{values: [3, 1, 2]}":                      {3, 1, 2},
	} {
		spec := parse(t, rest+"grid: {anisotropy: "+form+"}\n")
		var got []float64
		for p := range spec.Points(0, spec.Size()) {
			got = append(got, p.Params[sweep.Anisotropy].Float())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gives %v, want %v", form, got, want)
		}
	}
}

func TestDerivedValuesSeeDefaultsAndAuto(t *testing.T) {
	spec := parse(t, goodFiles(t)["derive.yaml"])
	p, ok := spec.Point(0)
	if !ok || p.Params[sweep.Dimension].Int() != 4 || p.Params[sweep.Width].Int() != 1 ||
		p.Params[sweep.BatchSize].Int() != 10 {
		t.Fatalf("point 0 is %v, %v", p, ok)
	}
	if want := int64(math.Ceil(0.5 / p.Params[sweep.LearningRate].Float())); p.Params[sweep.Steps].Int() != want {
		t.Errorf("steps %d, want ceil(0.5 / learning_rate) = %d", p.Params[sweep.Steps].Int(), want)
	}
	if q, ok := spec.Point(5); !ok || q.Params[sweep.Width].Int() != 2 ||
		q.Params[sweep.Seed].Int() != 9007199254740993 {
		t.Errorf("point 5 is %v, %v", q, ok)
	}
	if _, ok := spec.Point(7); ok {
		t.Error("where keeps width 3 with seed 18")
	}
	points, exact := spec.Count()
	if points != 10 || !exact {
		t.Errorf("Count() = %d, %v", points, exact)
	}
}
