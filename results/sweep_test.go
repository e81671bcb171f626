package results_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
	"github.com/phasegrid/phasegrid/sweep"
)

// Every parameter that a sweep file can set has a column; none is forgotten when kinds are added.
func TestEveryParameterHasAColumn(t *testing.T) {
	for id := range sweep.ParameterID(sweep.NumParameters) {
		p := sweep.Describe(id)
		if _, err := results.ParameterKind(p.Kind); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if _, err := results.ParameterKind(sweep.KindNull); err == nil {
		t.Error("a kind without column has one")
	}
}

func TestSweepSchema(t *testing.T) {
	spec, err := sweep.Parse("sweep.yaml", []byte(`
name: schema
fixed: {representation: dense, dimension: 3, optimizer: momentum, momentum: 0.9, covariance: multi_spike,
  spikes: [2, 3], teacher: eigen, steps: 5, init_scale: 0.1}
grid: {learning_rate: [0.1, 0.2], nesterov: [true]}
record: {every: 2, coefficients: true}
`), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := results.SweepSchema(spec, sweep.BuiltinSolver(7))
	if err != nil {
		t.Fatal(err)
	}
	want := results.Options{Solver: sweep.BuiltinSolver(7), Trajectories: true, Coefficients: true}
	if got := schema.Options(); got != want {
		t.Errorf("options %+v; want %+v", got, want)
	}
	kinds := map[string]results.Kind{}
	for _, c := range schema.Parameters() {
		kinds[c.Name] = c.Kind
	}
	for name, kind := range map[string]results.Kind{"dimension": results.Int64, "optimizer": results.String,
		"spikes": results.String, "learning_rate": results.Float64, "nesterov": results.Bool} {
		if got, ok := kinds[name]; !ok || got != kind {
			t.Errorf("column %s is of kind %s; want %s", name, got, kind)
		}
	}
	if _, ok := kinds["representation"]; ok {
		t.Error("representation is a parameter column besides the result column")
	}
}

// The files of a set say where the values of its parameters come from: which differ by themselves,
// which derive computes in every block that varies them, and which expressions read them.
func TestSetsRecordWhereParametersComeFrom(t *testing.T) {
	const head = "name: derived\nvariables: {fraction: of the largest stable step}\n" +
		"fixed: {anisotropy: 3, optimizer: gd, init_scale: 0.01"
	for _, c := range []struct {
		file, want string
	}{
		{
			", covariance: spiked}\ngrid: {dimension: [8, 16], steps: [10, 20], fraction: [1]}\n" +
				"derive: {learning_rate: 0.01}\n",
			"dimension axis, steps axis, learning_rate derived, fraction axis",
		},
		{
			", covariance: spiked, fraction: 1}\ngrid: {dimension: [8, 16]}\n" +
				"derive: {steps: 10 * dimension, learning_rate: fraction / dimension}\n",
			"dimension axis read by steps learning_rate, steps derived, learning_rate derived, " +
				"fraction read by learning_rate",
		},
		{ // fixed in one block, derived in another
			", covariance: spiked, fraction: 1, learning_rate: 0.1}\ngrid: {dimension: [8, 16]}\n" +
				"union: [{fixed: {steps: 10}}, {derive: {steps: 10 * dimension}}]\n",
			"dimension axis read by steps, steps derived",
		},
		{ // an axis in one block
			", covariance: spiked, fraction: 1, learning_rate: 0.1}\ngrid: {dimension: [8, 16]}\n" +
				"union: [{grid: {steps: [10, 20]}}, {derive: {steps: 3 * dimension, width: dimension + 0}}]\n",
			"dimension axis read by width steps, width derived, steps axis",
		},
		{ // fixed to several values
			", covariance: spiked, fraction: 1, learning_rate: 0.1, steps: 10}\n" +
				"union: [{fixed: {dimension: 8}}, {fixed: {dimension: 16, momentum: 0.5}}]\n",
			"dimension axis, momentum axis",
		},
		{ // through step_limit, and by the default of what is read
			", fraction: 1, steps: 10, dimension: 8}\ngrid: {rho: [0.5], covariance: [ar1]}\n" +
				"derive: {learning_rate: fraction * step_limit, scale: 1.0 / width}\n",
			"optimizer read by learning_rate, dimension read by scale learning_rate, covariance axis read by " +
				"learning_rate, scale derived read by learning_rate, anisotropy read by learning_rate, " +
				"rho axis read by learning_rate, learning_rate derived, fraction read by learning_rate",
		},
	} {
		spec, err := sweep.Parse("sweep.yaml", []byte(head+c.file), sweep.Limits{})
		if err != nil {
			t.Error(err)
			continue
		}
		schema, err := results.SweepSchema(spec, sweep.BuiltinSolver(4))
		if err != nil {
			t.Fatal(err)
		}
		set, err := results.OpenSet(newFolder(t, schema).dir)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, p := range set.Schema().Parameters() {
			text := p.Name
			if p.Axis {
				text += " axis"
			}
			if p.Derived {
				text += " derived"
			}
			if p.ReadBy != "" {
				text += " read by " + p.ReadBy
			}
			if text != p.Name {
				said = append(said, text)
			}
		}
		if got := strings.Join(said, ", "); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.file, got, c.want)
		}
	}
}

// A variable cannot be called as a column of a table or of a view is, or as a query calls something
// inside: sweep keeps the list of these names.
func TestVariablesAreNoColumns(t *testing.T) {
	names := map[string]bool{"set": true, "eta_step": true} // of query with several sets; of plot
	for _, table := range results.Reference() {
		for _, c := range table.Columns {
			names[c.Name] = true
		}
	}
	var parameters []results.Column
	for _, p := range sweep.Parameters() {
		kind, err := results.ParameterKind(p.Kind)
		if err != nil {
			t.Fatal(err)
		}
		if p.ID != sweep.Representation {
			parameters = append(parameters, results.Column{Name: p.Name, Kind: kind})
		}
	}
	schema, err := results.NewSchema(parameters, results.Options{Solver: sweep.BuiltinSolver(4), Trajectories: true})
	if err != nil {
		t.Fatal(err)
	}
	statements, err := views.SQL(schema, "")
	if err != nil {
		t.Fatal(err)
	}
	aliases := regexp.MustCompile(`\bAS "?([a-z][a-z0-9_]*)"?`).FindAllStringSubmatch(statements, -1)
	if len(aliases) < 50 {
		t.Fatalf("%d names in the views", len(aliases))
	}
	for _, alias := range aliases {
		names[alias[1]] = true
	}
	for name := range names {
		_, err := sweep.Parse("sweep.yaml", []byte("name: x\nvariables: {"+name+": taken}\n"), sweep.Limits{})
		if err == nil || !strings.Contains(err.Error(), "choose another name") {
			t.Errorf("a variable may be called %s, as a column is; add it to columnNames in package sweep", name)
		}
	}
}
