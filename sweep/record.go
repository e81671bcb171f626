package sweep

import (
	"fmt"
	"math"

	"github.com/phasegrid/phasegrid/sweep/elementary"
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
			next(int64(math.RoundToEven(elementary.Pow(float64(T), float64(i)/float64(r.Log-1)))))
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

// maxRecordLog bounds the rows of one trajectory that log asks for.
const maxRecordLog = 100_000

// record reads none, or {log: n}, {every: n} or {steps: [...]}, with coefficients if wanted.
func (r *reader) record(n node) Record {
	const want = "none, {log: number of rows}, {every: steps} or {steps: [0, 1, 10]}, with coefficients: true if wanted"
	var out Record
	if n.text == "none" && n.kind != mapNode {
		return out
	}
	parts := r.members(n, "record", want, "every", "log", "steps", "coefficients")
	if n.kind != mapNode {
		return out
	}
	given := 0
	for _, part := range parts[:3] {
		if !missingKey(part) {
			given++
		}
	}
	if given != 1 {
		r.fail(n.pos, "record: exactly one of log, every and steps is required")
		return out
	}
	switch {
	case !missingKey(parts[0]):
		out.Every, _ = r.integer(parts[0], "every", 1, 1<<53)
	case !missingKey(parts[1]):
		out.Log, _ = r.integer(parts[1], "log", 2, maxRecordLog)
	default:
		if parts[2].kind != listNode || len(parts[2].list) == 0 {
			r.fail(parts[2].pos, "steps: got %s, want an increasing list of steps", parts[2])
		}
		for _, item := range parts[2].list {
			step, ok := r.integer(item, "recorded step", 0, 1<<53)
			if n := len(out.Steps); ok && n > 0 && step <= out.Steps[n-1] {
				r.fail(item.pos, "steps: got %d after %d, want increasing steps", step, out.Steps[n-1])
			}
			out.Steps = append(out.Steps, step)
		}
	}
	if c := parts[3]; !missingKey(c) {
		var ok bool
		if out.Coefficients, ok = boolean(c); !ok {
			r.fail(c.pos, "coefficients: got %s, want true or false", c)
		}
	}
	return out
}
