package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

type explainOptions struct {
	Dir       string
	Point     int64
	SweepOnly bool
	Output    output
	stdout    io.Writer
}

func (m Main) explainCommand() *cobra.Command {
	o := explainOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "explain DIR POINT",
		Short: "Show where a row came from: parameters, seed, shard, node and how to reproduce it",
		Long: `explain shows one point of a result set: its resolved parameters, its metrics, which node computed
it and when, and a sweep file of this point only, which gives the same point_id.

  phasegrid explain results/my-sweep-1a2b3c4d 137
  phasegrid explain results/my-sweep-1a2b3c4d 137 --sweep > point.yaml && phasegrid run point.yaml`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = args[0]
			point, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil || point < 0 {
				return usageError{
					fmt.Errorf(
						"POINT: got %q, want a number from the column point of %s",
						args[1], filepath.Join(args[0], "points"),
					),
				}
			}
			o.Point = point
			return runExplain(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.SweepOnly, "sweep", false, "print only the sweep file that reproduces the point")
	o.Output.addFlag(cmd.Flags())
	return cmd
}

type explainView struct {
	Set        string       `json:"set"`
	Point      int64        `json:"point"`
	PointID    string       `json:"point_id"`
	Status     string       `json:"status"`
	Detail     string       `json:"detail,omitempty"`
	Parameters []namedValue `json:"parameters"`
	Metrics    []namedValue `json:"metrics"`
	Origin     *originView  `json:"origin,omitempty"`
	Sweep      string       `json:"sweep"`
	Command    string       `json:"command"`
}

type namedValue struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Meaning string `json:"meaning,omitempty"` // of a variable
}

// originView is the row of the point's shard in the table of shards.
type originView struct {
	Shard           int64                `json:"shard"`
	FirstIndex      int64                `json:"first_index"`
	EndIndex        int64                `json:"end_index"`
	Node            string               `json:"node"`
	Attempts        int64                `json:"attempts"`
	Solver          sweep.SolverIdentity `json:"solver"`
	ArithmeticClass string               `json:"arithmetic_class"`
	Kernel          string               `json:"kernel"`
	Started         time.Time            `json:"started"`
	Finished        time.Time            `json:"finished"`
}

func runExplain(ctx context.Context, o explainOptions) error {
	set, err := openSet(o.Dir)
	if err != nil {
		return err
	}
	spec, err := specOf(o.Dir)
	if err != nil {
		return err
	}
	point, ok := spec.Point(o.Point)
	if !ok {
		return usageError{
			fmt.Errorf(
				"point %d does not belong to the sweep in %s: indices are 0..%d, except those that where excludes",
				o.Point, o.Dir, spec.Size()-1,
			),
		}
	}
	row, err := findPoint(ctx, set, o.Point)
	if err != nil {
		return err
	}
	origin, err := findOrigin(ctx, set, o.Point)
	if err != nil {
		return err
	}
	file := pointFile(spec, point)
	if o.SweepOnly {
		_, err := io.WriteString(o.stdout, file)
		return err
	}
	view := explainView{
		Set: o.Dir, Point: o.Point, PointID: hex.EncodeToString(row.PointID[:]), Status: row.Status, Detail: row.Detail,
		Parameters: assigned(spec, point), Metrics: measured(row), Origin: origin, Sweep: file,
		Command: fmt.Sprintf(
			"phasegrid explain %s %d --sweep > point-%d.yaml && phasegrid run point-%d.yaml",
			o.Dir, o.Point, o.Point, o.Point,
		),
	}
	return o.Output.print(o.stdout, view, func(w io.Writer) { printExplain(w, view) })
}

func findPoint(ctx context.Context, set *results.Set, point int64) (results.PointRow, error) {
	for row, err := range set.Points(ctx) {
		if err != nil {
			return results.PointRow{}, err
		}
		if row.Point == point {
			return row, nil
		}
	}
	return results.PointRow{}, fmt.Errorf(
		"point %d has no row in %s: its part is not merged yet, or its shard is quarantined", point, set.Dir(),
	)
}

func findOrigin(ctx context.Context, set *results.Set, point int64) (*originView, error) {
	for row, err := range set.Shards(ctx) {
		if err != nil {
			return nil, err
		}
		if row.First <= point && point < row.End {
			return &originView{
				row.Shard,
				row.First,
				row.End,
				row.Node,
				row.Attempts,
				set.Schema().Options().Solver,
				row.ArithmeticClass,
				row.Kernel,
				time.UnixMicro(row.Started).UTC(),
				time.UnixMicro(row.Finished).UTC(),
			}, nil
		}
	}
	return nil, nil
}

// assigned returns the parameters that apply to a point, and the variables that it has.
func assigned(spec *sweep.Spec, p sweep.Point) []namedValue {
	var values []namedValue
	for id, v := range p.Params {
		if v.IsNull() {
			continue
		}
		d := spec.Describe(sweep.ParameterID(id))
		value := namedValue{Name: d.Name, Value: parameterText(v)}
		if d.IsVariable() {
			value.Meaning = d.Doc
		}
		values = append(values, value)
	}
	return values
}

func parameterText(v sweep.Value) string {
	if v.Kind() == sweep.KindText {
		return v.Text()
	}
	return v.String()
}

// pointFile is a sweep of this point only. Every parameter is fixed, so it has the same point_id.
func pointFile(spec *sweep.Spec, p sweep.Point) string {
	var meanings, values strings.Builder
	for id, v := range p.Params {
		d := spec.Describe(sweep.ParameterID(id))
		switch {
		case v.IsNull():
		case d.IsVariable():
			fmt.Fprintf(&meanings, "  %s: %q\n", d.Name, d.Doc)
			fmt.Fprintf(&values, "  %s: %s\n", d.Name, v)
		default:
			fmt.Fprintf(&values, "  %s: %s\n", d.Name, parameterText(v))
		}
	}
	variables := ""
	if meanings.Len() > 0 {
		variables = "variables:\n" + meanings.String()
	}
	return fmt.Sprintf("# Point %d of the sweep %s.\nname: %s\n%sfixed:\n%srecord: %s\n",
		p.Index, spec.Name(), pointName(spec.Name(), p.Index), variables, values.String(), recordText(spec.Record()))
}

// pointName shortens the name so that the suffix fits into the 63 characters of a name.
func pointName(name string, point int64) string {
	suffix := fmt.Sprintf("-point-%d", point)
	return name[:min(len(name), 63-len(suffix))] + suffix
}

func recordText(r sweep.Record) string {
	coefficients := ""
	if r.Coefficients {
		coefficients = ", coefficients: true"
	}
	switch {
	case r.Every > 0:
		return fmt.Sprintf("{every: %d%s}", r.Every, coefficients)
	case r.Log > 0:
		return fmt.Sprintf("{log: %d%s}", r.Log, coefficients)
	case len(r.Steps) > 0:
		return fmt.Sprintf(
			"{steps: [%s]%s}",
			strings.Join(strings.Fields(strings.Trim(fmt.Sprint(r.Steps), "[]")), ", "), coefficients,
		)
	}
	return "none"
}

// measured are the metrics and results of a row that are not null.
func measured(r results.PointRow) []namedValue {
	var values []namedValue
	for column, cell := range r.Measurements() {
		switch {
		case cell.Null:
		case column.Kind == results.Float64:
			values = append(values, namedValue{Name: column.Name, Value: strconv.FormatFloat(cell.Float, 'g', -1, 64)})
		case column.Kind == results.Bool:
			values = append(values, namedValue{Name: column.Name, Value: strconv.FormatBool(cell.Bool)})
		default:
			values = append(values, namedValue{Name: column.Name, Value: strconv.FormatInt(cell.Int, 10)})
		}
	}
	return values
}

func printExplain(w io.Writer, v explainView) {
	fmt.Fprintf(w, "point\t%d of %s\n", v.Point, v.Set)
	fmt.Fprintf(w, "point_id\t%s\n", v.PointID)
	fmt.Fprintf(w, "status\t%s\n", strings.TrimSpace(v.Status+" "+v.Detail))
	if s := v.Origin; s != nil {
		indices := fmt.Sprintf("indices %d to %d", s.FirstIndex, s.EndIndex-1)
		if s.EndIndex-s.FirstIndex == 1 {
			indices = fmt.Sprintf("index %d", s.FirstIndex)
		}
		fmt.Fprintf(w, "shard\t%d, %s\n", s.Shard, indices)
		fmt.Fprintf(
			w,
			"computed\tby %s, %s to %s, attempt %d\n",
			s.Node,
			s.Started.Format(time.RFC3339),
			s.Finished.Format(time.RFC3339),
			s.Attempts,
		)
		fmt.Fprintf(w, "solver\t%s, %s, kernel %s\n", s.Solver, s.ArithmeticClass, s.Kernel)
	}
	for _, table := range []struct {
		title  string
		values []namedValue
	}{{"PARAMETER", v.Parameters}, {"METRIC", v.Metrics}} {
		fmt.Fprintf(w, "\n%s\tVALUE\n", table.title)
		for _, p := range table.values {
			fmt.Fprintf(w, "%s\t%s", p.Name, p.Value)
			if p.Meaning != "" {
				fmt.Fprintf(w, "\t%s", p.Meaning)
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "\nTo reproduce it:\n%s\n\n%s", v.Command, v.Sweep)
}
