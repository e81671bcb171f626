package sweep

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// Bounds on the check of points that Parse makes.
const (
	exactPoints   = 1_000_000   // up to here every point is checked
	sampledPoints = 20_000      // beyond that, the size of the sample
	exactCost     = 500_000_000 // no more operations than this go into expressions before a sample must do
)

// finding is a fault with the first point and the number of points that have it.
type finding struct {
	fault
	example string
	points  int64
}

// pointCheck accumulates the faults and unused parameters of the points of a sweep.
type pointCheck struct {
	spec   *Spec
	limits Limits

	point        Point // of look
	looked, kept int64
	same         coincidences
	unseeded     int64  // points without random numbers
	unlabelled   int64  // points whose labels are all the same
	unpaired     string // an optimizer for which auto takes the dense run
	subspace     bool   // there are points in the subspace online
	unused       idSet  // parameters that the sweep sets and that have applied to no point so far
	findings     map[findingKey]*finding
	order        []*finding // in the order of the points
}

type findingKey struct {
	id ParameterID
	position
}

// checkPoints makes every point, or a fixed sample of them, and reports those that cannot be
// solved.
func (r *reader) checkPoints(s *Spec, limits Limits) {
	if limits.PointBytes == 0 {
		limits.PointBytes = DefaultPointBytes
	}
	cost := int64(0)
	for _, b := range s.blocks {
		cost = max(cost, b.cost())
	}
	c := &pointCheck{spec: s, limits: limits, unused: s.columns, findings: map[findingKey]*finding{}}
	c.same.spec, c.same.found = s, map[coincidenceKey]*coincidence{}
	every := s.size <= exactPoints && s.size*cost <= exactCost || s.size <= sampledPoints
	c.same.every = every
	w := s.walk(0)
	if every {
		c.same.keys = make([]keyedPoint, 0, s.size)
		for ; w.index < s.size; w.advance() {
			c.look(w)
		}
		s.points, s.exact = c.kept, true
	} else {
		for i := range int64(sampledPoints) {
			w.seek(sampleIndex(i, s.size))
			c.look(w)
		}
		if !s.exact {
			s.points = int64(float64(s.size) * (float64(c.kept) / float64(c.looked)))
		}
	}
	for _, f := range c.order {
		text := f.text + f.example
		if f.points > 1 {
			text += fmt.Sprintf(", and %d more", f.points-1)
		}
		r.fail(f.pos, "%s", text)
	}
	if len(c.order) == 0 {
		r.checkWhole(c)
	}
}

// reportMissing reports the parameters that are missing in a file that has other mistakes, as far
// as these let that be known: where no key of a block names a parameter, not even a misspelt one.
func (r *reader) reportMissing(body *section) {
	// Its mistakes are those of r.
	quiet := &reader{files: r.files, table: r.table, planVersion: r.planVersion, naming: true}
	spec := &Spec{table: r.table, replicates: 1}
	quiet.flatten(spec, newBlock(r.table, body.pos), body)
	for _, b := range spec.blocks {
		b.finish(1)
		b.first = spec.size
		spec.size += b.size
	}
	if spec.size == 0 {
		return
	}
	w, seen := spec.walk(0), map[findingKey]bool{}
	for i := range min(spec.size, sampledPoints) {
		if spec.size > sampledPoints {
			i = sampleIndex(i, spec.size)
		}
		w.seek(i)
		a := slices.Clone(w.raw)
		r.table.resolve(a)
		for id := range r.table.ids() {
			key := findingKey{id, w.block.pos}
			if a[id].IsNull() && r.table.applies(id, a) && r.table.required(id) && !w.block.named.has(id) &&
				!seen[key] {
				seen[key] = true
				r.fail(key.position, "%s", r.table.missing(id))
			}
		}
	}
}

// named are the parameters that keys of a section, or of the block around it, name.
func (r *reader) named(outer *block, s *section) idSet {
	if !r.naming {
		return nil
	}
	return outer.named.union(r.table.namedIn(s.node))
}

// maxAlmost bounds the unknown keys for which a parameter of almost their name is looked for.
const maxAlmost = 1000

// namedIn are the parameters that keys below a block's node name, rightly or almost; all of them
// where that cannot be known. Blocks of a union are left to themselves.
func (t table) namedIn(block node) (set idSet) {
	almost := map[string]bool{}
	var names []string
	all := block.kind != mapNode
	var walk func(n node)
	walk = func(n node) {
		for _, item := range n.list {
			walk(item)
		}
		for _, e := range n.keys {
			id, ok := t.lookup(e.key)
			switch {
			case slices.Contains(fileKeys(), e.key): // steps of a record, say, are no parameter
				continue
			case ok && !set.has(id):
				set = set.with(id)
			case !ok && !almost[e.key] && len(almost) < maxAlmost:
				almost[e.key] = true
				names = append(names, closest(e.key, t.names()))
			}
			if e.key != "union" {
				walk(e.value)
			} else if len(e.value.list) == 0 {
				all = true
			}
		}
	}
	walk(block)
	for id := range t.ids() {
		if all || slices.Contains(names, t[id].Name) {
			set = set.with(id)
		}
	}
	return set
}

// look checks the walker's point.
func (c *pointCheck) look(w *walker) {
	p := &c.point
	c.looked++
	if !w.point(p) {
		return
	}
	c.kept++
	if len(w.faults) == 0 {
		c.measure(w, p)
	}
	if len(w.faults) == 0 {
		c.same.look(w, p)
	}
	for _, f := range w.faults {
		key := findingKey{f.id, f.pos}
		if seen, ok := c.findings[key]; ok {
			seen.points++
		} else if len(c.order) < 10*maxMistakes {
			c.findings[key] = &finding{f, w.describe(p), 1}
			c.order = append(c.order, c.findings[key])
		}
	}
}

// measure checks the memory and the parameters of a point that can be solved.
func (c *pointCheck) measure(w *walker, p *Point) {
	if n := PointBytes(p.Params, c.spec.record); n > c.limits.PointBytes {
		w.fault(
			Dimension,
			fmt.Sprintf(
				"memory of a point: got over %s, want at most %s; "+
					"lower dimension, width or samples, or raise --max-point-bytes",
				byteSize(1<<(bits.Len64(uint64(n-1))-1)),
				byteSize(c.limits.PointBytes),
			),
		)
	}
	if p.Params[Seed].IsNull() && !w.block.derivesFrom(Seed) {
		c.unseeded++
	}
	if unpaired(p.Params) && w.raw[Representation].text != "dense" {
		c.unpaired = p.Params[Optimizer].text
	}
	c.subspace = c.subspace || p.Params[Model].text == "online" && p.Params[Representation].text == "subspace"
	if constantLabels(p.Params) {
		c.unlabelled++
	}
	for id := range c.unused.all() {
		if !p.Params[id].IsNull() {
			c.unused = c.unused.without(id)
		}
	}
}

// checkWhole reports what concerns the sweep as a whole.
func (r *reader) checkWhole(c *pointCheck) {
	s := c.spec
	if c.kept == 0 {
		r.reportEmpty(s)
		return
	}
	c.same.finish()
	unused := c.unused.minus(r.warnCoincidences(&c.same, c.looked)) // said in more detail
	if s.replicates > 1 {
		unused = unused.without(Seed) // said below
	}
	for id := range unused.all() {
		r.warn(
			s.given(id),
			"%s: ignored, applies to no point of this sweep (only where %s)",
			s.table[id].Name,
			s.table[id].Use,
		)
	}
	if c.unpaired != "" && c.subspace {
		r.warn(
			s.given(Optimizer),
			"optimizer %s: runs dense and others in the subspace, with other random numbers, so that points of "+
				"equal seed are not paired; set representation: dense for all of them",
			c.unpaired,
		)
	}
	if c.unlabelled > 0 {
		r.warn(
			s.given(Inputs),
			"inputs: rademacher gives all inputs the same label at %d of %d checked points, whose teacher is along a "+
				"coordinate; use another teacher or rotate: householder",
			c.unlabelled, c.kept,
		)
	}
	if s.replicates > 1 && c.unseeded > 0 {
		r.warn(
			s.blocks[0].pos,
			"replicates: got %d, but %d of %d checked points use no random numbers and give the same row each time",
			s.replicates, c.unseeded, c.kept,
		)
	}
}

// reportEmpty reports a sweep without points.
func (r *reader) reportEmpty(s *Spec) {
	at := s.blocks[0].pos
	for _, b := range s.blocks {
		for _, x := range b.where {
			at = x.pos
		}
	}
	if s.exact {
		r.fail(at, "where: excludes all %d points", s.size)
	} else {
		r.warn(at, "where: excludes all %d points of a sample", int64(sampledPoints))
	}
}

// sampleIndex is index i of the fixed sample: one at a hashed place in each of equal cells, the
// first and last included.
func sampleIndex(i, size int64) int64 {
	switch i {
	case 0:
		return 0
	case sampledPoints - 1:
		return size - 1
	}
	cell := size / sampledPoints
	return i*cell + int64(draw.Mix(uint64(i))%uint64(cell))
}

// describe names a point by the parameters that vary: " (at point 17: optimizer gd, dimension 30)".
func (w *walker) describe(p *Point) string {
	if w.spec.size == 1 {
		return ""
	}
	var parts []string
	for _, f := range w.block.factors {
		if f.n == 1 {
			continue
		}
		for id := range f.sets.minus(f.sometimes).all() {
			text := w.raw[id].String()
			if w.raw[id].IsNull() {
				text = defaultEntry
			}
			if len(text) > 40 {
				text = text[:37] + "..."
			}
			parts = append(parts, w.spec.table[id].Name+" "+strings.Trim(text, `"`))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf(" (at point %d)", p.Index)
	}
	return fmt.Sprintf(" (at point %d: %s)", p.Index, strings.Join(parts, ", "))
}

// byteSize formats a number of bytes, "1.5 GiB".
func byteSize(n int64) string {
	value, unit := float64(n), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return fmt.Sprintf("%.4g %s", value, unit)
}
