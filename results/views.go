package results

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"
)

//go:embed views.sql.tmpl
var viewsTemplate string

// Views returns the SQL of the set's views: points, trajectories, coefficients and shards as the
// set has them, and phase_diagram, best_learning_rate, crossover, escape and failures as its
// parameters allow. base is the folder of the set as DuckDB will see it, "" for the folder it runs
// in.
func (s *Schema) Views(base string) (string, error) {
	t, err := template.New(ViewsName).Parse(viewsTemplate)
	if err != nil {
		return "", fmt.Errorf("results: %s: %w", ViewsName, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, newViews(s, base)); err != nil {
		return "", fmt.Errorf("results: %s: %w", ViewsName, err)
	}
	return b.String(), nil
}

// views is what the template sees: quoted column names in groups.
type views struct {
	base   string
	schema *Schema

	Tables     []Table
	Parameters []string // all of them
	Metrics    []string // of the points table, without the parameters; not quoted
	Axes       []string // all but the seed: what replicates share
	Cell       []string // all but seed and step size: where step sizes compete
	Problem    []string // what optimizers share, without the anisotropy

	CellAndRate, ProblemAndPair, AxesAndGap []string
}

// problemParameters say what is solved, not how: optimizers are compared where these agree.
var problemParameters = []string{
	"model",
	"dimension",
	"width",
	"samples",
	"batch_size",
	"covariance",
	"scale",
	"spikes",
	"exponent",
	"blocks",
	"eigenvalues",
	"rho",
	"normalize",
	"rotate",
	"teacher",
	"teacher_index",
	"teacher_weights",
	"teacher_norm2",
	"init",
	"init_scale",
	"label_noise",
}

// spectralOptimizers map the gradient's singular values.
var spectralOptimizers = []string{"specgd", "nucspec", "muon", "power", "dynmuon", "shampoo"}

func newViews(s *Schema, base string) *views {
	v := &views{base: base, schema: s, Tables: s.Tables()}
	for _, p := range s.parameters {
		name := quote(p.Name)
		v.Parameters = append(v.Parameters, name)
		if p.Name == "seed" {
			continue
		}
		v.Axes = append(v.Axes, name)
		// The horizon follows the step size in most sweeps: it must not part the step sizes of a
		// cell.
		if p.Name != "learning_rate" && p.Name != "steps" {
			v.Cell = append(v.Cell, name)
		}
		if slices.Contains(problemParameters, p.Name) {
			v.Problem = append(v.Problem, name)
		}
	}
	for _, c := range pointResults {
		if c.Kind == Float64 || c.Kind == Int64 {
			v.Metrics = append(v.Metrics, c.Name)
		}
	}
	v.CellAndRate = append(slices.Clone(v.Cell), `"learning_rate"`)
	v.ProblemAndPair = append(slices.Clone(v.Problem), `"optimizer"`, `"anisotropy"`)
	v.AxesAndGap = append(slices.Clone(v.Axes), "spectral_gap")
	return v
}

func quote(name string) string { return `"` + name + `"` }

// Glob is the SQL string that matches a table's files. The columns of all files of a set are the
// same, so DuckDB need not open each of them to unite their names.
func (v *views) Glob(t Table) string {
	return "'" + strings.ReplaceAll(path.Join(v.base, t.String(), "*.parquet"), "'", "''") + "'"
}

// Has tells whether the set has all of the parameters.
func (v *views) Has(names ...string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(v.schema.parameters, func(c Column) bool { return c.Name == name }) {
			return false
		}
	}
	return true
}

// Columns lists columns for a SELECT, each followed by a comma.
func (v *views) Columns(names []string) string { return v.Prefixed("", names) }

// Prefixed is Columns of a table alias.
func (v *views) Prefixed(alias string, names []string) string {
	if alias != "" {
		alias += "."
	}
	var b strings.Builder
	for _, name := range names {
		b.WriteString(alias + name + ", ")
	}
	return b.String()
}

// Group lists columns for a GROUP BY; () is the one group of a set without such columns.
func (v *views) Group(names []string) string {
	if len(names) == 0 {
		return "()"
	}
	return strings.Join(names, ", ")
}

// Spectral lists the spectral optimizers as SQL strings.
func (v *views) Spectral() string { return "'" + strings.Join(spectralOptimizers, "', '") + "'" }

// SpectralGap is the SQL for the largest eigenvalue of Q less the one it competes with, by
// covariance.
func (v *views) SpectralGap() string {
	var b strings.Builder
	for _, c := range []struct{ covariance, parameter, gap string }{
		{"spiked", "anisotropy", "anisotropy"},
		{"multi_spike", "spikes", "list_max(TRY_CAST(spikes AS DOUBLE[]))"},
		{"power_law", "exponent", "1 - pow(2, -exponent)"},
	} {
		if v.Has("covariance", c.parameter) {
			fmt.Fprintf(&b, " WHEN covariance = '%s' THEN %s", c.covariance, c.gap)
		}
	}
	if v.Has("covariance") {
		b.WriteString(" WHEN covariance = 'isotropic' THEN 0")
	}
	if b.Len() == 0 {
		return "NULL::DOUBLE"
	}
	return "CAST(CASE" + b.String() + " END AS DOUBLE)"
}
