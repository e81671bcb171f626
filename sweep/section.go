package sweep

import (
	"slices"
	"strings"
)

// section is a block as the file writes it; the file itself is one.
type section struct {
	pos    position
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
	s := &section{pos: n.pos}
	for _, e := range r.mapping(n, what+" must be a mapping of "+strings.Join(sectionKeys(), ", ")) {
		switch e.key {
		case "fixed":
			s.fixed = r.settings(e.value, "fixed must be a mapping of parameters to values")
		case "grid":
			s.grid = r.axes(e.value, "grid must be a mapping of parameters to axes, anisotropy: [1, 10]")
		case "zip":
			s.zip = r.zip(e.value)
		case "points":
			s.points = r.points(e.value)
		case "sample":
			s.sample = r.sample(e.value)
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
func (r *reader) settings(n node, what string) []setting {
	var out []setting
	for _, e := range r.mapping(n, what) {
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
				r.fail(s.pos, "%s is set on line %d already", parameters()[s.id].Name, out[i].pos.line)
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

// axes reads a mapping of parameters to axes.
func (r *reader) axes(n node, what string) []*axis {
	var out []*axis
	for _, e := range r.mapping(n, what) {
		if p, ok := r.parameter(e); ok {
			if x := r.axis(p, e); x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}

const axisForms = "a list, or one of values, linspace, logspace, range"

// axis reads one axis: a list of values, or a form of it.
func (r *reader) axis(p *Parameter, e entry) *axis {
	x := &axis{id: p.ID, pos: e.pos, whole: p.Kind == KindInt}
	n := e.value
	if n.kind == mapNode {
		forms := r.mapping(n, "")
		if len(forms) != 1 {
			r.fail(n.pos, "an axis is %s: %s has %d keys", axisForms, p.Name, len(forms))
			return nil
		}
		form := forms[0]
		switch form.key {
		case "values":
			n = form.value
		case "linspace", "logspace", "range":
			return r.form(p, x, form)
		default:
			r.unknown(form, []string{"values", "linspace", "logspace", "range"})
			return nil
		}
	}
	if n.kind != listNode {
		r.fail(n.pos, "the axis of %s must be %s, not %s; a single value goes into fixed", p.Name, axisForms, n)
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.pos, "the axis of %s is empty; give at least one value", p.Name)
		return nil
	}
	if x.rows = r.rows(p, n.list); x.rows == nil {
		return nil
	}
	return x
}

// rows reads the entries of a list axis; nil where one of them is wrong.
func (r *reader) rows(p *Parameter, list []node) []row {
	rows, good := make([]row, 0, len(list)), true
	first := map[string]int{}
	for _, item := range list {
		entry, ok := r.row(p, item)
		if good = good && ok; !ok {
			continue
		}
		text := canonicalRow(entry)
		if at, twice := first[text]; twice {
			r.warn(item.pos, "%s has %s twice, first as entry %d: its points are computed twice", p.Name, item, at+1)
		} else {
			first[text] = len(rows)
		}
		rows = append(rows, entry)
	}
	if !good {
		return nil
	}
	return rows
}

// form reads {linspace: {from, to, num}}, {logspace: ...} or {range: {from, to, step}}.
func (r *reader) form(p *Parameter, x *axis, form entry) *axis {
	if p.Kind != KindInt && p.Kind != KindFloat {
		r.fail(form.pos, "%s cannot make values of %s, which must be %s", form.key, p.Name, p.allowed())
		return nil
	}
	third := "num"
	if form.key == "range" {
		third = "step"
	}
	parts := r.members(form.value, form.key+" must be {from: number, to: number, "+third+": number}", "from", "to", third)
	if form.value.kind != mapNode {
		return nil
	}
	good := true
	for i, name := range []string{"from", "to", third} {
		if missingKey(parts[i]) {
			r.fail(form.value.pos, "%s needs %s", form.key, name)
			good = false
		}
	}
	if !good {
		return nil
	}
	from, ok1 := r.real(parts[0], "from")
	to, ok2 := r.real(parts[1], "to")
	x.from, x.to = from, to
	var ok3 bool
	if form.key == "range" {
		x.form = rangeForm
		if x.step, ok3 = r.real(parts[2], "step"); ok1 && ok2 && ok3 {
			ok3 = r.rangeSize(x, parts[2])
		}
	} else {
		x.form = linForm
		if form.key == "logspace" {
			x.form = logForm
		}
		x.num, ok3 = r.integer(parts[2], "num", 1, MaxIndices)
	}
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	if x.form == logForm && (from <= 0 || to <= 0) {
		r.fail(form.value.pos, "logspace needs from and to above 0, not %s and %s", formatFloat(from), formatFloat(to))
		return nil
	}
	if text := x.check(p); text != "" {
		r.fail(form.value.pos, "%s", text)
		return nil
	}
	return x
}

// rangeSize counts the values of a range; to is one of them where a whole number of steps leads there, up to round-off.
func (r *reader) rangeSize(x *axis, step node) bool {
	if x.step == 0 {
		r.fail(step.pos, "step must not be 0")
		return false
	}
	steps := (x.to - x.from) / x.step
	if steps < 0 {
		r.fail(step.pos, "the range is empty: step %s leads away from to", formatFloat(x.step))
		return false
	}
	if steps >= MaxIndices {
		r.fail(step.pos, "the range has more than 2^40 values")
		return false
	}
	x.num = int64(steps+1e-9) + 1
	return true
}

// zip reads axes in step.
func (r *reader) zip(n node) zipped {
	axes := r.axes(n, "zip must be a mapping of parameters to axes of equal length")
	for _, x := range axes {
		if x.size() != axes[0].size() {
			r.fail(x.pos, "zip needs axes of equal length: %s has %d values, %s has %d", parameters()[x.id].Name, x.size(),
				parameters()[axes[0].id].Name, axes[0].size())
			return nil
		}
	}
	return axes
}

// points reads a list of explicit rows.
func (r *reader) points(n node) explicit {
	if n.kind != listNode {
		r.fail(n.pos, "points must be a list of mappings of parameters to values, not %s", n)
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.pos, "points is empty; give at least one row")
	}
	var out explicit
	for _, item := range n.list {
		settings := r.settings(item, "a row of points must be a mapping of parameters to values")
		if item.kind == mapNode && len(item.keys) == 0 {
			r.fail(item.pos, "this row of points is empty; set at least one parameter")
		}
		if len(settings) > 0 {
			slices.SortFunc(settings, func(a, b setting) int { return int(a.id) - int(b.id) })
			out = append(out, settings)
		}
	}
	return out
}

// sample reads {method, num, seed, axes}.
func (r *reader) sample(n node) *sampled {
	const what = "sample must be {method: sobol, random or lhs, num: number of points, axes: ...}, with seed if wanted"
	parts := r.members(n, what, "method", "num", "seed", "axes")
	if n.kind != mapNode {
		return nil
	}
	s := &sampled{pos: n.pos}
	good := true
	for i, name := range []string{"method", "num", "", "axes"} {
		if name != "" && missingKey(parts[i]) {
			r.fail(n.pos, "sample needs %s", name)
			good = false
		}
	}
	if !missingKey(parts[0]) {
		i := slices.Index(sampleMethods(), parts[0].text)
		if i < 0 {
			r.fail(parts[0].pos, "method must be one of %s, not %s%s", strings.Join(sampleMethods(), ", "), parts[0], hint(parts[0].text, sampleMethods()))
			good = false
		}
		s.method = sampleMethod(max(0, i))
	}
	if !missingKey(parts[1]) {
		var ok bool
		s.num, ok = r.integer(parts[1], "num", 1, MaxIndices)
		good = good && ok
	}
	if !missingKey(parts[2]) {
		seed, ok := r.integer(parts[2], "seed", 0, 1<<63-1)
		s.seed, s.seeded = uint64(seed), true
		good = good && ok
	}
	if !missingKey(parts[3]) {
		entries := r.mapping(parts[3], "axes must be a mapping of parameters to {from: number, to: number} or lists")
		for _, e := range entries {
			if p, ok := r.parameter(e); ok {
				x, ok := r.sampledAxis(p, e)
				s.axes = append(s.axes, x)
				good = good && ok
			} else {
				good = false
			}
		}
		if len(entries) == 0 && parts[3].kind == mapNode {
			r.fail(parts[3].pos, "axes is empty; give at least one range")
		}
	}
	if !good || len(s.axes) == 0 {
		return nil
	}
	slices.SortFunc(s.axes, func(a, b *sampledAxis) int { return int(a.id) - int(b.id) })
	s.prepare()
	return s
}

func sampleMethods() []string { return []string{"sobol", "random", "lhs"} }

// sampledAxis reads {from, to, log}, or a list of choices.
func (r *reader) sampledAxis(p *Parameter, e entry) (*sampledAxis, bool) {
	x := &sampledAxis{id: p.ID, pos: e.pos, whole: p.Kind == KindInt}
	if e.value.kind == listNode {
		if len(e.value.list) == 0 {
			r.fail(e.value.pos, "the axis of %s is empty; give at least one value", p.Name)
			return x, false
		}
		x.rows = r.rows(p, e.value.list)
		return x, x.rows != nil
	}
	if p.Kind != KindInt && p.Kind != KindFloat {
		r.fail(e.value.pos, "%s must be %s: give a list of choices, not %s", p.Name, p.allowed(), e.value)
		return x, false
	}
	parts := r.members(e.value, "a sampled axis must be {from: number, to: number, log: true or false}, or a list", "from", "to", "log")
	if e.value.kind != mapNode {
		return x, false
	}
	if missingKey(parts[0]) || missingKey(parts[1]) {
		r.fail(e.value.pos, "a sampled axis needs from and to")
		return x, false
	}
	var ok1, ok2 bool
	x.from, ok1 = r.real(parts[0], "from")
	x.to, ok2 = r.real(parts[1], "to")
	if !missingKey(parts[2]) {
		if x.log = parts[2].text == "true"; !x.log && parts[2].text != "false" {
			r.fail(parts[2].pos, "log must be true or false, not %s", parts[2])
			return x, false
		}
	}
	if !ok1 || !ok2 {
		return x, false
	}
	if text := x.check(p); text != "" {
		r.fail(e.value.pos, "%s", text)
		return x, false
	}
	return x, true
}

// union reads a list of blocks.
func (r *reader) union(n node) []*section {
	if n.kind != listNode || len(n.list) == 0 {
		r.fail(n.pos, "union must be a list of blocks, each with its own %s, not %s", strings.Join(sectionKeys(), ", "), n)
		return nil
	}
	var out []*section
	for _, item := range n.list {
		if item.kind == mapNode && len(item.keys) == 0 {
			r.fail(item.pos, "this block of the union is empty")
			continue
		}
		out = append(out, r.section(item, "a block of the union", nil, nil))
	}
	return out
}

// derive reads a mapping of parameters to expressions.
func (r *reader) derive(n node) []derivation {
	var out []derivation
	for _, e := range r.mapping(n, "derive must be a mapping of parameters to expressions") {
		p, ok := r.parameter(e)
		if !ok {
			continue
		}
		if x := r.expression(e.value, p.Name); x != nil {
			out = append(out, derivation{p.ID, x})
		}
	}
	return out
}

// expression reads and compiles an expression; nil where it is wrong.
func (r *reader) expression(n node, what string) *expression {
	if n.kind != plainNode && n.kind != quotedNode || n.kind == plainNode && n.text == "" {
		r.fail(n.pos, "%s must be an expression over the point's parameters, not %s", what, n)
		return nil
	}
	source := strings.TrimSpace(n.text)
	if v, ok := number(n); ok {
		source = v.String()
	}
	x, text := compile(source, n.pos)
	if text != "" {
		r.fail(n.pos, "%s: %s", what, text)
		return nil
	}
	return x
}
