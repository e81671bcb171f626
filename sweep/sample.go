package sweep

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// sampled are points over axes, drawn together.
type sampled struct {
	pos    position
	points draw.Points
	axes   []*sampledAxis
}

// sampledAxis draws the value of one parameter: one of several choices, or a number.
type sampledAxis struct {
	id      ParameterID
	pos     position
	rows    []row        // choices; nil for numbers
	weights draw.Weights // of the choices; nil: equal ones
	number  func(u draw.Uniform) Value
	target  draw.Target
	stream  *draw.Stream // of uniform numbers
	written any          // the canonical form
}

func (s *sampled) size() int64 { return s.points.Num }

func (s *sampled) place() ParameterID {
	first := s.axes[0].id
	for _, x := range s.axes {
		first = min(first, x.id)
	}
	return first
}

func (s *sampled) sets() (set idSet) {
	for _, x := range s.axes {
		set = set.union(x.sets())
	}
	return set
}

func (x *sampledAxis) sets() idSet {
	set := setOf(x.id)
	for _, r := range x.rows {
		set = set.union(r.sets())
	}
	return set
}

func (s *sampled) sometimes() (set idSet) {
	for _, x := range s.axes {
		for _, r := range x.rows {
			set = set.union(r.sets().without(x.id))
		}
	}
	return set
}

func (s *sampled) defaults() (set idSet) {
	for _, x := range s.axes {
		set = set.union(defaultsOf(x.id, x.rows))
	}
	return set
}

func (s *sampled) assign(i int64, a Assignment) {
	for _, x := range s.axes {
		x.assign(x.stream.At(i), a)
	}
}

func (s *sampled) at(i int64, id ParameterID) position {
	for _, x := range s.axes {
		if x.rows != nil {
			if at := x.choice(x.stream.At(i)).at(id); at != (position{}) {
				return at
			}
		} else if x.id == id {
			return x.pos
		}
	}
	return position{}
}

// choice is the entry of a list that u picks.
func (x *sampledAxis) choice(u draw.Uniform) row {
	if x.weights != nil {
		return x.rows[x.weights.Index(u)]
	}
	return x.rows[int(u.Float()*float64(len(x.rows)))]
}

// assign sets the parameter, and for a choice those that it carries.
func (x *sampledAxis) assign(u draw.Uniform, a Assignment) {
	if x.rows != nil {
		x.choice(u).assign(a)
		return
	}
	a[x.id] = x.number(u)
}

// meant reports whether two points of the block are drawn the same, as weights are for.
func (s *sampled) meant(i, j int64, size int) bool {
	if !slices.ContainsFunc(s.axes, func(x *sampledAxis) bool { return x.weights != nil }) {
		return false
	}
	a, b := make(Assignment, size), make(Assignment, size)
	s.assign(i, a)
	s.assign(j, b)
	return slices.EqualFunc(a, b, func(v, w Value) bool { return v.String() == w.String() })
}

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
	if i := slices.Index(draw.Methods(), method.text); i >= 0 {
		s.points.Method = draw.Method(i)
	} else if !missingKey(method) {
		r.fail(method.pos, "method: got %s, want one of %s%s",
			method, strings.Join(draw.Methods(), ", "), hint(method.text, draw.Methods()))
	}
	if !missingKey(num) {
		s.points.Num, _ = r.integer(num, "num", 1, maxIndices)
	}
	if n := s.points.Num; s.points.Method == draw.Sobol && n&(n-1) != 0 {
		r.warn(
			num.pos,
			"num: got %d, but Sobol points are balanced for powers of two only, such as %d",
			n,
			int64(1)<<bits.Len64(uint64(n)),
		)
	}
	if !missingKey(seed) {
		value, _ := r.integer(seed, "seed", 0, 1<<63-1)
		s.points.Seed, s.points.Seeded = uint64(value), true
	}
	if !missingKey(axes) {
		s.axes = r.sampledAxes(axes)
	}
	if s.points.Method == draw.Sobol && len(s.axes) > draw.SobolDimensions {
		r.fail(axes.pos, "axes: got %d, want at most %d with method: sobol", len(s.axes), draw.SobolDimensions)
		return s
	}
	for k, x := range s.axes {
		x.stream = s.points.Axis(k, x.target)
	}
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
