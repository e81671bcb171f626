package sweep

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/sweep/draw"
	"github.com/phasegrid/phasegrid/sweep/exact"
)

// sampledForm is an axis of a sample that is written as a mapping.
type sampledForm struct {
	own      []string // keys of no other form, of which one has to be there
	more     []string // further keys
	required []string
	kinds    []Kind            // of the parameters that it is for; none: all
	instead  map[string]string // of a key of another form: what to do
	read     func(r *reader, p *Parameter, x *sampledAxis, at position, keys map[string]node)
	schema   func(p Parameter, list object) object // of the keys
}

// sampledForms are tried in turn; the last one is that of a mapping without keys of one's own.
func sampledForms() []sampledForm {
	return []sampledForm{
		{
			own: []string{"choice", "weights"}, required: []string{"choice"}, read: (*reader).choice,
			schema: choiceSchema,
		},
		{
			own: []string{
				"normal",
			}, more: []string{"from", "to"}, required: []string{"normal"}, kinds: []Kind{KindFloat},
			instead: map[string]string{
				"log":  "; sample its logarithm as a variable and derive the parameter",
				"step": "; sample a variable and derive the parameter, rounded",
			},
			read: (*reader).normal, schema: normalSchema,
		},
		{
			own: []string{"step"}, more: []string{"from", "to"}, required: []string{"step", "from", "to"},
			kinds:   []Kind{KindInt, KindFloat},
			instead: map[string]string{"log": "; omit one of them, or list the values"},
			read:    (*reader).steps, schema: stepsSchema,
		},
		{
			own: []string{
				"log",
			}, more: []string{"from", "to"}, required: []string{"from", "to"}, kinds: []Kind{KindInt, KindFloat},
			read: (*reader).span, schema: spanSchema,
		},
	}
}

// takes reports whether the form is one for a kind of parameters.
func (f sampledForm) takes(k Kind) bool { return f.kinds == nil || slices.Contains(f.kinds, k) }

// sampledFormOf is the form of a mapping with some keys.
func sampledFormOf(keys []entry) sampledForm {
	forms := sampledForms()
	for _, form := range forms {
		if slices.ContainsFunc(keys, func(e entry) bool { return slices.Contains(form.own, e.key) }) {
			return form
		}
	}
	return forms[len(forms)-1]
}

// sampledKeys are the keys of all forms.
func sampledKeys() (keys []string) {
	for _, form := range sampledForms() {
		keys = append(keys, form.own...)
	}
	return append(keys, "from", "to")
}

// sampledAxis reads a list of choices or one of sampledForms. Where it is wrong, its mistakes keep
// the sample from being used.
func (r *reader) sampledAxis(p *Parameter, e entry) *sampledAxis {
	x, n := &sampledAxis{id: p.ID, pos: e.pos}, e.value
	if n.kind == listNode {
		r.choices(p, x, n)
		return x
	}
	const forms = "a list, {choice: list, weights: list}, {from: number, to: number, log: true or false}, " +
		"{from: number, to: number, step: number} or {normal: {mean: number, sd: number}}"
	keys := r.mapping(n, "axis of "+p.Name, forms)
	if n.kind != mapNode {
		return x
	}
	form, found, known := sampledFormOf(keys), map[string]node{}, true
	for _, k := range keys {
		switch {
		case slices.Contains(form.own, k.key) || slices.Contains(form.more, k.key):
			found[k.key] = k.value
		case slices.Contains(sampledKeys(), k.key):
			r.fail(k.pos, "%s: does not go with %s%s", k.key, form.own[0], form.instead[k.key])
		default:
			r.unknown(k, sampledKeys())
			known = false
		}
	}
	switch {
	case form.takes(p.Kind):
	case p.Kind == KindInt:
		r.fail(n.pos, "axis of %s: got %s, want integers; sample a variable and derive %s from it, rounded",
			p.Name, form.own[0], p.Name)
		return x
	case known:
		r.fail(n.pos, "axis of %s: got %s, want a list or {choice: list, weights: list}, each entry %s",
			p.Name, n, p.Allowed())
		return x
	default:
		return x // of an unknown form
	}
	for _, key := range form.required {
		if missingKey(found[key]) {
			r.fail(n.pos, "axis of %s: %s is missing", p.Name, key)
			return x
		}
	}
	form.read(r, p, x, n.pos, found)
	return x
}

// choices reads a list of choices of equal weight.
func (r *reader) choices(p *Parameter, x *sampledAxis, n node) {
	switch {
	case n.kind != listNode:
		r.fail(n.pos, "choice: got %s, want a list, each entry %s", n, p.Allowed())
	case len(n.list) == 0:
		r.fail(n.pos, "axis of %s: empty; give at least one value", p.Name)
	default:
		x.rows, _ = r.rows(p, n.list)
		x.written = r.table.canonicalRows(x.rows)
	}
}

// choice reads {choice, weights}. Without weights it is the list.
func (r *reader) choice(p *Parameter, x *sampledAxis, _ position, keys map[string]node) {
	r.choices(p, x, keys["choice"])
	n, size := keys["weights"], len(keys["choice"].list)
	if missingKey(n) || size == 0 {
		return
	}
	if n.kind != listNode || len(n.list) != size {
		got := n.String()
		if n.kind == listNode {
			got = fmt.Sprintf("%d numbers", len(n.list))
		}
		r.fail(n.pos, "weights: got %s, want a list of %d numbers, one for each choice", got, size)
		return
	}
	weights := make([]exact.Decimal, len(n.list))
	for i, item := range n.list {
		var ok bool
		if weights[i], ok = r.decimal(item, "weight"); !ok {
			return
		}
		if weights[i].Sign() <= 0 {
			r.fail(item.pos, "weight: got %s, want > 0", item)
			return
		}
	}
	shares, ok := exact.Proportions(weights)
	if !ok {
		r.fail(n.pos, "weights: as integers their sum is above 2^53; round them to fewer digits")
		return
	}
	x.weights, x.target = draw.NewWeights(shares), draw.Entries
	x.written = map[string]any{"choice": x.written, "weights": shares}
}

// span reads {from, to, log}.
func (r *reader) span(p *Parameter, x *sampledAxis, at position, keys map[string]node) {
	from, ok1 := r.real(keys["from"], "from")
	to, ok2 := r.real(keys["to"], "to")
	span := draw.Range{From: from, To: to, Whole: p.Kind == KindInt}
	if n := keys["log"]; !missingKey(n) {
		var ok bool
		if span.Log, ok = boolean(n); !ok {
			r.fail(n.pos, "log: got %s, want true or false", n)
			return
		}
	}
	if text := checkSpan(p, span); ok1 && ok2 && text != "" {
		r.fail(at, "%s", text)
	}
	x.number = func(u draw.Uniform) Value {
		if span.Whole {
			return intValue(int64(span.At(u)))
		}
		return floatValue(span.At(u))
	}
	numbers := map[string]any{"from": plainNumber(from), "to": plainNumber(to)}
	if span.Log {
		numbers["log"] = true
	}
	x.written = numbers
}

// checkSpan returns what is wrong with a range; "" if nothing is.
func checkSpan(p *Parameter, span draw.Range) string {
	for _, f := range []float64{span.From, span.To} {
		if text := p.check(floatValue(f), exact.FormatFloat(f)); text != "" {
			return text
		}
	}
	if span.From > span.To {
		return wrongEnds(exact.FormatFloat(span.From), exact.FormatFloat(span.To))
	}
	if span.Log && (span.From <= 0 || math.IsInf(span.To/span.From, 0)) {
		return fmt.Sprintf("axis: got from %s with log: true, want > 0", exact.FormatFloat(span.From))
	}
	return ""
}

func wrongEnds(from, to string) string {
	return fmt.Sprintf("axis: got from %s and to %s, want from <= to", from, to)
}

// steps reads {from, to, step}: the entries of a range, each drawn equally often.
func (r *reader) steps(p *Parameter, x *sampledAxis, at position, keys map[string]node) {
	from, ok1 := r.decimal(keys["from"], "from")
	to, ok2 := r.decimal(keys["to"], "to")
	step, ok3 := r.decimal(keys["step"], "step")
	if !ok1 || !ok2 || !ok3 {
		return
	}
	if step.Sign() <= 0 {
		r.fail(keys["step"].pos, "step: got %s, want > 0", step.Text())
		return
	}
	entries := &axis{id: p.ID, form: rangeForm, whole: p.Kind == KindInt, from: from, to: to, step: step}
	entries.num = exact.StepCount(from, to, step)
	switch {
	case entries.num == 0:
		r.fail(at, "%s", wrongEnds(from.Text(), to.Text()))
		return
	case entries.num > maxIndices:
		r.fail(keys["step"].pos, "step: got more than 2^40 values between from and to")
		return
	}
	if text := entries.setEntries(p); text != "" {
		r.fail(at, "%s", text)
		return
	}
	x.number = func(u draw.Uniform) Value { return entries.value(int64(u.Below(uint64(entries.num)))) }
	x.target = draw.Entries
	x.written = map[string]any{"from": json.RawMessage(from.Text()), "to": json.RawMessage(to.Text()),
		"step": json.RawMessage(step.Text())}
}

// maxNormal bounds mean and sd of a normal distribution, minNormal the sd.
const maxNormal, minNormal = 1e250, 1e-250

// normal reads {normal: {mean, sd}, from, to}. What it can draw must be in the parameter's range.
func (r *reader) normal(p *Parameter, x *sampledAxis, at position, keys map[string]node) {
	n := keys["normal"]
	parts := r.members(n, "normal", "{mean: number, sd: number}", "mean", "sd")
	if n.kind != mapNode {
		return
	}
	if missingKey(parts[0]) || missingKey(parts[1]) {
		r.fail(n.pos, "normal: mean and sd are required")
		return
	}
	mean, ok1 := r.realIn(parts[0], "mean", -maxNormal, maxNormal)
	sd, ok2 := r.realIn(parts[1], "sd", minNormal, maxNormal)
	moments := map[string]any{"mean": plainNumber(mean), "sd": plainNumber(sd)}
	written := map[string]any{"normal": moments}
	ends, good := [2]float64{math.Inf(-1), math.Inf(1)}, ok1 && ok2
	for i, key := range []string{"from", "to"} {
		end := keys[key]
		if missingKey(end) {
			continue
		}
		var ok bool
		ends[i], ok = r.real(end, key)
		if ok && !p.inRange(ends[i]) {
			r.fail(end.pos, "%s", p.wrong(end.String()))
			ok = false
		}
		written[key], good = plainNumber(ends[i]), good && ok
	}
	if good && ends[0] >= ends[1] {
		r.fail(at, "axis: got from %s and to %s with normal, want from < to", keys["from"], keys["to"])
		good = false
	}
	if !good {
		return
	}
	normal, ok := draw.NewNormal(mean, sd, ends[0], ends[1])
	if !ok {
		r.fail(at, "axis of %s: got less than %s of the normal distribution between from and to; widen them",
			p.Name, exact.FormatFloat(draw.MinMass))
		return
	}
	r.checkDraws(p, normal, at)
	x.number = func(u draw.Uniform) Value { return floatValue(normal.At(u)) }
	x.target, x.written = draw.Unbounded, written
}

// checkDraws reports what a normal distribution can draw beyond the parameter's range.
func (r *reader) checkDraws(p *Parameter, normal draw.Normal, at position) {
	for _, end := range []struct {
		key, toward string
		u           draw.Uniform
	}{{"from", "down", draw.Uniform{Cells: 1}}, {"to", "up", draw.Uniform{Cells: 1, Inside: math.MaxUint64}}} {
		if f := normal.At(end.u); !p.inRange(f) {
			r.fail(at, "axis of %s: draws %s to %.3g, want %s; set %s, where the normal is cut off",
				p.Name, end.toward, f, p.Allowed(), end.key)
		}
	}
}

// realIn reads a number between low and high.
func (r *reader) realIn(n node, what string, low, high float64) (float64, bool) {
	f, ok := r.real(n, what)
	if ok && !(f >= low && f <= high) {
		r.fail(n.pos, "%s: got %s, want a number in %g..%g", what, n, low, high)
		ok = false
	}
	return f, ok
}

func choiceSchema(_ Parameter, list object) object {
	weight := object{"type": "number", "exclusiveMinimum": 0}
	return object{"choice": list, "weights": object{"type": "array", "minItems": 1, "items": weight}}
}

func normalSchema(p Parameter, _ object) object {
	moments := object{
		"mean": object{"type": "number", "minimum": -maxNormal, "maximum": maxNormal},
		"sd":   object{"type": "number", "minimum": minNormal, "maximum": maxNormal},
	}
	end := p.bound(object{"type": "number"})
	return object{"normal": closed(moments, "mean", "sd"), "from": end, "to": end}
}

func stepsSchema(Parameter, object) object {
	number := object{"type": "number"}
	return object{"from": number, "to": number, "step": object{"type": "number", "exclusiveMinimum": 0}}
}

func spanSchema(p Parameter, _ object) object {
	end := p.bound(object{"type": "number"})
	return object{"from": end, "to": end, "log": object{"type": "boolean"}}
}

// sampledAxisSchema is the parameter's axis in a sample.
func (p Parameter) sampledAxisSchema(list object) object {
	forms := []any{list}
	for _, form := range sampledForms() {
		if form.takes(p.Kind) {
			forms = append(forms, closed(form.schema(p, list), form.required...))
		}
	}
	return object{"anyOf": forms}
}
