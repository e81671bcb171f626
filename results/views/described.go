package views

import (
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
)

// Described returns a row of the view columns for each column of the set's tables and of its other
// views.
func (v *views) Described() []string {
	var rows []string
	add := func(view string, columns ...results.Column) {
		for _, c := range columns {
			cells := []string{text(view), text(c.Name), text(c.Unit), text(c.Doc)}
			rows = append(rows, "("+strings.Join(cells, ", ")+")")
		}
	}
	for _, t := range v.Tables {
		add(t.String(), v.columnsOf(t)...)
	}
	add("phase_diagram", v.described(v.Settings...)...)
	add("phase_diagram", countColumns...)
	for _, m := range v.Metrics {
		add("phase_diagram", v.statistics(m)...)
	}
	if v.Has("learning_rate") {
		add("best_learning_rate", v.described(v.Settings...)...)
		add("best_learning_rate", rankingColumns...)
	}
	for _, c := range v.Comparisons {
		add(c.View, v.described(append(slices.Clone(c.Held), "optimizer")...)...)
		add(c.View, v.crossing(c)...)
	}
	add("escape", v.described(v.Settings...)...)
	add("escape", escapeColumns...)
	if v.Has("learning_rate") {
		add("escape", results.Column{Name: "escape_time", Doc: "escape_step times learning_rate"})
	}
	add("failures", v.described("point", "point_id", "status", "detail", "diverged_step", "unstable_step",
		"resonant_step")...)
	add("failures", v.described(v.Parameters...)...)
	return rows
}

// columnsOf are the columns of a table's view.
func (v *views) columnsOf(t results.Table) []results.Column {
	return slices.Concat(v.schema.Columns(t), v.schema.Missing(t))
}

// described are columns of the points table, whose names may be quoted.
func (v *views) described(names ...string) []results.Column {
	points := v.columnsOf(results.Points)
	var columns []results.Column
	for _, name := range names {
		name = strings.Trim(name, `"`)
		at := slices.IndexFunc(points, func(c results.Column) bool { return c.Name == name })
		columns = append(columns, points[at])
	}
	return columns
}

var countColumns = []results.Column{
	{Name: "replicates", Doc: "distinct points of the cell that are not invalid"},
	{Name: "ok", Doc: "replicates with status ok"},
	{Name: "diverged", Doc: "replicates with status diverged"},
	{Name: "failed", Doc: "replicates with status failed"},
	{Name: "escaped", Doc: "replicates with an escape_step that is not censored"},
	{Name: "reached_90", Doc: "replicates with a steps_to_90 that is not censored"},
}

// statistics are the columns of phase_diagram for one metric.
func (v *views) statistics(m metric) []results.Column {
	unit := v.described(m.Name)[0].Unit
	of := " of " + m.Name + " over the replicates of the cell"
	columns := []results.Column{
		{Name: m.Name, Unit: unit, Doc: "median" + of},
		{Name: m.Name + "_q10", Unit: unit, Doc: "10 % quantile" + of},
		{Name: m.Name + "_q90", Unit: unit, Doc: "90 % quantile" + of},
	}
	if m.Step {
		columns = append(columns, results.Column{Name: m.Name + "_censored", Doc: "replicates in which it is censored"})
	}
	if v.Replicated {
		const interval = " end of an interval that encloses the median with at least 95 % (k-th smallest and largest " +
			"value); null for fewer than six values, or where censored"
		columns = append(columns, results.Column{Name: m.Name + "_low", Unit: unit, Doc: "lower" + interval},
			results.Column{Name: m.Name + "_high", Unit: unit, Doc: "upper" + interval})
	}
	return columns
}

// rankingColumns are those of best_learning_rate after the settings.
var rankingColumns = []results.Column{
	{
		Name: "held_90_step",
		Unit: "steps",
		Doc: "median at the best learning rate, which is the one where it is smallest; " +
			"above 0.9 steps_run it is censored",
	},
	{Name: "steps_to_90", Unit: "steps", Doc: "median at the best learning rate"},
	{Name: "tail_signal_alignment", Unit: "1", Doc: "median at the best learning rate"},
	{Name: "tail_loss", Unit: "1", Doc: "median at the best learning rate"},
	{Name: "learning_rates", Doc: "learning rates that the cell has"},
	{Name: "excluded_rates", Doc: "learning rates with unstable_step, which are no candidates"},
	{Name: "at_edge", Doc: "the best learning rate is the smallest or largest of several"},
	{Name: "runs", Doc: "distinct points of the cell that are not invalid"},
	{Name: "censored", Doc: "runs in which held_90_step is censored"},
	{Name: "verdict", Doc: "where the best learning rate stands among the others, or why there is none"},
}

// crossing are the columns of a comparison after what is held equal.
func (v *views) crossing(c comparison) []results.Column {
	unit := v.described(c.Axis)[0].Unit
	return []results.Column{
		{
			Name: c.Name,
			Unit: unit,
			Doc: "where the best held_90_step of the optimizer and of gd cross, interpolated; null " +
				"without a change or where one is censored",
		},
		{Name: c.Name + "_below", Unit: unit, Doc: "the last value before the change"},
		{Name: c.Name + "_above", Unit: unit, Doc: "the first value after the change"},
		{Name: "direction", Doc: "the optimizer overtakes gd, or falls behind"},
		{Name: "changes", Doc: "changes of the lead along " + c.Name},
		{Name: "verdict", Doc: "how the value was found, or why there is none"},
	}
}

// escapeColumns are those of escape after the settings, up to escape_time.
var escapeColumns = []results.Column{
	{Name: "spectral_gap", Unit: "1", Doc: "largest eigenvalue of Q, as normalised, less the one it competes with"},
	{Name: "runs", Doc: "distinct points of the cell that are not invalid"},
	{Name: "escaped", Doc: "runs with an escape_step that is not censored"},
	{Name: "escape_step", Unit: "steps", Doc: "median over the runs"},
	{Name: "escape_step_q10", Unit: "steps", Doc: "10 % quantile over the runs"},
	{Name: "escape_step_q90", Unit: "steps", Doc: "90 % quantile over the runs"},
	{Name: "escape_step_censored", Doc: "runs in which it is censored"},
}
