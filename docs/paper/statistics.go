package main

import (
	"math"
	"slices"
)

// span is the least and the largest of some numbers. Its zero value must not be used: see empty.
type span struct{ low, high float64 }

func emptySpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) add(x float64) { s.low, s.high = math.Min(s.low, x), math.Max(s.high, x) }

// spanOf returns the span of a number of each run; NaN if one is.
func spanOf(runs []run, value func(run) float64) span {
	s := emptySpan()
	for _, r := range runs {
		s.add(value(r))
	}
	return s
}

// line fits y = intercept + slope x by least squares.
func line(x, y []float64) (slope, intercept float64) {
	n := float64(len(x))
	var mx, my, sxx, sxy float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	for i := range x {
		sxx += (x[i] - mx) * (x[i] - mx)
		sxy += (x[i] - mx) * (y[i] - my)
	}
	slope = sxy / sxx
	return slope, my - slope*mx
}

// median is the lower median; NaN of nothing.
func median(numbers []float64) float64 {
	if len(numbers) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[(len(sorted)-1)/2]
}
