package sweep

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// A variable is a name of the sweep's own. It is a row of the sweep's table after the parameters,
// in the order of the names, since the order of keys does not count. It is set as parameters are,
// derive and where read it, and it is a column; the solver does not know it, so it is not part of
// what a point computes.

// Bounds on variables.
const (
	maxVariables = 32
	maxMeaning   = 200 // bytes of the text that says what a variable is
	maxWord      = 63  // bytes of a variable's word
)

// variablePattern is what a variable may be called.
const variablePattern = `[a-z][a-z0-9_]{0,62}`

// isVariable reports whether an id is that of a variable.
func (id ParameterID) isVariable() bool { return int(id) >= NumParameters }

// IsVariable reports whether the sweep file declares the name; else it is a parameter of the
// solver.
func (p Parameter) IsVariable() bool { return p.ID.isVariable() }

// columnNames are the columns of result sets and of their views, besides parameters, and the names
// that queries use inside. Tests of package results hold the list.
const columnNames = `
	point point_id representation status detail
	loss signal_alignment spike_alignment bulk_alignment signal_energy weight_norm2 top_eigenvector_overlap
	stable_rank teacher_covariance_overlap weight_covariance_norm2 parameter_mse gradient_nuclear_rank
	escape_step steps_to_90 steps_to_99 held_90_step held_99_step alignment_at_escape spike_at_escape
	peak_spike_alignment peak_spike_step diverged_step steps_run tail_signal_alignment tail_loss
	unstable_step resonant_step input_stable_rank
	step eta_step signal_coefficient spike_coefficient bulk_coefficient
	group eigenvalue multiplicity coefficient
	shard first end points node attempts solver solver_version arithmetic_class kernel started finished bytes
	set replicates runs ok diverged failed invalid escaped reached_90 escape_time spectral_gap
	learning_rates excluded_rates at_edge censored verdict best smallest largest excluded
	crossover direction changes advantage advantage_below c g o p s t t_gd`

// columnSuffixes end the names of columns that views make from others.
func columnSuffixes() []string {
	return []string{"_q10", "_q90", "_censored", "_low", "_high", "_below", "_above"}
}

// keywords are words of the expression language that are neither functions nor names.
func keywords() []string {
	return []string{"and", "or", "not", "in", "matches", "contains", "let", "if", "else", "true", "false", "nil"}
}

// refuse returns why a variable cannot have a name: "" if it can. Known: the name means something
// else in the file, so it is not added to the table.
func refuse(name string) (text string, known bool) {
	words := slices.Concat(functions(), keywords(), []string{given, "bounded", "add", "subtract", "multiply"})
	for _, q := range quantities() {
		words = append(words, q.name)
	}
	const another = "; choose another name"
	suffix := slices.IndexFunc(columnSuffixes(), func(s string) bool { return strings.HasSuffix(name, s) })
	switch _, parameter := builtin.lookup(name); {
	case parameter:
		return fmt.Sprintf("variables: %s is a parameter%s", name, another), true
	case slices.Contains(words, name):
		return fmt.Sprintf("variables: %s is a word of expressions%s", name, another), true
	case name == "name":
		return fmt.Sprintf("variables: name is a key of the file%s", another), true
	case !regexp.MustCompile("^" + variablePattern + "$").MatchString(name):
		return fmt.Sprintf("variables: got name %s, want at most 63 lower-case letters, digits and underscores, "+
			"the first a letter", shortened(fmt.Sprintf("%q", name))), false
	case slices.Contains(strings.Fields(columnNames), name):
		return fmt.Sprintf("variables: %s is a column of result sets or their views%s", name, another), false
	case suffix >= 0:
		return fmt.Sprintf(
				"variables: %s ends in %s, as columns of views do%s",
				name,
				columnSuffixes()[suffix],
				another,
			),
			false
	}
	return "", false
}

// declare adds the variables that n declares to the table. Whether one has numbers or words is what
// its first value in the file says, wherever below root it stands.
func (r *reader) declare(n, root node) {
	const want = "a mapping of names to what they mean, such as multiplier: learning rate over the recommended one"
	entries := r.mapping(n, "variables", want)
	if len(entries) > maxVariables {
		r.fail(n.pos, "variables: got %d, want at most %d", len(entries), maxVariables)
		entries = entries[:maxVariables]
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	values := givenValues{}
	for _, e := range entries {
		values[e.key] = &givenValue{}
	}
	values.block(root)
	r.table = slices.Clone(r.table)
	for _, e := range entries {
		text, known := refuse(e.key)
		if text != "" {
			r.fail(e.pos, "%s", text)
		}
		if known {
			continue
		}
		value := values[e.key]
		if value.kind == KindNull && r.unread {
			value.kind = KindFloat // the rows may have said otherwise
		}
		if value.kind == KindNull {
			value.kind = KindFloat
			r.fail(e.pos, "variables: %s has no value; set it in fixed, grid, zip, points or sample, or omit it", e.key)
		}
		r.table = append(r.table, Parameter{
			ID: ParameterID(len(r.table)), Name: e.key, Kind: value.kind, Words: value.words,
			Min: math.Inf(-1), Max: math.Inf(1), Optional: true, Doc: r.meaning(e),
		})
		r.first = append(r.first, value.first)
	}
}

// meaning reads what a variable is, in words.
func (r *reader) meaning(e entry) string {
	text := strings.TrimSpace(e.value.text)
	_, isNumber := number(e.value)
	if isNumber || e.value.kind == listNode || e.value.kind == mapNode {
		r.fail(e.value.pos, "variables: %s: got %s, want what it means, in words; set its values in fixed, grid, zip, "+
			"points or sample", e.key, e.value)
		return ""
	}
	if !printable(text) || len(text) > maxMeaning {
		r.fail(e.value.pos, "variables: %s: got %s, want what it means, in one line of at most %d bytes", e.key,
			shortened(e.value.String()), maxMeaning)
		return ""
	}
	return text
}

// printable reports whether a text is one line of printable characters, at least one.
func printable(text string) bool {
	return text != "" && utf8.ValidString(text) &&
		strings.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) < 0
}

// wordOf reads a variable's word. What YAML has another meaning for must be quoted.
func wordOf(n node) (string, bool) {
	if n.kind != plainNode && n.kind != quotedNode {
		return "", false
	}
	if n.kind == plainNode {
		_, isNumber := number(n)
		_, isBool := boolean(n)
		if isNumber || isBool || slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.text) {
			return "", false
		}
	}
	return n.text, isWord(n.text)
}

// isWord reports whether a text can be the value of a variable.
func isWord(text string) bool { return printable(text) && len(text) <= maxWord && text != defaultEntry }

// whyWrong is the end of the message for a value that a variable does not take.
func (r *reader) whyWrong(p *Parameter, n node) string {
	if !p.IsVariable() || n.kind == listNode || n.kind == mapNode {
		return ""
	}
	first := r.first[int(p.ID)-NumParameters]
	_, isNumber := number(n)
	switch {
	case n.text == defaultEntry:
		return "; a variable has no default"
	case isNumber == (p.Kind == KindText):
		return fmt.Sprintf(": a variable has numbers or words, and the first value, on line %d, is %s",
			first.pos.line, first)
	case n.kind == plainNode:
		return "; quote it to make it a word"
	}
	return fmt.Sprintf(" of at most %d bytes, all printable", maxWord)
}

// givenValues are what the blocks of a file give to some names, before they are read: expressions
// are compiled for numbers or words wherever they stand.
type givenValues map[string]*givenValue

// givenValue is the first value of a name with its kind, KindNull if there is none, and all words.
type givenValue struct {
	first node
	kind  Kind
	words []string
}

// block collects from a block and the blocks of its union.
func (v givenValues) block(n node) {
	for _, e := range n.keys {
		switch e.key {
		case "fixed", "grid", "zip":
			v.settings(e.value)
		case "points":
			v.entries(e.value)
		case "sample":
			for _, part := range e.value.keys {
				if part.key == "axes" {
					v.settings(part.value)
				}
			}
		case "union":
			for _, b := range e.value.list {
				v.block(b)
			}
		}
	}
}

// settings collects from a mapping of names to values or axes. Other keys of axes may be the names
// of variables too.
func (v givenValues) settings(n node) {
	for _, e := range n.keys {
		if x := v[e.key]; x != nil {
			x.add(e.value)
		}
		v.entries(e.value)
	}
}

// listKeys are the keys of an axis that have its entries.
func listKeys() []string { return []string{"values", "choice"} }

// entries collects from the values of an axis that set parameters of their own, and from rows.
func (v givenValues) entries(n node) {
	for _, item := range n.list {
		v.settings(item)
	}
	for _, e := range n.keys {
		switch {
		case e.key == "name":
			v.settings(n)
		case slices.Contains(listKeys(), e.key):
			v.entries(e.value)
		}
	}
}

// add takes a value, or the values of an axis.
func (x *givenValue) add(n node) {
	switch n.kind {
	case listNode:
		for _, item := range n.list {
			x.add(item)
		}
		return
	case mapNode:
		listed := false
		for _, e := range n.keys {
			if e.key == "name" || slices.Contains(listKeys(), e.key) {
				x.add(e.value)
				listed = true
			}
		}
		if !listed && x.kind == KindNull && len(n.keys) > 0 {
			x.first, x.kind = n, KindFloat // a form of numbers
		}
		return
	}
	kind := KindText
	if _, ok := number(n); ok {
		kind = KindFloat
	} else if n.text == defaultEntry {
		return // a mistake
	} else {
		x.words = append(x.words, n.text)
	}
	if x.kind == KindNull {
		x.first, x.kind = n, kind
	}
}

// given is the function that passes the value of a variable, where the point has one.
const given = "given"

// demands passes every variable through given: reading one that is not set is a mistake, also where
// the language has an answer for nil, such as a comparison. A variable with an alternative (x ?? 1)
// and one that is compared with nil may be unset.
type demands struct{ table table }

func (d demands) Visit(n *ast.Node) {
	switch node := (*n).(type) {
	case *ast.IdentifierNode:
		if id, ok := d.table.lookup(node.Value); ok && id.isVariable() {
			*n = &ast.CallNode{Callee: &ast.IdentifierNode{Value: given}, Arguments: []ast.Node{node}}
		}
	case *ast.BinaryNode: // after its operands
		_, nilLeft := node.Left.(*ast.NilNode)
		_, nilRight := node.Right.(*ast.NilNode)
		if node.Operator == "??" || nilRight {
			node.Left = optional(node.Left)
		}
		if nilLeft {
			node.Right = optional(node.Right)
		}
	}
}

// optional is the variable in a call of given.
func optional(n ast.Node) ast.Node {
	if call, ok := n.(*ast.CallNode); ok {
		if name, ok := call.Callee.(*ast.IdentifierNode); ok && name.Value == given {
			return call.Arguments[0]
		}
	}
	return n
}
