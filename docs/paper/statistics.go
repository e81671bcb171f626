package main

import (
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/results/fit"
)

// span is the least and the largest of some numbers. Its zero value must not be used: see empty.
type span struct{ low, high float64 }

func emptySpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) add(x float64) { s.low, s.high = math.Min(s.low, x), math.Max(s.high, x) }

// spanOf returns the span of a number of each run, NaN if one of them is.
func spanOf(runs []run, value func(run) float64) span {
	s := emptySpan()
	for _, r := range runs {
		s.add(value(r))
	}
	return s
}

// slopeOf is the slope of a line through points, as phasegrid fit has it.
func slopeOf(x, y []float64) float64 { return fit.LeastSquares(x, y, 0.95).Slope }

// pick returns the runs that pass a filter.
func pick(runs []run, keep func(run) bool) []run {
	var picked []run
	for _, r := range runs {
		if keep(r) {
			picked = append(picked, r)
		}
	}
	return picked
}

// above returns the runs with a parameter above a value.
func above(runs []run, name string, value float64) []run {
	return pick(runs, func(r run) bool { return r.number(name) > value })
}

// censored returns a step as a number; one that was not reached is later than all others.
func censored(step int64) float64 {
	if step < 0 {
		return math.Inf(1)
	}
	return float64(step)
}

// near compares two numbers up to round-off; rounded takes round-off away.
func near(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Abs(y) }

func rounded(x float64) float64 { return math.Round(x*1e9) / 1e9 }

// median is the lower median; NaN of nothing.
func median(numbers []float64) float64 {
	if len(numbers) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[(len(sorted)-1)/2]
}
