package sweep

import (
	"fmt"
	"regexp"
	"slices"
	"sort"

	"github.com/phasegrid/phasegrid/sweep/figure"
)

// Spec is a sweep: its points and what is recorded of them. Its memory is that of its axes,
// whatever the number of points. It is immutable and safe for concurrent use.
type Spec struct {
	name       string
	blocks     []*block
	size       int64
	replicates int64
	record     Record
	plan       int   // its plan version
	table      table // its parameters
	columns    idSet
	derived    idSet // of columns: those that derive sets, and no factor
	axes       idSet // of columns: those that a factor sets, or that blocks fix differently
	readBy     map[ParameterID]idSet
	canonical  []byte
	figures    []figure.Figure // not part of canonical
	warnings   []string
	rowFiles   bool  // some of its rows were read from files
	points     int64 // after where, as far as the check saw
	exact      bool  // points is exact
}

// Limits are what Parse may use, which is not part of the file format.
type Limits struct {
	// PointBytes is the memory that one point may need while it is solved; 0: 2 GiB.
	PointBytes int64
	// Rows reads the files of rows that the sweep file names; nil rejects them.
	Rows OpenRows
}

// DefaultPointBytes is the limit on the memory of one point unless another one is given.
const DefaultPointBytes = 2 << 30

// Parse reads a sweep file. Its error is Mistakes, which lists all mistakes with their places;
// filename is for these messages only. Points are checked too, all of them up to a million, a fixed
// sample beyond.
func Parse(filename string, src []byte, limits Limits) (*Spec, error) {
	r := &reader{files: []string{filename}, table: builtin, planVersion: PlanVersion}
	spec := r.spec(src, true, limits.Rows)
	if len(r.mistakes) == 0 {
		r.checkSize(spec)
	}
	if len(r.mistakes) == 0 {
		r.checkPoints(spec, limits)
	}
	if len(r.mistakes) > 0 {
		return nil, r.mistakes.sorted(r.files)
	}
	spec.warnings, spec.rowFiles = r.warnings, len(r.files) > 1
	return spec, nil
}

// checkSize checks the canonical spec against the size that a coordinator can store.
func (r *reader) checkSize(spec *Spec) {
	if n := len(spec.Canonical()); n > MaxCanonicalBytes {
		r.fail(
			position{line: 1, column: 1},
			"sweep: got %d bytes in canonical form, want at most %d; "+
				"use linspace, logspace, range or sample for long lists, or split the sweep",
			n,
			MaxCanonicalBytes,
		)
	}
}

// Decode reads a canonical spec, which Parse has accepted before: its points are not checked again.
// The name is not part of it. A spec of an earlier plan version has the points that it had.
func Decode(canonical []byte) (*Spec, error) {
	r := &reader{files: []string{"canonical spec"}, table: builtin}
	spec := r.spec(canonical, false, nil)
	if len(r.mistakes) > 0 {
		return nil, fmt.Errorf("decode sweep: %w", r.mistakes.sorted(r.files))
	}
	return spec, nil
}

// spec reads the whole file without evaluating points. It returns nil where there are mistakes.
func (r *reader) spec(src []byte, named bool, open OpenRows) *Spec {
	root, ok := readDocument(src, r.fail)
	if !ok {
		return nil
	}
	r.insertRows(&root, open)
	if !named {
		r.planVersion = 1 // unless the spec says otherwise
	}
	root.keys = slices.DeleteFunc(root.keys, func(e entry) bool {
		if e.key != "plan_version" {
			return false
		}
		r.readPlanVersion(e.value, named)
		return true
	})
	if len(r.mistakes) > 0 {
		return nil // which rules the rest follows is not known
	}
	if at := slices.IndexFunc(root.keys, func(e entry) bool { return e.key == "variables" }); at >= 0 {
		r.declare(root.keys[at].value, root)
	}
	spec := &Spec{table: r.table, plan: r.planVersion, replicates: 1}
	var haveName bool
	body := r.section(root, "sweep", fileKeys(), func(e entry) {
		switch e.key {
		case "name":
			haveName = true
			spec.name = r.name(e.value)
		case "replicates":
			spec.replicates, _ = r.integer(e.value, "replicates", 1, 1_000_000_000)
		case "record":
			spec.record = r.record(e.value)
		case "figures":
			spec.figures = r.figures(e.value)
		}
	})
	if root.kind == mapNode && named && !haveName {
		r.fail(root.pos, "name is missing; add a line such as name: my-sweep")
	}
	if len(r.mistakes) == 0 {
		r.enumerate(spec, body)
	}
	if len(r.mistakes) > 0 {
		if named && root.kind == mapNode && !r.unread {
			r.reportMissing(body)
		}
		return nil
	}
	spec.canonical = spec.table.canonicalSpec(body, spec.plan, spec.replicates, spec.record)
	// What is accepted can be read back by Decode, whose bounds are these.
	if !sane(spec.canonical, func(_ position, format string, args ...any) {
		r.fail(root.pos, "canonical form: "+format, args...)
	}) {
		return nil
	}
	return spec
}

// fileKeys are the keys of a sweep file beside those of a block.
func fileKeys() []string { return []string{"name", "variables", "replicates", "record", "figures"} }

// readPlanVersion reads the plan version that a canonical spec was written by. A sweep file may
// have it too, since the file in a result set is a sweep file; there it must be the present one.
func (r *reader) readPlanVersion(n node, named bool) {
	low := int64(1)
	if named {
		low = PlanVersion
	}
	version, ok := number(n)
	if !ok || version.Kind() != KindInt || version.Int() < low || version.Int() > PlanVersion {
		r.fail(
			n.pos,
			"plan_version: got %s, want %d; use the release that wrote the file, or a newer one",
			n,
			PlanVersion,
		)
		return
	}
	r.planVersion = int(version.Int())
}

// namePattern is what a sweep may be called: its name is part of a folder's name.
const namePattern = `[a-z0-9][a-z0-9-]{0,62}`

func (r *reader) name(n node) string {
	if (n.kind != plainNode && n.kind != quotedNode) || !regexp.MustCompile("^"+namePattern+"$").MatchString(n.text) {
		r.fail(
			n.pos,
			"name: got %s, want at most 63 lower-case letters, digits and hyphens, the first no hyphen",
			n,
		)
		return ""
	}
	return n.text
}

// enumerate flattens the file's blocks into products of factors.
func (r *reader) enumerate(spec *Spec, body *section) {
	r.flatten(spec, newBlock(spec.table, body.pos), body)
	if len(r.mistakes) > 0 {
		return
	}
	spec.exact = true
	var varied idSet
	spec.readBy = map[ParameterID]idSet{}
	for _, b := range spec.blocks {
		if text, at := b.finish(spec.replicates); text != "" {
			r.fail(at, "%s", text)
			return
		}
		b.first = spec.size
		if spec.size += b.size; spec.size > maxIndices {
			r.fail(body.pos, "sweep: got more than 2^40 indices; shorten the axes, or use sample")
			return
		}
		spec.columns, spec.derived = spec.columns.union(b.sets()), spec.derived.union(b.derived)
		for _, f := range b.factors {
			varied = varied.union(f.sets)
		}
		for _, d := range b.derive {
			for id := range b.reads(d).all() {
				spec.readBy[id] = spec.readBy[id].with(d.id)
			}
		}
		spec.exact = spec.exact && len(b.where) == 0
		if at, varies := b.varied(Seed); varies && spec.replicates > 1 && !b.derived.has(Seed) {
			r.fail(at, "seed: set on an axis beside replicates: %d; use one of them", spec.replicates)
		}
	}
	spec.derived = spec.derived.minus(varied)
	spec.axes = varied.union(spec.fixedDifferently()).minus(spec.derived)
	if spec.replicates > 1 {
		spec.columns = spec.columns.with(Seed)
	}
	spec.points = spec.size
	runs := int64(0)
	for _, b := range spec.blocks {
		if runs += b.size / b.costRun(spec.replicates); runs > maxRuns {
			r.fail(
				b.pos,
				"sweep: the cost changes more than %d times (long axes of steps or dimension, or derived ones); "+
					"shorten them",
				maxRuns,
			)
			return
		}
	}
}

// flatten adds to outer what section s says, and then either its union's blocks or the block itself
// to the spec.
func (r *reader) flatten(spec *Spec, outer *block, s *section) {
	b := outer.clone()
	b.pos, b.named = s.pos, r.named(outer, s)
	for _, f := range s.fixed {
		if at, varies := b.varied(f.id); varies {
			r.fail(f.pos, "%s: already set on line %d", spec.table[f.id].Name, at.line)
		}
		b.base[f.id], b.fixedAt[f.id] = f.value, f.pos
		b.fixed = b.fixed.with(f.id)
	}
	var own idSet // fixed right here
	for _, f := range s.fixed {
		own = own.with(f.id)
	}
	for _, f := range s.factors() {
		p := place(f, len(spec.table))
		if _, rows := f.(explicit); !rows {
			for id := range p.sets.minus(p.sometimes).common(own).all() {
				r.fail(
					p.anywhere(id),
					"%s: already set on line %d; omit it from fixed",
					spec.table[id].Name,
					b.fixedAt[id].line,
				)
			}
		}
		for id := range p.sets.all() {
			if at, varies := b.varied(id); varies {
				r.fail(p.anywhere(id), "%s: already set on line %d", spec.table[id].Name, at.line)
			}
		}
		b.factors = append(b.factors, p)
	}
	for _, d := range s.derive {
		if at, varies := b.varied(d.id); varies {
			r.fail(d.pos, "%s: already set on line %d", spec.table[d.id].Name, at.line)
		} else if own.has(d.id) {
			r.fail(d.pos, "%s: already set on line %d; omit it from fixed", spec.table[d.id].Name, b.fixedAt[d.id].line)
		}
		b.derive = append(b.derive, d)
		b.derived = b.derived.with(d.id)
		b.fixed = b.fixed.without(d.id)
		b.base[d.id] = nullValue()
	}
	if s.where != nil {
		b.where = append(b.where, s.where)
	}
	for _, inner := range s.union {
		r.flatten(spec, b, inner)
	}
	if len(s.union) == 0 {
		if len(spec.blocks) == maxBlocks {
			r.fail(s.pos, "sweep: got more than %d blocks", maxBlocks)
			return
		}
		spec.blocks = append(spec.blocks, b)
	}
}

// factors are the section's dimensions.
func (s *section) factors() []factor {
	var out []factor
	for _, x := range s.grid {
		out = append(out, x)
	}
	if len(s.zip) > 0 {
		out = append(out, s.zip)
	}
	if len(s.points) > 0 {
		out = append(out, s.points)
	}
	if s.sample != nil {
		out = append(out, s.sample)
	}
	return out
}

// Name is the sweep's name; empty after Decode.
func (s *Spec) Name() string { return s.name }

// Size is the number of indices: points before where.
func (s *Spec) Size() int64 { return s.size }

// Count is the number of points that where leaves, and whether it is exact or an estimate from a
// sample. After Decode it is the number of indices, exact where there is no where.
func (s *Spec) Count() (points int64, exact bool) { return s.points, s.exact }

// Replicates is the number of replicates of each point; at least 1.
func (s *Spec) Replicates() int64 { return s.replicates }

// Record says which trajectory rows are taken.
func (s *Spec) Record() Record { return s.record }

// Columns are the parameters that some point sets, in the order of the table.
func (s *Spec) Columns() []ParameterID { return slices.Collect(s.columns.all()) }

// Derived reports whether a parameter is computed from others: derive sets it, and in no block an
// axis, zip, sample or row does. Its values then follow from those of the factors.
func (s *Spec) Derived(id ParameterID) bool { return s.derived.has(id) }

// Axis reports whether a parameter differs between points by itself: an axis, zip, sample or row
// sets it, or blocks of a union fix it differently.
func (s *Spec) Axis(id ParameterID) bool { return s.axes.has(id) }

// ReadBy returns the parameters whose expressions in derive read id: by name, through step_limit
// and auto_learning_rate, or as what the default of a name depends on.
func (s *Spec) ReadBy(id ParameterID) []ParameterID { return slices.Collect(s.readBy[id].all()) }

// fixedDifferently are the parameters that some block fixes, and another one to another value or
// not at all.
func (s *Spec) fixedDifferently() (ids idSet) {
	for _, b := range s.blocks {
		for id := range b.fixed.union(s.blocks[0].fixed).all() {
			if !same(b.base[id], s.blocks[0].base[id]) {
				ids = ids.with(id)
			}
		}
	}
	return ids
}

// Describe returns the description of one of the sweep's parameters.
func (s *Spec) Describe(id ParameterID) Parameter { return s.table[id] }

// Warnings returns remarks about the file that are not mistakes, each with its place.
func (s *Spec) Warnings() []string { return s.warnings }

// block finds the block of an index.
func (s *Spec) block(index int64) int {
	return sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].first > index }) - 1
}
