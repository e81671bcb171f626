package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// evaluator evaluates expressions on successive assignments. It belongs to one goroutine.
type evaluator struct {
	table   table
	machine vm.VM
	env     map[string]any
	// shown are the values in env, so that only changed ones are boxed again.
	shown Assignment
	// complete is the assignment with defaults filled in, if fresh.
	complete Assignment
	fresh    bool
	// solvable says that complete lacks nothing that the quantities depend on.
	solvable bool
}

func newEvaluator(t table) *evaluator {
	return &evaluator{table: t, machine: vm.VM{MemoryBudget: maxElements}, env: make(map[string]any, len(t)),
		shown: make(Assignment, len(t))}
}

// run evaluates x on a. The assignment may have changed since the last run only if changed was
// called.
func (e *evaluator) run(x *expression, a Assignment) (any, string) {
	table := e.table
	unset, alternative := "", "0"
	for id := range x.refs.all() {
		v := a[id]
		if v.IsNull() || v.kind == KindText && table[id].Auto || id == Representation && v.text == "auto" {
			v = e.completed(a)[id]
		}
		if v.IsNull() {
			unset, alternative = table[id].Name, "0"
			if table[id].Kind == KindText {
				alternative = "'none'"
			}
		}
		name := table[id].Name
		if _, known := e.env[name]; known && same(v, e.shown[id]) {
			continue
		}
		e.env[name] = box(v, table[id].Kind)
		e.shown[id] = v
	}
	for _, q := range x.asks {
		e.env[q.name] = nil
		if complete := e.completed(a); e.solvable {
			e.env[q.name] = q.value(complete)
		}
		if e.env[q.name] == nil {
			unset, alternative = q.name, "0"
		}
	}
	out, err := e.machine.Run(x.program, e.env)
	if err == nil {
		return out, ""
	}
	var at *file.Error
	text := err.Error()
	if errors.As(err, &at) {
		text = at.Message
	}
	if unset != "" {
		return nil, fmt.Sprintf(
			"%s is not set at this point; give an alternative (%s ?? %s)",
			unset,
			unset,
			alternative,
		)
	}
	return nil, "evaluate: " + text
}

// changed invalidates the completed assignment.
func (e *evaluator) changed() { e.fresh = false }

// completed is a with defaults filled in and the learning rate resolved, as far as they are known.
func (e *evaluator) completed(a Assignment) Assignment {
	if e.fresh {
		return e.complete
	}
	e.fresh = true
	e.complete = append(e.complete[:0], a...)
	e.solvable = e.table.complete(e.complete)
	return e.complete
}

// same reports whether two values are equal; lists are compared by identity.
func same(a, b Value) bool {
	if a.kind != b.kind || a.num != b.num || a.i != b.i || a.text != b.text || len(a.list) != len(b.list) {
		return false
	}
	return len(a.list) == 0 || &a.list[0] == &b.list[0]
}

// box returns a value for expressions; nil if it is not set.
func box(v Value, k Kind) any {
	switch v.kind {
	case KindInt:
		if k == KindFloat {
			return float64(v.i)
		}
		return int(v.i)
	case KindFloat:
		return v.num
	case KindText:
		return v.text
	case KindBool:
		return v.num != 0
	case KindList:
		return v.list
	case KindPairs:
		return slices.Collect(slices.Chunk(v.list, 2))
	}
	return nil
}

// sampleOf is a value of the type that an expression sees for a kind.
func sampleOf(k Kind) any {
	switch k {
	case KindInt:
		return 0
	case KindText:
		return ""
	case KindBool:
		return false
	case KindList:
		return []float64{}
	case KindPairs:
		return [][]float64{}
	}
	return 0.0
}

// unbox converts the result of an expression to a value of parameter p, or returns what is wrong
// with it. Nil leaves p unset.
func unbox(out any, p *Parameter) (Value, string) {
	var v Value
	switch out := out.(type) {
	case nil:
		return nullValue(), ""
	case int:
		v = intValue(int64(out))
		if p.Kind == KindFloat {
			v = floatValue(float64(out))
		}
	case float64:
		switch {
		case math.IsNaN(out) || math.IsInf(out, 0):
			return nullValue(), fmt.Sprintf("%s: got %v, want a finite number", p.Name, out)
		case p.Kind == KindInt && out != math.Trunc(out):
			return nullValue(), fmt.Sprintf("%s: got %s, want an integer; use round, ceil or floor", p.Name,
				exact.FormatFloat(out))
		case p.Kind == KindInt && math.Abs(out) < 1<<53:
			v = intValue(int64(out))
		default:
			v = floatValue(out + 0) // no negative zero
		}
	case string:
		v = textValue(out)
	case bool:
		v = boolValue(out)
	default:
		var text string
		if v, text = unboxList(out, p); text != "" {
			return nullValue(), text
		}
	}
	if text := p.check(v, fmt.Sprint(out)); text != "" {
		return nullValue(), text + hint(v.text, p.Words)
	}
	return v, ""
}

// unboxList is unbox for lists, and lists of pairs.
func unboxList(out any, p *Parameter) (Value, string) {
	wrong := fmt.Sprintf("%s: got %v (%T), want %s", p.Name, out, out, p.Allowed())
	var items []any
	switch out := out.(type) {
	case []any:
		items = out
	case []int:
		for _, x := range out {
			items = append(items, x)
		}
	case []float64:
		for _, x := range out {
			items = append(items, x)
		}
	case [][]float64:
		for _, x := range out {
			items = append(items, []any{x[0], x[1]})
		}
	default:
		return nullValue(), wrong
	}
	var flat []float64
	add := func(x any) bool {
		switch x := x.(type) {
		case int:
			flat = append(flat, float64(x))
			return true
		case float64:
			flat = append(flat, x)
			return true
		}
		return false
	}
	for _, item := range items {
		pair, isPair := item.([]any)
		switch {
		case p.Kind == KindPairs && isPair && len(pair) == 2 && add(pair[0]) && add(pair[1]):
		case p.Kind == KindList && add(item):
		default:
			return nullValue(), wrong
		}
	}
	if p.Kind == KindPairs {
		return pairsValue(flat), ""
	}
	return listValue(flat), ""
}

// complete fills in the defaults that are known, and the representation and the learning rate where
// all they depend on is. It reports whether all that quantities depend on is.
func (t table) complete(a Assignment) (solvable bool) {
	known, solvable := true, true
	for i := range a {
		id := ParameterID(i)
		if !t.applies(id, a) {
			a[id] = nullValue()
			continue
		}
		if a[id].IsNull() {
			a[id] = t.fallback(id, a)
		}
		a[id] = asKind(a[id], t[id].Kind)
		if a[id].IsNull() && id != Steps && id != InitScale && !t[id].Optional {
			known = false
			solvable = solvable && id == LearningRate
		}
	}
	solvable = solvable && len(crossChecks(a)) == 0
	if !known || !solvable {
		return solvable
	}
	if resolveRepresentation(a) == "" {
		resolveLearningRate(a)
	}
	return solvable
}
