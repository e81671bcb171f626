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
		if e.value.kind == listNode || e.value.kind == mapNode {
			r.fail(e.value.pos, "%s: got %s, want one value", e.key, e.value)
			continue
		}
		r.checkFigureColumn(keys[i], e.value, columns)
		if err := keys[i].Set(&f, e.value.text); err != nil {
			r.fail(e.value.pos, "%s: %s%s", e.key, err, hint(e.value.text, keys[i].Words))
		}
	}
	return f
}

// checkFigureColumn checks that a value of a key names a column, or is a condition over columns.
func (r *reader) checkFigureColumn(k figure.Key, v node, columns map[string]any) {
	name := v.text
	if k.Condition {
		err := figure.CheckCondition(v.text, columns)
		if err == nil {
			return
		}
		unknown := false
		if name, unknown = strings.CutPrefix(err.Error(), "unknown name "); !unknown {
			r.fail(v.pos, "%s: %s", k.Name, err)
			return
		}
		name, _, _ = strings.Cut(name, " ")
	} else if _, ok := columns[name]; ok || !k.Column {
		return
	}
	r.fail(v.pos, "%s: no column %s%s", k.Name, shortened(name), hint(name, slices.Sorted(maps.Keys(columns))))
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
		case k.IsNumber():
			value = object{"type": "number"}
		}
		properties[k.Name] = with(value, "description", k.Doc)
	}
	return object{
		"type": "array", "maxItems": figure.MaxFigures, "items": closed(properties),
		"description": "figures that plot draws of the result set; they do not change what is computed",
	}
}
