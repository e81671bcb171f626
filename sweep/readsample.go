package sweep

import (
	"math/bits"
	"slices"
	"strings"
)

// sample reads {method, num, seed, axes}. Where something is wrong with it, its mistakes keep it
// from being used.
func (r *reader) sample(n node) *sampled {
	const want = "{method: sobol, random or lhs, num: number of points, axes: ...}, with seed if wanted"
	parts := r.members(n, "sample", want, "method", "num", "seed", "axes")
	method, num, seed, axes := parts[0], parts[1], parts[2], parts[3]
	s := &sampled{pos: n.pos}
	if n.kind != mapNode {
		return s
	}
	for _, part := range []struct {
		name string
		node
	}{{"method", method}, {"num", num}, {"axes", axes}} {
		if missingKey(part.node) {
			r.fail(n.pos, "sample: %s is missing", part.name)
		}
	}
	if i := slices.Index(sampleMethods(), method.text); i >= 0 {
		s.method = sampleMethod(i)
	} else if !missingKey(method) {
		r.fail(method.pos, "method: got %s, want one of %s%s",
			method, strings.Join(sampleMethods(), ", "), hint(method.text, sampleMethods()))
	}
	if !missingKey(num) {
		s.num, _ = r.integer(num, "num", 1, maxIndices)
	}
	if s.method == sobolMethod && s.num&(s.num-1) != 0 {
		r.warn(
			num.pos,
			"num: got %d, but Sobol points are balanced for powers of two only, such as %d",
			s.num,
			int64(1)<<bits.Len64(uint64(s.num)),
		)
	}
	if !missingKey(seed) {
		value, _ := r.integer(seed, "seed", 0, 1<<63-1)
		s.seed, s.seeded = uint64(value), true
	}
	if !missingKey(axes) {
		s.axes = r.sampledAxes(axes)
	}
	if s.method == sobolMethod && len(s.axes) > sobolDimensions {
		r.fail(axes.pos, "axes: got %d, want at most %d with method: sobol", len(s.axes), sobolDimensions)
		return s
	}
	s.prepare()
	return s
}

// sampledAxes reads the axes of a sample, in the order of the table.
func (r *reader) sampledAxes(n node) []*sampledAxis {
	var axes []*sampledAxis
	entries := r.mapping(n, "axes", "a mapping of parameters to {from: number, to: number} or lists")
	if len(entries) == 0 && n.kind == mapNode {
		r.fail(n.pos, "axes: empty; give at least one range")
	}
	var set idSet
	for _, e := range entries {
		if p, ok := r.parameter(e); ok {
			x := r.sampledAxis(p, e)
			r.overlap(e.pos, &set, x.sets())
			axes = append(axes, x)
		}
	}
	slices.SortFunc(axes, func(a, b *sampledAxis) int { return int(a.id) - int(b.id) })
	return axes
}

// overlap rejects axes of a zip or sample that set the same parameter.
func (r *reader) overlap(at position, set *idSet, more idSet) {
	for id := range set.common(more).all() {
		r.fail(at, "%s: set by two axes of the block", r.table[id].Name)
	}
	*set = set.union(more)
}

func sampleMethods() []string { return []string{"sobol", "random", "lhs"} }

// sampledAxis reads {from, to, log}, or a list of choices.
func (r *reader) sampledAxis(p *Parameter, e entry) *sampledAxis {
	x := &sampledAxis{id: p.ID, pos: e.pos, whole: p.Kind == KindInt}
	if e.value.kind == listNode {
		if len(e.value.list) == 0 {
			r.fail(e.value.pos, "axis of %s: empty; give at least one value", p.Name)
			return x
		}
		x.rows, _ = r.rows(p, e.value.list)
		return x
	}
	if p.Kind != KindInt && p.Kind != KindFloat {
		r.fail(e.value.pos, "axis of %s: got %s, want a list, each entry %s", p.Name, e.value, p.Allowed())
		return x
	}
	parts := r.members(
		e.value,
		"axis of "+p.Name,
		"{from: number, to: number, log: true or false}, or a list",
		"from",
		"to",
		"log",
	)
	if e.value.kind != mapNode {
		return x
	}
	if missingKey(parts[0]) || missingKey(parts[1]) {
		r.fail(e.value.pos, "axis of %s: from and to are required", p.Name)
		return x
	}
	var ok1, ok2, ok3 bool
	x.from, ok1 = r.real(parts[0], "from")
	x.to, ok2 = r.real(parts[1], "to")
	if !missingKey(parts[2]) {
		if x.log, ok3 = boolean(parts[2]); !ok3 {
			r.fail(parts[2].pos, "log: got %s, want true or false", parts[2])
			return x
		}
	}
	if text := x.check(p); ok1 && ok2 && text != "" {
		r.fail(e.value.pos, "%s", text)
	}
	return x
}
