package sweep

import (
	"fmt"
	"math/bits"
	"strings"
)

// Bounds on the check of points that Parse makes.
const (
	exactPoints   = 1_000_000   // up to here every point is checked
	sampledPoints = 20_000      // beyond, so many
	exactCost     = 500_000_000 // no more operations than this go into expressions before a sample must do
)

// finding is one fault with all the points that have it.
type finding struct {
	fault
	example string
	points  int64
}

// checkPoints looks at every point, or at a fixed sample of them, and reports what cannot be
// solved.
func (r *reader) checkPoints(s *Spec, limits Limits) {
	if limits.PointBytes == 0 {
		limits.PointBytes = DefaultPointBytes
	}
	cost := int64(0)
	for _, b := range s.blocks {
		cost = max(cost, b.cost())
	}
	every := s.size <= exactPoints && s.size*cost <= exactCost || s.size <= sampledPoints
	looked, kept, idle := int64(0), int64(0), int64(0)
	useless := s.columns // set, and meaning nothing at any point so far
	type place struct {
		id ParameterID
		position
	}
	findings := map[place]*finding{}
	var order []*finding
	var p Point
	look := func(w *walker) {
		looked++
		if !w.point(&p) {
			return
		}
		kept++
		if len(w.faults) == 0 {
			if n := PointBytes(p.Params, s.record); n > limits.PointBytes {
				w.fault(
					Dimension,
					fmt.Sprintf("a point needs over %s of memory; at most %s are allowed (--max-point-bytes)",
						byteSize(1<<(bits.Len64(uint64(n-1))-1)), byteSize(limits.PointBytes)),
				)
			}
			if p.Params[Seed].IsNull() {
				idle++
			}
			for id := range useless.all() {
				if !p.Params[id].IsNull() {
					useless = useless.without(id)
				}
			}
		}
		for _, f := range w.faults {
			key := place{f.id, f.pos}
			if seen, ok := findings[key]; ok {
				seen.points++
			} else if len(order) < 10*maxProblems {
				findings[key] = &finding{f, w.describe(&p), 1}
				order = append(order, findings[key])
			}
		}
	}
	if every {
		w := s.walk(0)
		for ; w.index < s.size; w.advance() {
			look(w)
		}
	} else {
		w := s.walk(0)
		for i := range int64(sampledPoints) {
			w.seek(sampleIndex(i, s.size))
			look(w)
		}
	}
	for _, f := range order {
		text := f.text + f.example
		if f.points > 1 {
			text += fmt.Sprintf(", and %d more", f.points-1)
		}
		r.fail(f.pos, "%s", text)
	}
	if every {
		s.points, s.exact = kept, true
	} else if !s.exact {
		s.points = int64(float64(s.size) * (float64(kept) / float64(looked)))
	}
	if len(order) == 0 {
		r.checkWhole(s, kept, idle, useless)
	}
}

// checkWhole reports on the sweep as a whole.
func (r *reader) checkWhole(s *Spec, kept, idle int64, useless idSet) {
	if kept == 0 {
		at := s.blocks[0].pos
		for _, b := range s.blocks {
			for _, x := range b.where {
				at = x.pos
			}
		}
		if s.exact {
			r.fail(at, "where leaves no point of %d: it is false everywhere", s.size)
		} else {
			r.warn(at, "where leaves none of %d points tried", int64(sampledPoints))
		}
		return
	}
	if s.replicates > 1 {
		useless = useless.without(Seed) // said below
	}
	for id := range useless.all() {
		r.warn(s.given(id), "%s applies to no point of this sweep (%s), and is ignored", s.table[id].Name, s.table[id].Use)
	}
	if s.replicates > 1 && idle > 0 {
		r.warn(
			s.blocks[0].pos,
			"replicates is %d, but points without random numbers give the same row each time (%d of %d points looked at)",
			s.replicates,
			idle,
			kept,
		)
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
	return i*cell + int64(mix(uint64(i))%uint64(cell))
}

// describe tells which point it is by what varies: " (at point 17: optimizer gd, dimension 30)".
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

// byteSize writes a number of bytes for people.
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
