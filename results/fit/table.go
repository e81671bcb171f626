package fit

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/formula"
	"github.com/phasegrid/phasegrid/results/replicate"
)

// table is the rows of a set that a fit reads.
type table struct {
	columns  []column // of the points table, that part groups or that formulas read
	runs     [][]int32
	samples  []sample
	xs       []string // columns of x
	steps    bool     // y is a step number, null where it was not reached
	recorded bool     // the samples are recorded iterates
	rank     string   // column by which learning rates compete; "": they do not
	rate     int      // the column of the learning rate, if they compete
}

// column is a column of the points table. A run has the index of its value.
type column struct {
	of        results.Column
	parameter bool
	tunes     bool // a variable that only chooses the learning rate, where rates compete
	values    []results.Cell
	index     map[results.Cell]int32
}

// sample is a row that satisfies the condition.
type sample struct {
	run    int
	x, y   float64 // NaN where null
	counts bool    // the value is one of a run that is ok

	held, length float64 // by which the learning rate is ranked
	unstable     bool
}

// formulas are what is evaluated at each row.
type formulas struct {
	y, x  *formula.Number
	where *formula.Condition
}

func parse(s *results.Schema, o Options) (f formulas, err error) {
	columns := slices.Clone(s.Columns(o.Table))
	for _, c := range s.Columns(results.Points) {
		if !has(columns, c.Name) {
			columns = append(columns, c)
		}
	}
	if f.y, err = formula.ParseNumber(o.Y, columns); err != nil {
		return f, fmt.Errorf("fit: read y: %w; see phasegrid columns", err)
	}
	if f.x, err = formula.ParseNumber(o.X, columns); err != nil {
		return f, fmt.Errorf("fit: read x: %w; see phasegrid columns", err)
	}
	if f.where, err = formula.ParseCondition(o.Where, columns); err != nil {
		return f, fmt.Errorf("fit: read the condition: %w; see phasegrid columns", err)
	}
	return f, nil
}

// names are the columns that the formulas read.
func (f formulas) names() []string {
	return slices.Concat(f.y.Columns(), f.x.Columns(), f.where.Columns())
}

func has(columns []results.Column, name string) bool {
	return slices.ContainsFunc(columns, func(c results.Column) bool { return c.Name == name })
}

// read reads the rows that a fit needs.
func (f *Fit) read(ctx context.Context) (*table, error) {
	schema, o := f.set.Schema(), f.options
	t := &table{xs: f.formulas.x.Columns(), recorded: o.Table == results.Trajectories}
	for _, c := range schema.Columns(results.Points) {
		parameter := has(schema.Parameters(), c.Name)
		inPoints := t.recorded && !has(schema.Columns(o.Table), c.Name) && slices.Contains(f.formulas.names(), c.Name)
		if parameter || inPoints || slices.Contains(o.By, c.Name) {
			t.columns = append(t.columns, column{of: c, parameter: parameter, index: map[results.Cell]int32{}})
		}
		if !t.recorded && !parameter && c.Kind == results.Int64 && c.Name != "point" {
			t.steps = t.steps || slices.Contains(f.formulas.y.Columns(), c.Name)
		}
	}
	if t.recorded {
		return t, t.readIterates(ctx, f.set, f.formulas)
	}
	t.chooseRank(schema, f.formulas.y.Columns(), o)
	return t, t.readPoints(ctx, f.set, f.formulas)
}

// chooseRank lets learning rates compete for a step number, as in figures, unless groups or x are
// of single rates. Sets of versions before 4 do not have the columns.
func (t *table) chooseRank(s *results.Schema, y []string, o Options) {
	t.rate = slices.IndexFunc(t.columns, func(c column) bool { return c.of.Name == "learning_rate" && c.parameter })
	metric := slices.IndexFunc(y, results.IsCensored)
	single := o.Rows || slices.Contains(slices.Concat(o.By, t.xs), "learning_rate")
	if metric < 0 || t.rate < 0 || single ||
		!has(s.Columns(results.Points), "steps_run") || !has(s.Columns(results.Points), "held_90_step") {
		return
	}
	t.rank = replicate.RankColumn(y[metric])
	for i, c := range t.columns {
		t.columns[i].tunes = has(s.RateVariables(), c.of.Name)
	}
}

// scan calls add for each point that counts: not the invalid ones, and one of those that have equal
// parameters, as in the views. extra are further columns to read.
func (t *table) scan(
	ctx context.Context, set *results.Set, extra []string, add func(point int64, status string, row formula.Row),
) error {
	order := []string{"point", "point_id", "status"}
	for _, c := range t.columns {
		order = append(order, c.of.Name)
	}
	order = append(order, extra...)
	at := map[string]int{}
	for i, name := range slices.Backward(order) {
		at[name] = i
	}
	all := make([]int, len(t.columns))
	for i := range all {
		all[i] = i
	}
	seen := map[string]bool{}
	for cells, err := range set.Scan(ctx, results.Points, order...) {
		if err != nil {
			return err
		}
		if cells[2].Text == results.StatusInvalid {
			continue
		}
		codes := make([]int32, len(t.columns))
		for i := range t.columns {
			codes[i] = t.columns[i].code(cells[3:][i])
		}
		key := cells[1].Text + key(codes, all)
		if seen[key] {
			continue
		}
		seen[key] = true
		t.runs = append(t.runs, codes)
		add(cells[0].Int, cells[2].Text, func(name string) results.Cell { return cells[at[name]] })
	}
	return nil
}

// readPoints makes a sample of each point.
func (t *table) readPoints(ctx context.Context, set *results.Set, f formulas) error {
	metric := "" // that decides whose values count
	if slices.Contains(f.y.Columns(), "diverged_step") {
		metric = "diverged_step"
	}
	names := f.names()
	if t.rank != "" {
		names = append(names, t.rank, "steps_run", "unstable_step")
	}
	return t.scan(ctx, set, names, func(_ int64, status string, row formula.Row) {
		if !f.where.Holds(row) {
			return
		}
		s := sample{run: len(t.runs) - 1, x: f.x.Of(row), y: f.y.Of(row), counts: replicate.Counts(status, metric)}
		if t.rank != "" {
			if s.held = math.NaN(); !row(t.rank).Null {
				s.held = float64(row(t.rank).Int)
			}
			s.length, s.unstable = float64(row("steps_run").Int), row("unstable_step").Bool
		}
		t.samples = append(t.samples, s)
	})
}

// readIterates makes a sample of each row of trajectories, which has the columns of its point too.
func (t *table) readIterates(ctx context.Context, set *results.Set, f formulas) error {
	runs := map[int64]int{}
	err := t.scan(ctx, set, nil, func(point int64, _ string, _ formula.Row) { runs[point] = len(t.runs) - 1 })
	if err != nil {
		return err
	}
	at, order := map[string]int{"point": 0}, []string{"point"}
	for _, c := range set.Schema().Columns(results.Trajectories) {
		if slices.Contains(f.names(), c.Name) && c.Name != "point" {
			at[c.Name] = len(order)
			order = append(order, c.Name)
		}
	}
	of := map[string]int{}
	for i, c := range t.columns {
		of[c.of.Name] = i
	}
	for cells, err := range set.Scan(ctx, results.Trajectories, order...) {
		if err != nil {
			return err
		}
		run, ok := runs[cells[0].Int]
		row := func(name string) results.Cell {
			if i, ok := at[name]; ok {
				return cells[i]
			}
			i := of[name]
			return t.columns[i].values[t.runs[run][i]]
		}
		if ok && f.where.Holds(row) {
			y := f.y.Of(row)
			t.samples = append(t.samples, sample{run: run, x: f.x.Of(row), y: y, counts: !math.IsNaN(y)})
		}
	}
	return nil
}

// code returns the index of a value in the column.
func (c *column) code(cell results.Cell) int32 {
	i, ok := c.index[cell]
	if !ok {
		i = int32(len(c.values))
		cell.Text = strings.Clone(cell.Text)
		c.values, c.index[cell] = append(c.values, cell), i
	}
	return i
}

// key joins the values of columns in a run.
func key(codes []int32, columns []int) string {
	var b []byte
	for _, i := range columns {
		b = binary.LittleEndian.AppendUint32(b, uint32(codes[i]))
	}
	return string(b)
}

// by returns the columns that part the groups: those asked for, else the parameters that vary
// independently of x and of each other. Replicates, and what the sweep derives, part no groups.
func (t *table) by(o Options) []int {
	var keys, by []int
	for i, c := range t.columns {
		if c.parameter && !t.recorded && slices.Contains(t.xs, c.of.Name) {
			keys = append(keys, i)
		}
	}
	candidates := t.candidates()
	if o.By != nil {
		candidates = nil
		for _, name := range o.By {
			by = append(by, slices.IndexFunc(t.columns, func(c column) bool { return c.of.Name == name }))
		}
		keys = append(keys, by...)
	}
	for _, i := range candidates {
		if !slices.Contains(keys, i) && t.varies(i, keys) {
			keys, by = append(keys, i), append(by, i)
		}
	}
	if t.rank != "" && !t.varies(t.rate, keys) {
		t.rank = ""
	}
	if o.By == nil {
		slices.Sort(by)
	}
	return by
}

// candidates are the parameters that may part groups. Those that most sweeps compute from others
// are last, so that the others part the groups where they do; words come first.
func (t *table) candidates() []int {
	var words, numbers, computed []int
	for i, c := range t.columns {
		switch {
		case !c.parameter || c.of.Derived || c.of.Name == "seed" || c.tunes || t.rank != "" && i == t.rate:
		case slices.Contains([]string{"learning_rate", "init_scale", "steps"}, c.of.Name):
			computed = append(computed, i)
		case c.of.Kind == results.String:
			words = append(words, i)
		default:
			numbers = append(numbers, i)
		}
	}
	return slices.Concat(words, numbers, computed)
}

// varies reports whether a column has two values in samples that have equal values of the keys.
func (t *table) varies(column int, keys []int) bool {
	seen := map[string]int32{}
	last := -1
	for _, s := range t.samples {
		if s.run == last {
			continue
		}
		last = s.run
		k, code := key(t.runs[s.run], keys), t.runs[s.run][column]
		if old, ok := seen[k]; ok && old != code {
			return true
		}
		seen[k] = code
	}
	return false
}
