package sweep

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

// walker enumerates the indices of a spec in order and makes their points. It belongs to one
// goroutine.
type walker struct {
	spec      *Spec
	index     int64
	block     *block
	next      int     // the block after this one
	digits    []int64 // place on each factor
	replicate int64
	raw       Assignment // what fixed and the factors set
	evaluator *evaluator
	faults    []fault // of the last point
}

// fault is why a point cannot be solved, and where in the file that comes from.
type fault struct {
	violation
	pos position
}

// walk starts at an index below the spec's size.
func (s *Spec) walk(index int64) *walker {
	w := &walker{spec: s, evaluator: newEvaluator(s.table)}
	w.seek(index)
	return w
}

// seek moves to an index.
func (w *walker) seek(index int64) {
	i := w.spec.block(index)
	b := w.spec.blocks[i]
	w.index, w.block, w.next = index, b, i+1
	w.raw = append(w.raw[:0], b.base...)
	w.digits = append(w.digits[:0], make([]int64, len(b.factors))...)
	local := index - b.first
	w.replicate = local % w.spec.replicates
	local /= w.spec.replicates
	for k := len(b.factors) - 1; k >= 0; k-- {
		w.set(k, local%b.factors[k].n)
		local /= b.factors[k].n
	}
}

// advance moves to the next index; it must not be called at the last one.
func (w *walker) advance() {
	w.index++
	if w.replicate++; w.replicate < w.spec.replicates {
		return
	}
	w.replicate = 0
	for k := len(w.digits) - 1; k >= 0; k-- {
		if digit := w.digits[k] + 1; digit < w.block.factors[k].n {
			w.set(k, digit)
			return
		}
		w.set(k, 0)
	}
	if w.next < len(w.spec.blocks) {
		w.seek(w.index)
	}
}

// set assigns entry digit of factor k.
func (w *walker) set(k int, digit int64) {
	f := &w.block.factors[k]
	w.digits[k] = digit
	for id := range f.sometimes.all() {
		w.raw[id] = w.block.base[id]
	}
	f.assign(digit, w.raw)
}

// point makes the point of the current index. It returns false where the point is not part of the
// sweep.
func (w *walker) point(p *Point) bool {
	p.Index, p.Invalid, p.UnstableStep, p.ResonantStep = w.index, "", false, false
	p.Params = append(p.Params[:0], w.raw...)
	w.faults = w.faults[:0]
	w.evaluator.changed()
	w.replicateSeed(p.Params)
	w.derive(p.Params)
	if !w.keep(p.Params) {
		return false
	}
	derived := len(w.faults) == 0
	for _, v := range w.spec.table.resolve(p.Params) {
		if derived { // otherwise it follows from the faults of derive
			w.faults = append(w.faults, fault{v, w.position(v.id)})
		}
	}
	if len(w.faults) == 0 {
		if text := w.spec.record.Check(p.Params[Steps].Int()); text != "" {
			w.faults = append(w.faults, fault{violation{Steps, text}, w.position(Steps)})
		}
	}
	if len(w.faults) > 0 {
		texts := make([]string, len(w.faults))
		for i, f := range w.faults {
			texts[i] = f.text
		}
		p.Invalid = strings.Join(texts, "; ")
	}
	return true
}

// flag sets the warnings about the step size of a point that can be solved.
func (p *Point) flag() {
	if p.Invalid == "" {
		p.UnstableStep, p.ResonantStep = unstableStep(p.Params), resonantStep(p.Params)
	}
}

// replicateSeed gives replicate r the seed seed + r. A derived seed is the start of its replicates.
func (w *walker) replicateSeed(a Assignment) {
	if w.spec.replicates == 1 || a[Seed].IsNull() && w.block.derived.has(Seed) {
		return
	}
	seed := a[Seed].Int()
	if seed > math.MaxInt64-w.replicate {
		w.fault(Seed, fmt.Sprintf("seed: got %d + replicate %d, want at most 2^63 - 1", seed, w.replicate))
		return
	}
	a[Seed] = intValue(seed + w.replicate)
}

// derive computes the derived parameters, each after what it reads.
func (w *walker) derive(a Assignment) {
	for _, d := range w.block.derive {
		out, text := w.evaluator.run(d.expression, a)
		if text == "" {
			a[d.id], text = unbox(out, &w.spec.table[d.id])
		} else {
			text = w.spec.table[d.id].Name + ": " + text
		}
		if text != "" {
			w.faults = append(w.faults, fault{violation{d.id, text}, d.pos})
		}
		w.evaluator.changed()
		if d.id == Seed && text == "" && !a[Seed].IsNull() {
			w.replicateSeed(a)
		}
	}
}

// keep reports whether where holds. A condition that cannot be evaluated is a fault, and keeps the
// point.
func (w *walker) keep(a Assignment) bool {
	failed := len(w.faults) > 0
	for _, x := range w.block.where {
		out, text := w.evaluator.run(x, a)
		holds, isBool := out.(bool)
		switch {
		case text == "" && isBool && !holds:
			return false
		case failed: // the condition may read what could not be derived
		case text != "":
			w.faults = append(w.faults, fault{violation{Model, "where: " + text}, x.pos})
		case !isBool:
			w.faults = append(
				w.faults,
				fault{violation{Model, fmt.Sprintf("where: got %v, want true or false", out)}, x.pos},
			)
		}
	}
	return true
}

func (w *walker) fault(id ParameterID, text string) {
	w.faults = append(w.faults, fault{violation{id, text}, w.position(id)})
}

// position is where the file gives the current point its value of a parameter, or else where its
// block begins.
func (w *walker) position(id ParameterID) position {
	b := w.block
	for _, d := range b.derive {
		if d.id == id {
			return d.pos
		}
	}
	for k, f := range b.factors {
		if f.sets.has(id) {
			if at := f.at(w.digits[k], id); at != (position{}) {
				return at
			}
		}
	}
	if b.fixed.has(id) {
		return b.fixedAt[id]
	}
	return b.pos
}

// Point makes the point of one index; ok is false where there is none, because where leaves it out
// or the index is not one of the sweep.
func (s *Spec) Point(index int64) (p Point, ok bool) {
	if index < 0 || index >= s.size {
		return Point{Index: index}, false
	}
	if ok = s.walk(index).point(&p); ok {
		p.flag()
	}
	return p, ok
}

// Points makes the points of the indices first..end-1 in order, without those that where leaves
// out. Their lists are shared.
func (s *Spec) Points(first, end int64) iter.Seq[Point] {
	first, end = max(first, 0), min(end, s.size)
	return func(yield func(Point) bool) {
		if first >= end {
			return
		}
		var p Point
		for w := s.walk(first); w.index < end; w.advance() {
			if !w.point(&p) {
				continue
			}
			p.flag()
			if !yield(p) {
				return
			}
			p.Params = nil // the caller's
		}
	}
}

// run is a range of indices whose points have the same static cost.
type run struct {
	first, end int64
	// a are the parameters of its first index, resolved as far as they can be, whether or not where
	// keeps it.
	a Assignment
}

// runs cuts the indices first..end-1 into runs, without looking at more than one point of each.
func (s *Spec) runs(first, end int64) iter.Seq[run] {
	first, end = max(first, 0), min(end, s.size)
	return func(yield func(run) bool) {
		if first >= end {
			return
		}
		w := s.walk(first)
		for w.index < end {
			b := w.block
			length := b.costRun(s.replicates)
			stop := min(end, b.first+((w.index-b.first)/length+1)*length)
			r := run{first: w.index, end: stop, a: slices.Clone(w.raw)}
			w.evaluator.changed()
			w.faults = w.faults[:0]
			w.replicateSeed(r.a)
			w.derive(r.a)
			s.table.resolve(r.a)
			if !yield(r) {
				return
			}
			if stop < s.size {
				w.seek(stop)
			} else {
				w.index = stop
			}
		}
	}
}

// Point is one index of a sweep with its parameters resolved: defaults filled in, inapplicable
// parameters null, "auto" replaced.
type Point struct {
	// Index is the index in the unfiltered enumeration.
	Index int64
	// Params are shared with the iterator that made them where they are lists: read only.
	Params Assignment
	// Invalid says in one line why the point cannot be solved, or is empty. Params are then
	// resolved as far as possible.
	Invalid string
	// UnstableStep: gradient descent with a learning rate above its limit 1/λ_max of the Hessian at
	// the optimum.
	UnstableStep bool
	// ResonantStep: a sign-like optimizer whose init_scale/learning_rate is within 1e-6 of an
	// integer.
	ResonantStep bool
}
