package views

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

//go:embed views.sql.tmpl
var viewsTemplate string

// SQL returns the views of a result set with a schema: one for each table, and those of
// phase_diagram, best_learning_rate, crossover, escape and failures that its parameters allow. base
// is the path of the set for DuckDB, "" for its working directory.
func SQL(s *results.Schema, base string) (string, error) {
	t, err := template.New(results.ViewsName).Parse(viewsTemplate)
	if err != nil {
		return "", fmt.Errorf("views: make %s: %w", results.ViewsName, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, newViews(s, base)); err != nil {
		return "", fmt.Errorf("views: make %s: %w", results.ViewsName, err)
	}
	return b.String(), nil
}

// views are the data of the template: quoted column names in groups.
type views struct {
	base   string
	schema *results.Schema

	Tables     []results.Table
	Parameters []string
	Settings   []string // parameters but the seed
	Metrics    []metric // results in the points table that are numbers
	Escape     metric
	Held       metric   // what learning rates are ranked by
	Companions []metric // of the best learning rate
	Axes       []string // settings that replicates share: those that are not derived
	Rates      []string // axes that only choose the learning rate
	Cell       []string // axes that competing learning rates share: the others

	CellAndRate []string
	Comparisons []comparison
	Replicated  bool // cells may have several replicates
}

func newViews(s *results.Schema, base string) *views {
	v := &views{
		base: base, schema: s, Tables: s.Tables(),
		Escape: metric{"escape_step", true}, Held: metric{"held_90_step", true},
		Companions: []metric{{"steps_to_90", true}, {"tail_signal_alignment", false}, {"tail_loss", false}},
	}
	for _, p := range s.Parameters() {
		name := quote(p.Name)
		v.Parameters = append(v.Parameters, name)
		if p.Name == "seed" {
			continue
		}
		v.Settings = append(v.Settings, name)
		if follows(s, p) {
			continue
		}
		v.Axes = append(v.Axes, name)
		switch {
		case among(s.RateVariables(), p):
			v.Rates = append(v.Rates, name)
		case p.Name != "learning_rate":
			v.Cell = append(v.Cell, name)
		}
	}
	points := results.Reference()[results.Points]
	for _, c := range points.Columns[points.Parameters:] {
		if c.Kind == results.Float64 || c.Kind == results.Int64 {
			v.Metrics = append(v.Metrics, metric{c.Name, c.Kind == results.Int64})
		}
	}
	v.CellAndRate = append(slices.Clone(v.Cell), `"learning_rate"`)
	v.Comparisons = v.comparisons()
	v.Replicated = v.Has("seed")
	return v
}

// follows reports whether a parameter's values follow from those of others, so that it parts no
// cells. Sets of solver versions before 4 do not record it; there, steps follow the learning rate.
func follows(s *results.Schema, p results.Column) bool {
	_, before4 := s.Options().Solver.BeforeIdentities()
	return p.Derived || p.Name == "steps" && before4
}

// quote quotes a column name for SQL.
func quote(name string) string { return `"` + name + `"` }

// Glob returns the SQL string that matches a table's files. All files of a table have the same
// columns, so DuckDB need not open each of them to unite their names.
func (v *views) Glob(t results.Table) string {
	return text(path.Join(v.base, t.String(), "*.parquet"))
}

// sqlType is the name of a kind in DuckDB.
func sqlType(k results.Kind) string {
	return [...]string{"BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "TIMESTAMPTZ"}[k]
}

// Missing adds columns that a set of an earlier release does not have, with null in every row.
func (v *views) Missing(t results.Table) string {
	var b strings.Builder
	for _, c := range v.schema.Missing(t) {
		fmt.Fprintf(&b, ", NULL::%s AS %s", sqlType(c.Kind), quote(c.Name))
	}
	return b.String()
}

// text quotes a string for SQL; NULL if it is empty.
func text(s string) string {
	if s == "" {
		return "NULL"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// Lacks reports whether the set is of an earlier release and lacks a column of points.
func (v *views) Lacks(name string) bool {
	return slices.ContainsFunc(v.schema.Missing(results.Points), func(c results.Column) bool { return c.Name == name })
}

// Has reports whether the set has all of the parameters.
func (v *views) Has(names ...string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(v.schema.Parameters(), func(c results.Column) bool { return c.Name == name }) {
			return false
		}
	}
	return true
}

// Tuned lists the settings without what is tuned over.
func (v *views) Tuned() []string {
	return slices.DeleteFunc(slices.Clone(v.Settings), func(name string) bool {
		return name == `"learning_rate"` || slices.Contains(v.Rates, name)
	})
}

// TunedAndRate is Tuned with the learning rate.
func (v *views) TunedAndRate() []string { return append(v.Tuned(), `"learning_rate"`) }

// Winners is Columns of the settings but for the learning rate, with the values of Rates that the
// best one has.
func (v *views) Winners() string {
	var b strings.Builder
	for _, name := range v.Settings {
		switch {
		case slices.Contains(v.Rates, name):
			fmt.Fprintf(&b, "best.%s AS %[1]s, ", name)
		case name != `"learning_rate"`:
			b.WriteString(name + ", ")
		}
	}
	return b.String()
}

// Grouped is Columns of settings in a query that groups by some of them: the others are shown where
// the rows of a group have one value, and are null elsewhere.
func (v *views) Grouped(names, by []string) string {
	var b strings.Builder
	for _, name := range names {
		if !slices.Contains(by, name) {
			fmt.Fprintf(&b, "CASE WHEN count(%s) = count(*) AND min(%[1]s) = max(%[1]s) THEN min(%[1]s) END AS ", name)
		}
		b.WriteString(name + ", ")
	}
	return b.String()
}

// Columns lists columns for a SELECT, each followed by a comma.
func (v *views) Columns(names []string) string { return v.Prefixed("", names) }

// Prefixed is Columns with a table alias.
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

// Group lists columns for a GROUP BY, or () for a single group if there are none.
func (v *views) Group(names []string) string {
	if len(names) == 0 {
		return "()"
	}
	return strings.Join(names, ", ")
}

// Spectral lists the spectral optimizers as SQL strings.
func (v *views) Spectral() string {
	var names []string
	for _, o := range sweep.Optimizers() {
		if o.Spectral {
			names = append(names, o.Name)
		}
	}
	return "'" + strings.Join(names, "', '") + "'"
}

// SpectralGap returns the SQL for the gap at the top of the spectrum of Q, as normalised.
func (v *views) SpectralGap() string {
	if !v.Has("covariance", "dimension") {
		return "NULL::DOUBLE"
	}
	var b strings.Builder
	for _, f := range sweep.Covariances() {
		known := true
		for _, p := range f.Parameters {
			known = known && v.Has(p.ID.String())
		}
		if !known { // the set has no points of this family
			continue
		}
		fmt.Fprintf(&b, "\n        WHEN covariance = '%s' THEN (%s)", f.Name, f.SQL.Gap)
		if v.Has("normalize") {
			fmt.Fprintf(
				&b,
				"\n            * CASE normalize WHEN 'trace_d' THEN dimension / (%s) WHEN 'trace_1' THEN 1 / (%[1]s)"+
					" WHEN 'max_1' THEN 1 / (%s) ELSE 1 END",
				f.SQL.Trace,
				f.SQL.Largest,
			)
		}
	}
	if b.Len() == 0 {
		return "NULL::DOUBLE"
	}
	return "CAST(CASE" + b.String() + " END AS DOUBLE)"
}
