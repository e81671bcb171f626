package sweep

import (
	"iter"
	"slices"
)

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
