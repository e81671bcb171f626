package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// reader reads the nodes of one sweep file and collects mistakes and warnings.
type reader struct {
	files    []string // the sweep file, then the files of rows that it names
	table    table    // of the sweep's parameters
	first    []node   // the first value of each variable
	mistakes Mistakes
	warnings []string

	planVersion int  // by whose rules axes are read
	naming      bool // blocks need the parameters that their keys name
	unread      bool // rows of a file could not be read
}

func (r *reader) fail(pos position, format string, args ...any) {
	if len(r.mistakes) < 10*maxMistakes {
		r.mistakes = append(r.mistakes, r.mistake(pos, format, args...))
	}
}

func (r *reader) warn(pos position, format string, args ...any) {
	if len(r.warnings) < maxMistakes {
		r.warnings = append(r.warnings, r.mistake(pos, format, args...).Error())
	}
}

func (r *reader) mistake(pos position, format string, args ...any) Mistake {
	return Mistake{r.files[pos.file], int(pos.line), int(pos.column), fmt.Sprintf(format, args...)}
}

// note is a warning about several places of the file.
func (r *reader) note(format string, args ...any) {
	if len(r.warnings) < maxMistakes {
		r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
	}
}

// mapping returns the keys of a mapping, each once. Name and want are for the message where n is
// something else: "grid: got a list, want a mapping of ...".
func (r *reader) mapping(n node, name, want string) []entry {
	if n.kind != mapNode {
		r.fail(n.pos, "%s: got %s, want %s", name, n, want)
		return nil
	}
	first := map[string]position{}
	keys := make([]entry, 0, len(n.keys))
	for _, e := range n.keys {
		if at, twice := first[e.key]; twice {
			r.fail(e.pos, "duplicate key %q; first set on line %d", e.key, at.line)
			continue
		}
		first[e.key] = e.pos
		keys = append(keys, e)
	}
	return keys
}

// members reads a mapping with the given keys, in the order of names; an absent key has a node with
// position 0.
func (r *reader) members(n node, name, want string, names ...string) []node {
	found := make([]node, len(names))
	for _, e := range r.mapping(n, name, want) {
		if i := slices.Index(names, e.key); i >= 0 {
			found[i] = e.value
		} else {
			r.unknown(e, names)
		}
	}
	return found
}

func (r *reader) unknown(e entry, names []string) {
	text := hint(e.key, names)
	if slices.Contains(fileKeys(), e.key) && slices.Contains(names, "fixed") {
		text = "; it stands at the top of the file only"
	}
	if _, isParameter := r.table.lookup(e.key); isParameter && slices.Contains(names, "fixed") {
		text = "; set parameters under fixed, grid, zip, points, sample or derive"
	}
	if text == "" {
		text = "; want one of " + strings.Join(names, ", ")
	}
	r.fail(e.pos, "unknown key %q%s", e.key, text)
}

// parameter finds the parameter that a key names.
func (r *reader) parameter(e entry) (*Parameter, bool) {
	if id, ok := r.table.lookup(e.key); ok {
		return &r.table[id], true
	}
	text := hint(e.key, r.table.names())
	if text == "" {
		text = "; phasegrid schema lists the parameters, and variables declares names of one's own"
	}
	r.fail(e.pos, "unknown key %q%s", e.key, text)
	return nil, false
}

// missingKey reports whether a key of members is absent.
func missingKey(n node) bool { return n.pos == position{} }

// number reads a plain number: decimal, no underscores, no leading zeros, finite.
func number(n node) (Value, bool) {
	text := n.text
	if n.kind != plainNode || text == "" || strings.Trim(text, "0123456789+-.eE") != "" ||
		strings.ContainsAny(text[:1], "eE") {
		return nullValue(), false
	}
	if digits := strings.TrimLeft(text, "+-"); len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' &&
		digits[1] <= '9' {
		return nullValue(), false
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return intValue(i), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nullValue(), false
	}
	return floatValue(f + 0), true
}

// boolean reads a truth value in the spellings of YAML 1.2.
func boolean(n node) (value, ok bool) {
	if n.kind != plainNode {
		return false, false
	}
	switch n.text {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

// value reads one value of a parameter.
func (r *reader) value(p *Parameter, n node) (Value, bool) {
	v, ok := scan(p, n)
	if !ok {
		got := n.String()
		if n.kind == listNode && p.Kind >= KindList {
			got = "a list of another form"
		}
		r.fail(n.pos, "%s%s", p.wrong(got), r.whyWrong(p, n))
		return v, false
	}
	got := n.String()
	if n.kind == listNode {
		got = shortened(v.String())
	}
	if text := p.check(v, got); text != "" {
		r.fail(n.pos, "%s%s", text, hint(n.text, p.Words))
		return v, false
	}
	return v, true
}

// scan turns a node into a value of the parameter's kind, if it has the shape of one.
func scan(p *Parameter, n node) (Value, bool) {
	switch p.Kind {
	case KindInt, KindFloat:
		v, ok := number(n)
		if !ok {
			if p.Auto && n.text == "auto" {
				return textValue("auto"), true
			}
			return v, false
		}
		if p.Kind == KindFloat {
			return floatValue(v.Float() + 0), true
		}
		if f := v.Float(); v.Kind() == KindFloat {
			if f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
				return v, false
			}
			v = intValue(int64(f))
		}
		return v, true
	case KindText:
		if p.IsVariable() {
			word, ok := wordOf(n)
			return textValue(word), ok
		}
		return textValue(n.text), n.kind == plainNode || n.kind == quotedNode
	case KindBool:
		b, ok := boolean(n)
		return boolValue(b), ok
	}
	if n.kind != listNode {
		return nullValue(), false
	}
	flat := make([]float64, 0, 2*len(n.list))
	for _, item := range n.list {
		cells := []node{item}
		if p.Kind == KindPairs {
			if cells = item.list; item.kind != listNode || len(cells) != 2 {
				return nullValue(), false
			}
		}
		for _, cell := range cells {
			v, ok := number(cell)
			if !ok {
				return nullValue(), false
			}
			flat = append(flat, v.Float()+0)
		}
	}
	if p.Kind == KindPairs {
		return pairsValue(flat), true
	}
	return listValue(flat), true
}

// row reads one entry of an axis: a value, or for a word {name: word, parameter: value, ...}.
func (r *reader) row(p *Parameter, n node) (row, bool) {
	if p.Kind != KindText || n.kind != mapNode {
		v, ok := r.value(p, n)
		return row{{p.ID, v, n.pos}}, ok
	}
	var out row
	good, named := true, false
	for _, e := range r.mapping(n, "", "") {
		if e.key == "name" {
			v, ok := r.value(p, e.value)
			out = append(row{{p.ID, v, e.value.pos}}, out...)
			good, named = good && ok, true
			continue
		}
		q, ok := r.parameter(e)
		if ok && q.ID == p.ID {
			r.fail(e.pos, "unknown key %q; name the %s itself by name:", p.Name, p.Name)
			ok = false
		}
		if !ok {
			good = false
			continue
		}
		v, ok := r.value(q, e.value)
		out = append(out, setting{q.ID, v, e.value.pos})
		good = good && ok
	}
	if !named {
		r.fail(n.pos, "entry of %s: name is missing; want %s", p.Name, p.Allowed())
		return nil, false
	}
	return out, good
}

// integer reads a whole number between low and high.
func (r *reader) integer(n node, what string, low, high int64) (int64, bool) {
	v, ok := number(n)
	if ok && v.Kind() == KindFloat && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53 {
		v = intValue(v.Int())
	}
	if !ok || v.Kind() != KindInt || v.Int() < low || v.Int() > high {
		r.fail(n.pos, "%s: got %s, want %d..%d", what, n, low, high)
		return 0, false
	}
	return v.Int(), true
}

// real reads a number.
func (r *reader) real(n node, what string) (float64, bool) {
	v, ok := number(n)
	if !ok {
		r.fail(n.pos, "%s: got %s, want a number", what, n)
		return 0, false
	}
	return v.Float() + 0, true
}

// shortened truncates a text for a message.
func shortened(text string) string {
	if len(text) > 60 {
		return text[:57] + "..."
	}
	return text
}
