package sweep

import (
	"fmt"
	"math"
)

// Record says at which steps of a run trajectory rows are taken. At most one of Every, Log and
// Steps is set; none of them: no trajectory rows.
type Record struct {
	Every int64   // the multiples of Every, and T
	Log   int64   // 0 and the distinct roundings (half to even) of T^(i/(Log-1)), i = 0..Log-1; at least 2
	Steps []int64 // this rising list, and 0 and T
	// Coefficients adds the table of the coefficients w_g of reduced runs.
	Coefficients bool
}

// None reports whether no trajectory rows are taken.
func (r Record) None() bool { return r.Every == 0 && r.Log == 0 && len(r.Steps) == 0 }

// Check returns what is wrong with the record for a run of T steps; "" if nothing is.
func (r Record) Check(T int64) string {
	if n := len(r.Steps); n > 0 && r.Steps[n-1] > T {
		return fmt.Sprintf(
			"record: got step %d, want at most the last step %d; shorten the list or raise steps",
			r.Steps[n-1],
			T,
		)
	}
	return ""
}

// At returns the steps of a run of T steps at which rows are taken: rising, from 0 to T. Nil for
// none.
func (r Record) At(T int64) []int64 {
	if r.None() {
		return nil
	}
	at := make([]int64, 0, r.Count(T))
	r.each(T, func(step int64) { at = append(at, step) })
	return at
}

// Count bounds the number of steps At returns, in constant time; it is exact but for Log, whose
// roundings may coincide, and for a list without 0 or T in it.
func (r Record) Count(T int64) int64 {
	switch {
	case r.Every > 0:
		return (T-1)/r.Every + 2
	case r.Log > 0:
		return min(r.Log, T) + 1
	case r.None():
		return 0
	}
	return min(int64(len(r.Steps))+2, T+1)
}

// each calls f with every recorded step, rising.
func (r Record) each(T int64, f func(step int64)) {
	last := int64(0)
	f(0)
	next := func(step int64) {
		if step > last && step < T {
			last = step
			f(step)
		}
	}
	switch {
	case r.Every > 0:
		for step := r.Every; step < T; step += r.Every {
			next(step)
		}
	case r.Log > 0:
		for i := int64(0); i < r.Log; i++ {
			next(int64(math.RoundToEven(math.Pow(float64(T), float64(i)/float64(r.Log-1)))))
		}
	default:
		for _, step := range r.Steps {
			next(step)
		}
	}
	if T > 0 {
		f(T)
	}
}
