package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

type diffOptions struct {
	A, B    string
	Table   string
	Columns []string
	Limit   int
	Output  output
	stdout  io.Writer
}

func (m Main) diffCommand() *cobra.Command {
	o := diffOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two result sets: rows that differ, by column, in ulps",
		Long: `diff compares the rows of two result sets. The exit code is 0 if they are equal, 1 if they differ or
cannot be read, and 2 for a wrong command line.

Rows are matched by point_id, which is a hash of a point's parameters and the solver's version; rows
of trajectories and coefficients also by step and group. Ids that occur several times, along an axis
without effect, are matched in the order of the points. Every column that both sets have is compared
bit for bit, except the index of the point, which depends on the sweep file; columns that only one
set has are named. One ulp is the distance of a float64 to the next.

  phasegrid diff results/a-1a2b3c4d results/b-5e6f7a8b
  phasegrid diff results/a-1a2b3c4d results/b-5e6f7a8b --columns loss,status --limit 0
  phasegrid diff results/a-1a2b3c4d results/b-5e6f7a8b --table trajectories -o json

Sets of ten million points take about 1 GB of memory: 28 bytes per point of A, 16 bytes per point in
both sets and 128 MiB of rows, up to twice because of garbage collection. A is read once; so is B
where the common points have the same order in both sets, otherwise B is read once for each 128 MiB
of rows of A.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.A, o.B = args[0], args[1]
			return runDiff(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Table, "table", results.Points.String(), "points, trajectories or coefficients")
	flags.StringSliceVar(&o.Columns, "columns", nil,
		"`names` of the columns to compare, separated by commas (default: all that both sets have)")
	flags.IntVar(&o.Limit, "limit", 10, "maximum `number` of differing rows to show")
	o.Output.addFlag(flags)
	return cmd
}

func runDiff(ctx context.Context, o diffOptions) error {
	if o.Limit < 0 {
		return usageError{fmt.Errorf("--limit: got %d, want 0 or more", o.Limit)}
	}
	table, err := diffTable(o.Table)
	if err != nil {
		return err
	}
	a, viewA, err := openDiffSet(o.A)
	if err != nil {
		return err
	}
	b, viewB, err := openDiffSet(o.B)
	if err != nil {
		return err
	}
	comparison, err := results.NewComparison(a, b, table, o.Columns)
	if err != nil {
		return usageError{err}
	}
	d, err := comparison.Run(ctx, o.Limit)
	if err != nil {
		return err
	}
	view := viewDiff(viewA, viewB, d)
	if err := o.Output.print(o.stdout, view, view.print); err != nil {
		return err
	}
	if !d.Same() {
		return fmt.Errorf("%s and %s differ", o.A, o.B)
	}
	return nil
}

// diffTable is a table that can be compared, by name.
func diffTable(name string) (results.Table, error) {
	for _, t := range []results.Table{results.Points, results.Trajectories, results.Coefficients} {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, usageError{fmt.Errorf("--table: got %q, want points, trajectories or coefficients", name)}
}

func openDiffSet(dir string) (*results.Set, diffSetView, error) {
	spec, err := specOf(dir)
	if err != nil {
		return nil, diffSetView{}, err
	}
	set, err := results.OpenSet(dir)
	if err != nil {
		return nil, diffSetView{}, err
	}
	solver := set.Schema().Options().Solver
	return set, diffSetView{
		Set: dir, ID: spec.ID(solver), Solver: solver, Finished: set.Manifest() != nil,
	}, nil
}

// diffView is the difference of two result sets.
type diffView struct {
	A                diffSetView      `json:"a" yaml:"a"`
	B                diffSetView      `json:"b" yaml:"b"`
	Table            string           `json:"table" yaml:"table"`
	Rows             diffRowsView     `json:"rows" yaml:"rows"`
	ColumnsOnlyInA   []string         `json:"columns_only_in_a" yaml:"columns_only_in_a"`
	ColumnsOnlyInB   []string         `json:"columns_only_in_b" yaml:"columns_only_in_b"`
	ColumnsOtherType []string         `json:"columns_of_other_type" yaml:"columns_of_other_type"`
	Columns          []diffColumnView `json:"columns" yaml:"columns"` // all that were compared
	Cells            []diffCellView   `json:"cells" yaml:"cells"`     // of the first differing rows
}

type diffSetView struct {
	Set      string               `json:"set" yaml:"set"`
	ID       string               `json:"id" yaml:"id"` // of the sweep
	Solver   sweep.SolverIdentity `json:"solver" yaml:"solver"`
	Finished bool                 `json:"finished" yaml:"finished"`
}

type diffRowsView struct {
	OnlyInA   int64 `json:"only_in_a" yaml:"only_in_a"`
	OnlyInB   int64 `json:"only_in_b" yaml:"only_in_b"`
	Both      int64 `json:"both" yaml:"both"`
	Equal     int64 `json:"equal" yaml:"equal"`
	Differing int64 `json:"differing" yaml:"differing"`
}

type diffColumnView struct {
	Column  string        `json:"column" yaml:"column"`
	Rows    int64         `json:"rows" yaml:"rows"`         // that differ
	Nulls   int64         `json:"nulls" yaml:"nulls"`       // of these, null in one set only
	MaxUlps *uint64       `json:"max_ulps" yaml:"max_ulps"` // null unless two float64 numbers differ
	MaxAbs  *float64      `json:"max_abs" yaml:"max_abs"`   // null unless two numbers differ
	Example *diffCellView `json:"example" yaml:"example"`   // one with the largest difference
}

type diffCellView struct {
	PointID string  `json:"point_id" yaml:"point_id"`
	PointA  int64   `json:"point_a" yaml:"point_a"` // index in A
	PointB  int64   `json:"point_b" yaml:"point_b"`
	Step    *int64  `json:"step,omitempty" yaml:"step,omitempty"`
	Group   *int64  `json:"group,omitempty" yaml:"group,omitempty"`
	Column  string  `json:"column" yaml:"column"`
	A       any     `json:"a" yaml:"a"`
	B       any     `json:"b" yaml:"b"`
	Ulps    *uint64 `json:"ulps" yaml:"ulps"` // null unless both are float64 numbers
}

func viewDiff(a, b diffSetView, d *results.Difference) *diffView {
	v := &diffView{
		A: a, B: b, Table: d.Table.String(),
		Rows: diffRowsView{
			OnlyInA: d.OnlyA, OnlyInB: d.OnlyB, Both: d.Equal + d.Differing, Equal: d.Equal, Differing: d.Differing,
		},
		ColumnsOnlyInA:   append([]string{}, d.ColumnsA...), // [] rather than null in JSON
		ColumnsOnlyInB:   append([]string{}, d.ColumnsB...),
		ColumnsOtherType: append([]string{}, d.OtherKind...),
		Columns:          []diffColumnView{},
		Cells:            []diffCellView{},
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		column := diffColumnView{Column: c.Column.Name, Rows: c.Rows, Nulls: c.Nulls}
		if c.Rows > 0 {
			example := viewDiffCell(d.Table, &c.Example)
			column.Example = &example
			if c.Example.Numbers {
				column.MaxAbs = &c.MaxAbs
			}
			if example.Ulps != nil {
				column.MaxUlps = &c.MaxUlps
			}
		}
		v.Columns = append(v.Columns, column)
	}
	for i := range d.Cells {
		v.Cells = append(v.Cells, viewDiffCell(d.Table, &d.Cells[i]))
	}
	return v
}

func viewDiffCell(t results.Table, c *results.CellDifference) diffCellView {
	v := diffCellView{
		PointID: c.PointID, PointA: c.PointA, PointB: c.PointB, Column: c.Column.Name,
		A: cellValue(c.Column.Kind, c.A), B: cellValue(c.Column.Kind, c.B),
	}
	if t != results.Points {
		v.Step = &c.Step
	}
	if t == results.Coefficients {
		v.Group = &c.Group
	}
	if c.Numbers && c.Column.Kind == results.Float64 {
		v.Ulps = &c.Ulps
	}
	return v
}

// cellValue is a cell as JSON and YAML have it. Only sets that phasegrid did not write have floats
// that are not finite; these become text.
func cellValue(k results.Kind, c results.Cell) any {
	switch {
	case c.Null:
		return nil
	case k == results.Float64 && (math.IsNaN(c.Float) || math.IsInf(c.Float, 0)):
		return strconv.FormatFloat(c.Float, 'g', -1, 64)
	case k == results.Float64:
		return c.Float
	case k == results.Bool:
		return c.Bool
	case k == results.String:
		return c.Text
	}
	return c.Int
}

// print writes the summary, the columns that differ and the cells of the first differing rows.
func (v *diffView) print(w io.Writer) {
	for i, s := range []diffSetView{v.A, v.B} {
		state := ""
		if !s.Finished {
			state = ", not finished"
		}
		fmt.Fprintf(w, "%c: %s, sweep %s, solver %s%s\n", 'A'+i, s.Set, s.ID, s.Solver, state)
	}
	if v.A.Solver != v.B.Solver {
		fmt.Fprintln(w, "point ids depend on the solver: no row of A has a counterpart in B")
	}
	for _, names := range []struct {
		where string
		names []string
	}{
		{"columns only in A", v.ColumnsOnlyInA},
		{"columns only in B", v.ColumnsOnlyInB},
		{"columns of another type", v.ColumnsOtherType},
	} {
		if len(names.names) > 0 {
			fmt.Fprintf(w, "%s, not compared: %s\n", names.where, strings.Join(names.names, ", "))
		}
	}
	r := v.Rows
	fmt.Fprintf(w, "%s: %s in both, %s equal and %s differing; %s only in A, %s only in B\n", v.Table,
		counted(r.Both, "row"), humanize.Comma(r.Equal), humanize.Comma(r.Differing),
		humanize.Comma(r.OnlyInA), humanize.Comma(r.OnlyInB))
	if r.Differing == 0 {
		return
	}
	fmt.Fprintln(w, "\nCOLUMN\tROWS\tNULL IN ONE\tMAX ULPS\tMAX ABS\tEXAMPLE POINT")
	for _, c := range v.Columns {
		if c.Rows > 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Column, humanize.Comma(c.Rows), humanize.Comma(c.Nulls),
				orDash("%d", c.MaxUlps), orDash("%.3g", c.MaxAbs), c.Example.row())
		}
	}
	if len(v.Cells) == 0 {
		return
	}
	fmt.Fprintln(w, "\nPOINT\tCOLUMN\tA\tB\tULPS")
	for i := range v.Cells {
		c := &v.Cells[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.row(), c.Column, cellText(c.A), cellText(c.B), orDash("%d", c.Ulps))
	}
}

// row names a row by its index in A, with that in B where it is another one.
func (v *diffCellView) row() string {
	text := strconv.FormatInt(v.PointA, 10)
	if v.PointB != v.PointA {
		text += fmt.Sprintf(" (%d in B)", v.PointB)
	}
	if v.Step != nil {
		text += fmt.Sprintf(" step %d", *v.Step)
	}
	if v.Group != nil {
		text += fmt.Sprintf(" group %d", *v.Group)
	}
	return text
}

// cellText is a cell in the table; long lists and error messages are cut.
func cellText(value any) string {
	if value == nil {
		return "null"
	}
	text := []rune(strings.Join(strings.Fields(fmt.Sprint(value)), " "))
	if len(text) > 60 {
		return string(text[:57]) + "..."
	}
	return string(text)
}

func orDash[T any](format string, value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprintf(format, *value)
}
