package formula

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// maxSource bounds the bytes of an expression.
const maxSource = 4096

// Row returns the cell of a column of a row.
type Row func(column string) results.Cell

// expression is a compiled expression. It belongs to one goroutine.
type expression struct {
	program *vm.Program
	machine vm.VM
	columns []results.Column // that it reads
	env     map[string]any
}

// compile compiles an expression over columns.
func compile(source string, columns []results.Column, options ...expr.Option) (*expression, error) {
	if len(source) > maxSource {
		return nil, fmt.Errorf("compile the expression: got %d bytes, want at most %d", len(source), maxSource)
	}
	x := &expression{env: make(map[string]any, len(columns))}
	for _, c := range columns {
		x.env[c.Name] = native(results.Cell{}, c.Kind)
	}
	read := &identifiers{names: map[string]bool{}}
	program, err := expr.Compile(source, slices.Concat(options, figure.Functions(), []expr.Option{
		expr.Env(x.env), expr.Patch(read),
	})...)
	if err != nil {
		return nil, fmt.Errorf("compile %q: %w", source, plain(err))
	}
	x.program = program
	for _, c := range columns {
		if read.names[c.Name] {
			x.columns = append(x.columns, c)
		}
	}
	return x, nil
}

// identifiers collects the names in an expression; it patches nothing.
type identifiers struct{ names map[string]bool }

// Visit implements ast.Visitor.
func (v *identifiers) Visit(n *ast.Node) {
	if name, ok := (*n).(*ast.IdentifierNode); ok {
		v.names[name.Value] = true
	}
}

// plain is a compile error as one line.
func plain(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s (column %d of the expression)", at.Message, at.Column+1)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}

var errNoNumber = errors.New("not a number")

// number converts what an expression returned.
func number(value any) (float64, error) {
	switch v := reflect.ValueOf(value); {
	case !v.IsValid():
		return math.NaN(), errNoNumber
	case v.CanFloat():
		return v.Float(), nil
	case v.CanInt():
		return float64(v.Int()), nil
	case v.Kind() == reflect.Bool && v.Bool():
		return 1, nil
	case v.Kind() == reflect.Bool:
		return 0, nil
	}
	return math.NaN(), errNoNumber
}

// native is a cell as an expression sees it.
func native(c results.Cell, k results.Kind) any {
	switch {
	case c.Null:
		return nil
	case k == results.Float64:
		return c.Float
	case k == results.String:
		return c.Text
	case k == results.Bool:
		return c.Bool
	}
	return int(c.Int)
}

// evaluate returns nil where the expression has no value.
func (x *expression) evaluate(row Row) any {
	for _, c := range x.columns {
		x.env[c.Name] = native(row(c.Name), c.Kind)
	}
	value, err := x.machine.Run(x.program, x.env)
	if err != nil {
		return nil
	}
	return value
}

// names are the columns that the expression reads.
func (x *expression) names() []string {
	var names []string
	for _, c := range x.columns {
		names = append(names, c.Name)
	}
	return names
}

// Number is a formula whose values are numbers. It belongs to one goroutine.
type Number struct{ expression *expression }

// ParseNumber compiles a formula over columns; booleans count as 0 and 1.
func ParseNumber(source string, columns []results.Column) (*Number, error) {
	x, err := compile(source, columns)
	if err != nil {
		return nil, err
	}
	t := x.program.Node().Type()
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && slices.Contains([]reflect.Kind{reflect.String, reflect.Slice, reflect.Map}, t.Kind()) {
		return nil, fmt.Errorf("compile %q: got a %s, want a number", source, t.Kind())
	}
	return &Number{x}, nil
}

// Columns are the columns that the formula reads, in the order of the table.
func (n *Number) Columns() []string { return n.expression.names() }

// Of returns the value at a row; NaN where it is null.
func (n *Number) Of(row Row) float64 {
	x, err := number(n.expression.evaluate(row))
	if err != nil || math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// Condition is a formula that holds at a row or does not. It belongs to one goroutine.
type Condition struct{ expression *expression }

// ParseCondition compiles a condition over columns. The empty one holds everywhere.
func ParseCondition(source string, columns []results.Column) (*Condition, error) {
	if strings.TrimSpace(source) == "" {
		source = "true"
	}
	x, err := compile(source, columns, expr.AsBool())
	if err != nil {
		return nil, err
	}
	return &Condition{x}, nil
}

// Columns are the columns that the condition reads, in the order of the table.
func (c *Condition) Columns() []string { return c.expression.names() }

// Holds reports whether the condition holds at a row.
func (c *Condition) Holds(row Row) bool { return c.expression.evaluate(row) == true }
