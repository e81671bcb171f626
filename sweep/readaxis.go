package sweep

// axes reads a mapping of parameters to axes.
func (r *reader) axes(n node, name, want string) []*axis {
	var out []*axis
	for _, e := range r.mapping(n, name, want) {
		if p, ok := r.parameter(e); ok {
			if x := r.axis(p, e); x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}

const axisForms = "a list or one of values, linspace, logspace, range"

// axis reads one axis: a list of values, or a form of it.
func (r *reader) axis(p *Parameter, e entry) *axis {
	x := &axis{id: p.ID, pos: e.pos, whole: p.Kind == KindInt}
	n := e.value
	if n.kind == mapNode {
		forms := r.mapping(n, "", "")
		if len(forms) != 1 {
			r.fail(n.pos, "axis of %s: got %d keys, want %s", p.Name, len(forms), axisForms)
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
		r.fail(n.pos, "axis of %s: got %s, want %s; set a single value in fixed", p.Name, n, axisForms)
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.pos, "axis of %s: empty; give at least one value", p.Name)
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
		text := r.table.canonicalRow(entry)
		if at, twice := first[text]; twice {
			r.warn(item.pos, "axis of %s: %s is also entry %d; its points are computed twice", p.Name, item, at+1)
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
		r.fail(form.pos, "axis of %s: got %s, want a list, each entry %s", p.Name, form.key, p.Allowed())
		return nil
	}
	third := "num"
	if form.key == "range" {
		third = "step"
	}
	parts := r.members(
		form.value,
		form.key, "{from: number, to: number, "+third+": number}",
		"from",
		"to",
		third,
	)
	if form.value.kind != mapNode {
		return nil
	}
	good := true
	for i, name := range []string{"from", "to", third} {
		if missingKey(parts[i]) {
			r.fail(form.value.pos, "%s: %s is missing", form.key, name)
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
		x.num, ok3 = r.integer(parts[2], "num", 1, maxIndices)
	}
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	if x.form == logForm && (from <= 0 || to <= 0) {
		r.fail(form.value.pos, "logspace: got from %s and to %s, want both > 0", formatFloat(from), formatFloat(to))
		return nil
	}
	if text := x.check(p); text != "" {
		r.fail(form.value.pos, "%s", text)
		return nil
	}
	return x
}

// rangeSize counts the values of a range; to is one of them where a whole number of steps leads
// there, up to round-off.
func (r *reader) rangeSize(x *axis, step node) bool {
	if x.step == 0 {
		r.fail(step.pos, "step: got 0, want a number other than 0")
		return false
	}
	steps := (x.to - x.from) / x.step
	if steps < 0 {
		r.fail(step.pos, "range: empty, step %s leads away from to", formatFloat(x.step))
		return false
	}
	if steps >= maxIndices {
		r.fail(step.pos, "range: got more than 2^40 values")
		return false
	}
	x.num = int64(steps+1e-9) + 1
	return true
}

// zip reads axes of equal length that advance together.
func (r *reader) zip(n node) zipped {
	axes := r.axes(n, "zip", "a mapping of parameters to axes of equal length")
	var set idSet
	for _, x := range axes {
		r.overlap(x.pos, &set, x.sets())
		if x.size() != axes[0].size() {
			r.fail(
				x.pos,
				"zip: axis of %s has %d values, axis of %s has %d, want equal lengths",
				r.table[x.id].Name,
				x.size(),
				r.table[axes[0].id].Name,
				axes[0].size(),
			)
			return nil
		}
	}
	return axes
}
