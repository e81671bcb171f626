package plot

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/formula"
)

// frame is the rows of the points table that a figure shows, by column.
type frame struct {
	rows       int
	columns    map[string]*column
	parameters []string                   // of the sweep, in its order
	axes       []string                   // that make good axes, best first
	facets     []string                   // that make good panels or lines, best first
	derived    []string                   // parameters that follow from others
	rates      []string                   // variables that only choose the learning rate
	notes      []string                   // for the caption: which parameters are held, what is left out
	words      map[string]map[string]bool // of each column of words, in all points of the set
	marks      map[int]bool               // rows that mark a cell in which no learning rate gets there
}

// column has numbers or words. Null is NaN or "".
type column struct {
	name    string
	kind    results.Kind
	numbers []float64
	words   []string
}

func (c *column) isWord() bool { return c.kind == results.String }

// value is a cell of a frame, comparable and usable as a key.
type value struct {
	number float64 // 0 where null is true
	word   string
	null   bool
}

func (c *column) at(row int) value {
	if c.isWord() {
		return value{word: c.words[row], null: c.words[row] == ""}
	}
	x := c.numbers[row]
	switch {
	case math.IsNaN(x):
		return value{null: true}
	case c.kind == results.Bool:
		return value{word: strconv.FormatBool(x == 1)}
	}
	return value{number: x}
}

func compareValues(a, b value) int {
	return cmp.Or(
		cmp.Compare(a.number, b.number), cmp.Compare(a.word, b.word), cmp.Compare(truth(a.null), truth(b.null)),
	)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (v value) String() string {
	switch {
	case v.null:
		return "none"
	case v.word != "":
		return v.word
	}
	return number(v.number)
}

// maxWords bounds the words that have a colour of their own.
const maxWords = 1000

// conventions are the columns that every figure needs to count runs as the views do.
var conventions = []string{"point", "point_id", "status", "unstable_step", "held_90_step", "steps_run"}

// load reads the named columns, the parameters and the conventions of the points that satisfy
// where.
func load(ctx context.Context, set *results.Set, where string, names ...string) (*frame, error) {
	f := &frame{columns: map[string]*column{}, words: map[string]map[string]bool{}}
	f.know(set.Schema())
	keep, err := formula.ParseCondition(where, set.Schema().Columns(results.Points))
	if err != nil {
		return nil, fmt.Errorf("plot: read the condition: %w; see phasegrid columns", err)
	}
	computed, err := expressions(set, names)
	if err != nil {
		return nil, err
	}
	var read []*column
	var order []string
	for _, c := range set.Schema().Columns(results.Points) {
		wanted := slices.Contains(f.parameters, c.Name) || slices.Contains(names, c.Name) ||
			slices.Contains(conventions, c.Name) || slices.Contains(keep.Columns(), c.Name) ||
			slices.ContainsFunc(computed, func(e expression) bool { return slices.Contains(e.value.Columns(), c.Name) })
		if wanted && f.columns[c.Name] == nil {
			f.columns[c.Name] = &column{name: c.Name, kind: c.Kind}
			if c.Kind == results.String && c.Name != "point_id" {
				f.words[c.Name] = map[string]bool{}
			}
			read, order = append(read, f.columns[c.Name]), append(order, c.Name)
		}
	}
	for _, e := range computed {
		f.columns[e.source] = &column{name: e.source, kind: results.Float64}
	}
	words := map[string]string{}
	for cells, err := range set.Scan(ctx, results.Points, order...) {
		if err != nil {
			return nil, err
		}
		for i, c := range read {
			if words := f.words[c.name]; words != nil && len(words) < maxWords && !cells[i].Null {
				words[cells[i].Text] = true
			}
		}
		row := func(name string) results.Cell { return cells[slices.Index(order, name)] }
		if !keep.Holds(row) {
			continue
		}
		for i, c := range read {
			c.append(cells[i], words)
		}
		for _, e := range computed {
			f.columns[e.source].numbers = append(f.columns[e.source].numbers, e.value.Of(row))
		}
		f.rows++
	}
	f.dropUncounted()
	if f.rows == 0 {
		return nil, fmt.Errorf("plot: no points to draw: %s", cmp.Or(where, "the result set has no valid points"))
	}
	return f, nil
}

// expression is a column that is computed from others.
type expression struct {
	source string
	value  *formula.Number
}

// expressions compiles the names that are no columns of the points.
func expressions(set *results.Set, names []string) (out []expression, err error) {
	for _, name := range names {
		known := slices.ContainsFunc(out, func(e expression) bool { return e.source == name })
		if name == "" || known || hasColumn(set, results.Points, name) {
			continue
		}
		value, err := formula.ParseNumber(name, set.Schema().Columns(results.Points))
		if err != nil && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == "" {
			return nil, fmt.Errorf("plot: read column %s: no such column; want one of %s",
				name, strings.Join(columnNames(set), ", "))
		}
		if err != nil {
			return nil, fmt.Errorf("plot: compute a column: %w", err)
		}
		out = append(out, expression{name, value})
	}
	return out, nil
}

// know takes what the schema says about parameters. Those that the sweep derives are no axes, since
// they follow from others; variables come after the parameters.
func (f *frame) know(s *results.Schema) {
	f.axes, f.facets = slices.Clone(axes), slices.Clone(facets)
	for _, p := range s.Parameters() {
		f.parameters = append(f.parameters, p.Name)
		if p.Derived {
			f.derived = append(f.derived, p.Name)
		}
	}
	for _, v := range s.RateVariables() {
		f.rates = append(f.rates, v.Name)
	}
	for _, v := range s.Variables() {
		if v.Kind == results.String {
			f.facets = append(f.facets, v.Name)
		} else {
			f.axes = append(f.axes, v.Name)
		}
	}
	f.axes = slices.DeleteFunc(f.axes, func(name string) bool { return slices.Contains(f.derived, name) })
}

func columnNames(set *results.Set) []string {
	var names []string
	for _, c := range set.Schema().Columns(results.Points) {
		names = append(names, c.Name)
	}
	return names
}

// append appends a cell; words has one copy of each word.
func (c *column) append(cell results.Cell, words map[string]string) {
	switch {
	case c.name == "point_id":
		c.words = append(c.words, cell.Text)
	case c.isWord():
		word, ok := words[cell.Text]
		if !ok {
			word = cell.Text
			words[word] = word
		}
		c.words = append(c.words, word)
	case cell.Null || c.kind == results.Float64 && !isFinite(cell.Float):
		c.numbers = append(c.numbers, math.NaN())
	case c.kind == results.Float64:
		c.numbers = append(c.numbers, cell.Float)
	case c.kind == results.Bool && cell.Bool:
		c.numbers = append(c.numbers, 1)
	default:
		c.numbers = append(c.numbers, float64(cell.Int))
	}
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// distinct returns the different values of a column in rising order, without null; words of a
// parameter in the order of its table.
func (f *frame) distinct(name string) []value {
	seen := map[value]bool{}
	for row := range f.rows {
		if v := f.columns[name].at(row); !v.null {
			seen[v] = true
		}
	}
	var values []value
	for v := range seen {
		values = append(values, v)
	}
	rows := parameterWords(name)
	slices.SortFunc(values, func(a, b value) int {
		return cmp.Or(cmp.Compare(slices.Index(rows, a.word), slices.Index(rows, b.word)), compareValues(a, b))
	})
	return values
}

// varies reports whether a parameter exists with two or more values.
func (f *frame) varies(name string) bool {
	return f.columns[name] != nil && len(f.distinct(name)) > 1
}

// free reports whether a parameter has two or more values for equal values of the keys.
func (f *frame) free(name string, keys ...string) bool {
	seen := map[string]value{}
	for row := range f.rows {
		key, v := f.key(row, keys), f.columns[name].at(row)
		if old, ok := seen[key]; ok && old != v {
			return true
		}
		seen[key] = v
	}
	return false
}

// key joins the values of columns in a row; columns that the set does not have are ignored.
func (f *frame) key(row int, names []string) string {
	var b strings.Builder
	for _, name := range names {
		if c := f.columns[name]; c != nil {
			v := c.at(row)
			fmt.Fprintf(&b, "%x|%s|%v;", math.Float64bits(v.number), v.word, v.null)
		}
	}
	return b.String()
}
