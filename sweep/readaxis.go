package sweep

import "github.com/phasegrid/phasegrid/sweep/exact"

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
	if x.rows, x.repeats = r.rows(p, n.list); x.rows == nil {
		return nil
	}
	return x
}

// warnRepeats warns of the entries of a grid axis that are equal to an earlier one. Those of a zip
// differ in another axis, and those of a sample are weights.
func (r *reader) warnRepeats(x *axis) {
	for i, entry := range x.rows {
		if again, ok := x.repeats[int64(i)]; ok {
			r.warn(entry[0].pos, "axis of %s: %s is also entry %d; its points are computed twice",
				r.table[x.id].Name, again.text, again.first+1)
		}
	}
}

// repeat is an entry of a list that is equal to an earlier one.
type repeat struct {
	first int
	text  string // as it is written
}

// rows reads the entries of a list axis, and finds the repeated ones; nil where one of them is
// wrong.
func (r *reader) rows(p *Parameter, list []node) (rows []row, repeats map[int64]repeat) {
	good, first := true, map[string]int{}
	repeats = map[int64]repeat{}
	for _, item := range list {
		entry, ok := row{{p.ID, nullValue(), item.pos}}, true
		if item.text != defaultEntry || item.kind == listNode || item.kind == mapNode || p.IsVariable() {
			entry, ok = r.row(p, item)
		}
		if good = good && ok; !ok {
			continue
		}
		text := r.table.canonicalRow(entry)
		if at, twice := first[text]; twice {
			repeats[int64(len(rows))] = repeat{at, item.String()}
		} else {
			first[text] = len(rows)
		}
		rows = append(rows, entry)
	}
	if !good {
		return nil, nil
	}
	return rows, repeats
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
	var ok1, ok2, ok3 bool
	x.from, ok1 = r.decimal(parts[0], "from")
	x.to, ok2 = r.decimal(parts[1], "to")
	if form.key == "range" {
		x.form = rangeForm
		if x.step, ok3 = r.decimal(parts[2], "step"); ok1 && ok2 && ok3 {
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
	return r.entries(p, x, form)
}

// entries sets the entries of a form whose numbers are read; nil where they are wrong.
func (r *reader) entries(p *Parameter, x *axis, form entry) *axis {
	if x.form == logForm && (x.from.Sign() <= 0 || x.to.Sign() <= 0) {
		r.fail(form.value.pos, "logspace: got from %s and to %s, want both > 0", x.from.Text(), x.to.Text())
		return nil
	}
	if r.planVersion == 1 {
		x.setFloatEntries()
		return x
	}
	if text := x.setEntries(p); text != "" {
		r.fail(form.value.pos, "%s", text)
		return nil
	}
	return x
}

// decimal reads a number as it is written.
func (r *reader) decimal(n node, what string) (exact.Decimal, bool) {
	if _, ok := number(n); !ok {
		r.fail(n.pos, "%s: got %s, want a number", what, n)
		return exact.Decimal{}, false
	}
	d, want := exact.ParseDecimal(n.text)
	if want != "" {
		r.fail(n.pos, "%s: got %s, want %s", what, shortened(n.text), want)
		return exact.Decimal{}, false
	}
	return d, true
}

// rangeSize counts the values of a range; to is one of them where a whole number of steps leads
// there.
func (r *reader) rangeSize(x *axis, step node) bool {
	if x.step.Sign() == 0 {
		r.fail(step.pos, "step: got 0, want a number other than 0")
		return false
	}
	x.num = exact.StepCount(x.from, x.to, x.step)
	if r.planVersion == 1 {
		x.num = x.floatStepCount()
	}
	switch {
	case x.num == 0:
		r.fail(step.pos, "range: empty, step %s leads away from to", x.step.Text())
		return false
	case x.num > maxIndices:
		r.fail(step.pos, "range: got more than 2^40 values")
		return false
	}
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
