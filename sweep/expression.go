package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// Bounds on the cost of expressions, known when they are compiled: a loop has at most maxLoop
// elements and never stands inside another, so that no expression takes more than maxCost
// operations, and no point more than that in all its expressions together: a few milliseconds.
const (
	maxCost   = 50_000
	maxSource = 4096 // bytes
	maxNodes  = 500
	maxLoop   = 1000
	// maxElements bounds the lists that one evaluation may build.
	maxElements = 20 * maxLoop
)

// expression is a compiled formula over the parameters of a point. It holds no state.
type expression struct {
	source  string
	pos     position
	program *vm.Program
	refs    idSet // the parameters that it names
	reads   idSet // those that its quantities depend on
	asks    []quantity
	cost    int64 // the most operations that an evaluation takes
}

// functions are the names that an expression may call.
func functions() []string {
	return append(loops(), "sqrt", "pow", "log", "exp", "min", "max", "abs", "ceil", "floor", "round", "len")
}

// loops are the functions that walk a list.
func loops() []string { return []string{"all", "any", "none", "one", "count", "map", "filter", "sum"} }

// compile compiles an expression, or returns what is wrong with it.
func (t table) compile(source string, pos position) (*expression, string) {
	if len(source) > maxSource {
		return nil, fmt.Sprintf("expression: got %d characters, want at most %d", len(source), maxSource)
	}
	if strings.TrimSpace(source) == "" {
		return nil, "expression: empty"
	}
	env := make(map[string]any, len(t))
	names := make([]string, 0, len(t))
	for _, p := range t {
		env[p.Name] = sampleOf(p.Kind)
		names = append(names, p.Name)
	}
	options := []expr.Option{expr.Env(env), expr.Optimize(false), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, name := range append(loops(), "abs", "ceil", "floor", "round", "len") {
		options = append(options, expr.EnableBuiltin(name))
	}
	options = append(options, arithmetic()...)
	cost, text := t.inspect(source)
	if text != "" {
		return nil, text
	}
	x := &expression{source: source, pos: pos, cost: cost}
	for _, q := range quantities() {
		env[q.name] = 0.0
		names = append(names, q.name)
	}
	options = append(options, expr.Patch(boundLoops{}), expr.Patch(references{t, x}), expr.Patch(demands{t}))
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, explain(err, append(names, functions()...))
	}
	x.program = program
	return x, ""
}

// explain turns a compile error into one line, with a hint for a misspelt name.
func explain(err error, names []string) string {
	var at *file.Error
	if !errors.As(err, &at) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "compile expression: " + first
	}
	text := fmt.Sprintf("compile expression: %s (column %d of the expression)", at.Message, at.Column+1)
	if strings.Contains(at.Message, "EOF") {
		text = "compile expression: unexpected end; quote an expression that contains # or a colon"
	}
	if name, found := strings.CutPrefix(at.Message, "unknown name "); found {
		if near := hint(strings.TrimSpace(name), names); near != "" {
			return text + near
		}
		text += "; use the solver's parameters, variables of the file, " + strings.Join(functions(), ", ")
	}
	return text
}

// inspect returns the cost of an expression. It rejects expressions that cost too much, before
// anything is built from them, and comparisons that are always false.
func (t table) inspect(source string) (cost int64, mistake string) {
	tree, err := parser.Parse(source)
	if err != nil {
		return 0, "" // Compile says it better
	}
	v := &inspector{table: t}
	v.walk(tree.Node, false)
	if v.cost > maxCost && v.text == "" {
		v.text = fmt.Sprintf(
			"expression: got up to %d operations, want at most %d; shorten its loops",
			v.cost,
			maxCost,
		)
	}
	return v.cost, v.text
}

// inspector walks an expression, counts its operations and records what is wrong with it.
type inspector struct {
	table table
	cost  int64
	text  string
}

// walk visits the tree below n; inside means that it is evaluated for each element of a list.
func (v *inspector) walk(n ast.Node, inside bool) {
	if v.cost++; inside {
		v.cost += maxLoop - 1
	}
	switch n := n.(type) {
	case *ast.BuiltinNode:
		if slices.Contains(loops(), n.Name) {
			v.cost += maxLoop
		}
		if inside && slices.Contains(loops(), n.Name) {
			v.text = fmt.Sprintf("nested loops are not supported: %s inside a loop", n.Name)
			return
		}
	case *ast.PredicateNode:
		inside = true
	case *ast.BinaryNode:
		v.binary(n, inside)
	}
	for _, child := range children(n) {
		if v.text == "" {
			v.walk(child, inside)
		}
	}
}

// binary rejects long constant ranges, and operators that walk a list inside a loop.
func (v *inspector) binary(n *ast.BinaryNode, inside bool) {
	switch n.Operator {
	case "..":
		low, ok := n.Left.(*ast.IntegerNode)
		high, ok2 := n.Right.(*ast.IntegerNode)
		if ok && ok2 && high.Value-low.Value >= maxLoop {
			v.text = fmt.Sprintf(
				"%d..%d: got %d elements, want at most %d",
				low.Value,
				high.Value,
				high.Value-low.Value+1,
				maxLoop,
			)
		}
	case "in":
		words, short := n.Right.(*ast.ArrayNode)
		if inside && !short {
			v.text = "nested loops are not supported: in inside a loop"
		}
		if short {
			for _, word := range words.Nodes {
				v.word(n.Left, word)
			}
		}
	case "==", "!=":
		v.word(n.Left, n.Right)
		v.word(n.Right, n.Left)
		for _, side := range []ast.Node{n.Left, n.Right} {
			if name, ok := side.(*ast.IdentifierNode); ok {
				if id, ok := v.table.lookup(name.Value); ok && v.table[id].Kind >= KindList {
					v.text = fmt.Sprintf("compare %s: lists cannot be compared", name.Value)
				}
			}
		}
	}
}

// word rejects comparisons of a parameter with a word that is none of its values.
func (v *inspector) word(parameter, word ast.Node) {
	name, ok := parameter.(*ast.IdentifierNode)
	text, ok2 := word.(*ast.StringNode)
	if !ok || !ok2 {
		return
	}
	if id, ok := v.table.lookup(name.Value); ok {
		if p := &v.table[id]; p.Kind == KindText && !slices.Contains(p.Words, text.Value) {
			want := p.Allowed()
			if p.IsVariable() {
				want = "one of its words in the file"
			}
			v.text = fmt.Sprintf("compare %s: got %q, want %s%s", p.Name, text.Value, want, hint(text.Value, p.Words))
		}
	}
}

// children are the nodes right below n.
func children(n ast.Node) []ast.Node {
	var out []ast.Node
	add := func(nodes ...ast.Node) {
		for _, c := range nodes {
			if c != nil {
				out = append(out, c)
			}
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		add(n.Node)
	case *ast.BinaryNode:
		add(n.Left, n.Right)
	case *ast.ChainNode:
		add(n.Node)
	case *ast.MemberNode:
		add(n.Node, n.Property)
	case *ast.SliceNode:
		add(n.Node, n.From, n.To)
	case *ast.CallNode:
		add(n.Callee)
		add(n.Arguments...)
	case *ast.BuiltinNode:
		add(n.Arguments...)
	case *ast.PredicateNode:
		add(n.Node)
	case *ast.VariableDeclaratorNode:
		add(n.Value, n.Expr)
	case *ast.SequenceNode:
		add(n.Nodes...)
	case *ast.ConditionalNode:
		add(n.Cond, n.Exp1, n.Exp2)
	case *ast.ArrayNode:
		add(n.Nodes...)
	case *ast.MapNode:
		add(n.Pairs...)
	case *ast.PairNode:
		add(n.Key, n.Value)
	}
	return out
}

// boundLoops passes every list that is looped over, or searched, through the function that bounds
// its length.
type boundLoops struct{}

func (boundLoops) Visit(n *ast.Node) {
	bounded := func(list ast.Node) ast.Node {
		if call, ok := list.(*ast.CallNode); ok {
			if name, ok := call.Callee.(*ast.IdentifierNode); ok && name.Value == "bounded" {
				return list
			}
		}
		return &ast.CallNode{Callee: &ast.IdentifierNode{Value: "bounded"}, Arguments: []ast.Node{list}}
	}
	switch n := (*n).(type) {
	case *ast.BuiltinNode:
		if slices.Contains(loops(), n.Name) && len(n.Arguments) > 0 {
			n.Arguments[0] = bounded(n.Arguments[0])
		}
	case *ast.BinaryNode:
		if n.Operator == "in" {
			n.Right = bounded(n.Right)
		}
	}
}

// references collects what an expression names.
type references struct {
	table table
	to    *expression
}

func (r references) Visit(n *ast.Node) {
	name, ok := (*n).(*ast.IdentifierNode)
	if !ok {
		return
	}
	if id, ok := r.table.lookup(name.Value); ok {
		r.to.refs = r.to.refs.with(id)
	}
	for _, q := range quantities() {
		if q.name == name.Value && !slices.ContainsFunc(r.to.asks, func(p quantity) bool { return p.name == q.name }) {
			r.to.asks = append(r.to.asks, q)
			r.to.reads = r.to.reads.union(q.reads)
		}
	}
}

// arithmetic are the functions of expressions that expr-lang lacks, and integer products and sums
// that do not wrap.
func arithmetic() []expr.Option {
	real1 := func(name string, f func(float64) float64) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) { return f(number64(args[0])), nil },
			new(func(float64) float64), new(func(int) float64), new(func(any) float64))
	}
	integer := func(name string, f func(a, b int) (int, bool)) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) {
			sum, ok := f(args[0].(int), args[1].(int))
			if !ok {
				return nil, fmt.Errorf(
					"integer overflow of %d and %d; write one with a decimal point",
					args[0],
					args[1],
				)
			}
			return sum, nil
		}, new(func(int, int) int))
	}
	extreme := func(name string, better func(a, b float64) bool) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) {
			best := args[0]
			for _, x := range args {
				if f := number64(x); math.IsNaN(f) || better(f, number64(best)) {
					best = x
				}
			}
			return best, nil
		}, new(func(float64, ...float64) float64), new(func(int, ...int) int), new(func(any, ...any) any))
	}
	return []expr.Option{
		real1("sqrt", math.Sqrt), real1("log", elementary.Log), real1("exp", elementary.Exp),
		expr.Function(
			"pow",
			func(args ...any) (any, error) { return elementary.Pow(number64(args[0]), number64(args[1])), nil },
			new(func(any, any) float64),
		),
		extreme("min", func(a, b float64) bool { return a < b }),
		extreme("max", func(a, b float64) bool { return a > b }),
		expr.Function(given, func(args ...any) (any, error) {
			if args[0] == nil {
				return nil, errors.New("a variable is not set")
			}
			return args[0], nil
		}, new(func(float64) float64), new(func(string) string)),
		expr.Function("bounded", func(args ...any) (any, error) { return bounded(args[0]) }, new(func(any) any)),
		integer("add", func(a, b int) (int, bool) { c := a + b; return c, (c > a) == (b > 0) }),
		integer("subtract", func(a, b int) (int, bool) { c := a - b; return c, (c < a) == (b > 0) }),
		integer("multiply", func(a, b int) (int, bool) {
			c := a * b
			return c, a == 0 || c/a == b && (a != -1 || b != math.MinInt)
		}),
		expr.Operator("+", "add"), expr.Operator("-", "subtract"), expr.Operator("*", "multiply"),
		expr.Operator("**", "pow"), expr.Operator("^", "pow"),
	}
}

// number64 is a number of an expression; it panics on anything else, which the machine turns into
// an error.
func number64(x any) float64 {
	switch x := x.(type) {
	case float64:
		return x
	case int:
		return float64(x)
	}
	if x == nil {
		panic("a parameter is not set")
	}
	panic(fmt.Sprintf("got %v, want a number", x))
}

// bounded passes lists that are short enough to loop over.
func bounded(list any) (any, error) {
	n := 0
	switch list := list.(type) {
	case []any:
		n = len(list)
	case []int:
		n = len(list)
	case []float64:
		n = len(list)
	case [][]float64:
		n = len(list)
	case nil:
		return nil, errors.New("the list to loop over is not set")
	}
	if n > maxLoop {
		return nil, fmt.Errorf("loop: got %d elements, want at most %d", n, maxLoop)
	}
	return list, nil
}
