package sweep

import (
	"maps"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/figure"
)

// figures reads the list of figures. It is read after the variables are known. Figures are no part
// of the sweep's identity: they say how it is looked at.
func (r *reader) figures(n node) []figure.Figure {
	if n.kind != listNode {
		r.fail(n.pos, "figures: got %s, want a list of mappings such as {kind: phase, x: anisotropy, y: dimension}", n)
		return nil
	}
	if len(n.list) > figure.MaxFigures {
		r.fail(n.pos, "figures: got %d, want at most %d", len(n.list), figure.MaxFigures)
		return nil
	}
	columns := r.figureColumns()
	var out []figure.Figure
	for i, item := range n.list {
		f := r.figure(item, columns)
		if f.Name != "" && slices.ContainsFunc(out, func(o figure.Figure) bool { return o.Name == f.Name }) {
			r.fail(item.pos, "figure %d: name %s is already taken", i+1, f.Name)
		}
		out = append(out, f)
	}
	return out
}

// figure reads one figure.
func (r *reader) figure(n node, columns map[string]any) figure.Figure {
	var f figure.Figure
	keys := figure.Keys()
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	for _, e := range r.mapping(n, "figure", "a mapping of "+strings.Join(names, ", ")) {
		i := slices.Index(names, e.key)
		if i < 0 {
			r.unknown(e, names)
			continue
		}
		value := e.value
		if value.kind == listNode && (keys[i].List || keys[i].Shape() == figure.Numbers) {
			value = joined(value)
		}
		if value.kind == listNode || value.kind == mapNode {
			r.fail(value.pos, "%s: got %s, want one value", e.key, value)
			continue
		}
		if err := keys[i].Set(&f, value.text); err != nil {
			r.fail(value.pos, "%s: %s%s", e.key, err, hint(value.text, keys[i].Words))
			continue
		}
		r.checkFigureColumns(keys[i], value, columns)
	}
	return f
}

// joined is a list of single values as one text.
func joined(list node) node {
	text := node{kind: quotedNode, pos: list.pos}
	var parts []string
	for _, item := range list.list {
		if item.kind == listNode || item.kind == mapNode {
			return list
		}
		parts = append(parts, item.text)
	}
	text.text = strings.Join(parts, ", ")
	return text
}

// checkFigureColumns checks that the values of a key name columns, or are expressions of them.
func (r *reader) checkFigureColumns(k figure.Key, v node, columns map[string]any) {
	sources := []string{v.text}
	if k.List {
		sources = figure.Split(v.text)
	}
	for _, source := range sources {
		if _, ok := columns[source]; ok || !k.Column && !k.Condition {
			continue
		}
		check := figure.CheckExpression
		if k.Condition {
			check = figure.CheckCondition
		}
		name := source
		if k.Condition || k.Expression {
			err := check(source, columns)
			if err == nil {
				continue
			}
			rest, unknown := strings.CutPrefix(err.Error(), "unknown name ")
			if !unknown {
				r.fail(v.pos, "%s: %s", k.Name, err)
				continue
			}
			name, _, _ = strings.Cut(rest, " ")
		}
		r.fail(v.pos, "%s: no column %s%s", k.Name, shortened(name), hint(name, slices.Sorted(maps.Keys(columns))))
	}
}

// figureColumns are the columns that figures may name, each with a value of its type: parameters,
// variables, and what result sets add.
func (r *reader) figureColumns() map[string]any {
	columns := map[string]any{}
	for _, name := range strings.Fields(columnNames) {
		columns[name] = 0.0
	}
	for _, name := range []string{"representation", "status", "detail"} {
		columns[name] = ""
	}
	for _, name := range []string{"unstable_step", "resonant_step"} {
		columns[name] = false
	}
	for _, p := range r.table {
		switch p.Kind {
		case KindText, KindList, KindPairs: // lists are stored as JSON
			columns[p.Name] = ""
		case KindBool:
			columns[p.Name] = false
		case KindInt:
			columns[p.Name] = int64(0)
		default:
			columns[p.Name] = 0.0
		}
	}
	return columns
}

// Figures are those that the sweep file asks for, in its order.
func (s *Spec) Figures() []figure.Figure { return s.figures }

// figuresSchema is the JSON Schema of figures.
func figuresSchema() object {
	properties := object{}
	for _, k := range figure.Keys() {
		value := object{"type": "string"}
		switch {
		case len(k.Words) > 0:
			value = object{"enum": k.Words}
		case k.Shape() == figure.Number:
			value = object{"type": "number"}
			if k.Min < k.Max {
				value["minimum"], value["maximum"] = k.Min, k.Max
			}
		case k.Shape() == figure.Switch:
			value = object{"type": "boolean"}
		case k.Shape() == figure.Numbers:
			numbers := object{"type": "array", "items": object{"type": "number"}, "minItems": 2, "maxItems": 2}
			value = object{"anyOf": []any{value, numbers}}
		case k.List:
			texts := object{"type": "array", "items": value, "minItems": 1, "maxItems": figure.MaxList}
			value = object{"anyOf": []any{value, texts}}
		}
		properties[k.Name] = with(value, "description", k.Doc)
	}
	return object{
		"type": "array", "maxItems": figure.MaxFigures, "items": closed(properties),
		"description": "figures that plot draws of the result set; they do not change what is computed",
	}
}
