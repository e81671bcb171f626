package sweep

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A set of parameters is that of a map, for tables of any length.
func TestSetsAreThoseOfMaps(t *testing.T) {
	ids := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ParameterID {
		return ParameterID(rapid.IntRange(0, 200).Draw(t, "id"))
	}), 0, 20)
	model := func(ids []ParameterID) map[ParameterID]bool {
		m := map[ParameterID]bool{}
		for _, id := range ids {
			m[id] = true
		}
		return m
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := ids.Draw(t, "x"), ids.Draw(t, "y")
		a, b := setOf(x...), setOf(y...)
		inX, inY := model(x), model(y)
		for id := range ParameterID(201) {
			if a.has(id) != inX[id] || a.union(b).has(id) != (inX[id] || inY[id]) ||
				a.common(b).has(id) != (inX[id] && inY[id]) || a.minus(b).has(id) != (inX[id] && !inY[id]) ||
				a.without(id).has(id) || !a.with(id).has(id) {
				t.Fatalf("%v, %v: parameter %d", x, y, id)
			}
		}
		all := slices.Collect(a.all())
		if a.empty() != (len(inX) == 0) || len(all) != len(inX) || !slices.IsSorted(all) {
			t.Fatalf("%v: %v", x, all)
		}
		if len(all) > 0 && a.first() != all[0] {
			t.Fatalf("%v begins with %v", all, a.first())
		}
	})
}

// A sweep's table may be longer than that of the built-in solver, and than a machine word.
func TestSpecOfALongerTable(t *testing.T) {
	long := slices.Clone(builtin)
	for i := range 60 {
		p := numberParameter(ParameterID(len(long)), fmt.Sprintf("variable_%d", i), math.Inf(-1), math.Inf(1),
			"a variable")
		long = append(long, p.or(floatValue(0)))
	}
	r := &reader{files: []string{"long.yaml"}, table: long}
	spec := r.spec([]byte(`name: long
fixed: {optimizer: gd, covariance: spiked, anisotropy: 3, dimension: 10, steps: 5, init_scale: 0.1, variable_3: 2}
grid: {variable_59: [1, 2, 3], variable_40: [10, 20]}
derive: {learning_rate: variable_59 / (variable_40 * variable_3)}
where: variable_59 < 3
`), true, nil)
	if spec == nil {
		t.Fatal(r.mistakes)
	}
	variable := func(name string) ParameterID {
		id, ok := long.lookup(name)
		if !ok {
			t.Fatal(name)
		}
		return id
	}
	var got []string
	for p := range spec.Points(0, spec.Size()) {
		got = append(got, fmt.Sprint(p.Params[variable("variable_40")], p.Params[variable("variable_59")],
			p.Params[LearningRate], p.Invalid))
	}
	want := []string{"10 1 0.05", "10 2 0.1", "20 1 0.025", "20 2 0.05"}
	if !slices.Equal(got, want) || len(spec.Columns()) != 10 {
		t.Errorf("points %q, want %q; columns %v", got, want, spec.Columns())
	}
	solver := BuiltinSolver(4)
	if p, _ := spec.Point(0); len(p.Params) != len(long) ||
		PointID(p.Params, solver) != PointID(p.Params[:NumParameters], solver) {
		t.Error("a variable is part of the point's id")
	}
}
