package sweep

import (
	"slices"
	"strings"
)

// section is a block as the file writes it; the file itself is one.
type section struct {
	pos    position
	node   node
	fixed  []setting
	grid   []*axis
	zip    zipped
	points explicit
	sample *sampled
	union  []*section
	derive []derivation
	where  *expression
}

// sectionKeys are the keys of a block.
func sectionKeys() []string {
	return []string{"fixed", "grid", "zip", "points", "sample", "union", "derive", "where"}
}

// section reads the keys of a block; those in more are left to other.
func (r *reader) section(n node, what string, more []string, other func(entry)) *section {
	s := &section{pos: n.pos, node: n}
	for _, e := range r.mapping(n, what, "a mapping of "+strings.Join(sectionKeys(), ", ")) {
		switch e.key {
		case "fixed":
			s.fixed = r.settings(e.value, "fixed")
		case "grid":
			s.grid = r.axes(e.value, "grid", "a mapping of parameters to axes, such as anisotropy: [1, 10]")
			for _, x := range s.grid {
				r.warnRepeats(x)
			}
		case "zip":
			s.zip = r.zip(e.value)
		case "points":
			s.points = r.points(e.value)
		case "sample":
			before := len(r.mistakes)
			if s.sample = r.sample(e.value); len(r.mistakes) > before {
				s.sample = nil
			}
		case "union":
			s.union = r.union(e.value)
		case "derive":
			s.derive = r.derive(e.value)
		case "where":
			s.where = r.expression(e.value, "where")
		default:
			if slices.Contains(more, e.key) {
				other(e)
			} else {
				r.unknown(e, append(more, sectionKeys()...))
			}
		}
	}
	return s
}

// settings reads a mapping of parameters to values.
func (r *reader) settings(n node, name string) []setting {
	var out []setting
	for _, e := range r.mapping(n, name, "a mapping of parameters to values") {
		p, ok := r.parameter(e)
		if !ok {
			continue
		}
		settings, ok := r.row(p, e.value)
		if !ok {
			continue
		}
		for _, s := range settings {
			if i := slices.IndexFunc(out, func(o setting) bool { return o.id == s.id }); i >= 0 {
				r.fail(s.pos, "%s: already set on line %d", r.table[s.id].Name, out[i].pos.line)
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

// points reads a list of explicit rows.
func (r *reader) points(n node) explicit {
	if r.unread && n.kind == mapNode {
		return nil // reported before
	}
	if n.kind != listNode {
		r.fail(n.pos, "points: got %s, want a list of mappings of parameters to values, or file: rows.csv", n)
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.pos, "points: empty; give at least one row")
	}
	var out explicit
	for _, item := range n.list {
		settings := r.settings(item, "row of points")
		if item.kind == mapNode && len(item.keys) == 0 {
			r.fail(item.pos, "row of points: empty; set at least one parameter")
		}
		if len(settings) > 0 {
			slices.SortFunc(settings, func(a, b setting) int { return int(a.id) - int(b.id) })
			out = append(out, settings)
		}
	}
	return out
}

// union reads a list of blocks.
func (r *reader) union(n node) []*section {
	if n.kind != listNode || len(n.list) == 0 {
		r.fail(
			n.pos,
			"union: got %s, want a list of blocks, each a mapping of %s",
			n,
			strings.Join(sectionKeys(), ", "),
		)
		return nil
	}
	var out []*section
	for _, item := range n.list {
		if item.kind == mapNode && len(item.keys) == 0 {
			r.fail(item.pos, "block of the union: empty")
			continue
		}
		out = append(out, r.section(item, "block of the union", nil, nil))
	}
	return out
}

// derive reads a mapping of parameters to expressions.
func (r *reader) derive(n node) []derivation {
	var out []derivation
	for _, e := range r.mapping(n, "derive", "a mapping of parameters to expressions") {
		p, ok := r.parameter(e)
		if !ok {
			continue
		}
		if p.IsVariable() {
			r.fail(e.pos, "derive: %s is a variable, which expressions only read; "+
				"set it in fixed, grid, zip, points or sample", p.Name)
			continue
		}
		if x := r.expression(e.value, p.Name); x != nil {
			out = append(out, derivation{p.ID, x})
		}
	}
	return out
}

// expression reads and compiles an expression; nil if it is wrong.
func (r *reader) expression(n node, what string) *expression {
	if n.kind != plainNode && n.kind != quotedNode || n.kind == plainNode && n.text == "" {
		r.fail(n.pos, "%s: got %s, want an expression over the point's parameters", what, n)
		return nil
	}
	source := strings.TrimSpace(n.text)
	if v, ok := number(n); ok {
		source = v.String()
	}
	x, text := r.table.compile(source, n.pos)
	if text != "" {
		r.fail(n.pos, "%s: %s", what, text)
		return nil
	}
	return x
}
