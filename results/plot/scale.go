package plot

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
)

// scale is the scale of an axis, linear or logarithmic, over a range.
type scale struct {
	log      bool
	min, max float64
	ticks    []float64 // nil if the axis chooses them
}

// scaleOf fits a scale to rising values. choice is linear or log; otherwise the scale is
// logarithmic if they are positive and span a factor of 20. A logarithmic scale excludes values
// that are not positive; without any that is, the scale is linear.
func scaleOf(values []float64, choice string) scale {
	if choice == "log" {
		if i, _ := slices.BinarySearch(values, math.SmallestNonzeroFloat64); i < len(values) {
			values = values[i:]
		}
	}
	s := scale{min: values[0], max: values[len(values)-1]}
	s.log = s.min > 0 && choice != "linear" && (choice == "log" || s.max/s.min >= 20)
	if len(values) <= 6 {
		s.ticks = slices.Clone(values)
	}
	return s
}

// padded returns the range of the scale with a margin, a fraction of it, at both ends; never an
// empty range.
func (s scale) padded(margin float64) [2]float64 {
	low, high := s.forward(s.min), s.forward(s.max)
	pad := margin * (high - low)
	if high-low <= 1e-12*math.Max(math.Abs(low), math.Abs(high)) {
		pad = math.Max(math.Abs(low)/10, 0.1)
		if s.log {
			pad = math.Ln2
		}
	}
	r := [2]float64{s.back(low - pad), s.back(high + pad)}
	if s.log && (r[0] == 0 || math.IsInf(r[1], 0)) || math.IsInf(r[1]-r[0], 0) {
		return [2]float64{s.min, s.max}
	}
	return r
}

// has reports whether the scale can show a number.
func (s scale) has(x float64) bool { return !math.IsNaN(x) && (!s.log || x > 0) }

// forward maps a number to the space in which the axis is linear; back is the inverse.
func (s scale) forward(x float64) float64 {
	if s.log {
		return math.Log(x)
	}
	return x
}

func (s scale) back(x float64) float64 {
	if s.log {
		return math.Min(math.Max(math.Exp(x), smallest), math.MaxFloat64)
	}
	return x
}

// smallest is the smallest normal number: what is below it rounds to multiples of a step.
const smallest = 0x1p-1022

// edges returns the borders of cells around rising values, one more than values, in the middle
// between neighbours in the scale's space.
func (s scale) edges(values []float64) []float64 {
	n := len(values)
	edges := make([]float64, n+1)
	for i := 1; i < n; i++ {
		edges[i] = s.back((s.forward(values[i-1]) + s.forward(values[i])) / 2)
	}
	if n == 1 {
		half := math.Max(math.Abs(values[0])/4, 0.5)
		if s.log {
			half = values[0] / 4
		}
		return []float64{values[0] - half, values[0] + half}
	}
	edges[0] = s.back(2*s.forward(values[0]) - s.forward(edges[1]))
	edges[n] = s.back(2*s.forward(values[n-1]) - s.forward(edges[n-1]))
	return edges
}

// apply sets the scale, the range and the ticks of an axis.
func (s scale) apply(axis *plot.Axis, min, max float64) {
	if max <= min {
		min, max = min-math.Max(math.Abs(min)/2, 0.5), max+math.Max(math.Abs(max)/2, 0.5)
	}
	axis.Min, axis.Max = min, max
	axis.Tick.Marker = linearTicks{}
	if s.log {
		axis.Scale = plot.LogScale{}
		axis.Tick.Marker = logTicks{}
	}
	if s.ticks != nil {
		var ticks []plot.Tick
		for _, x := range s.ticks {
			ticks = append(ticks, plot.Tick{Value: x, Label: number(x)})
		}
		axis.Tick.Marker = plot.ConstantTicks(ticks)
	}
}

// linearTicks are the library's ticks with short labels.
type linearTicks struct{}

// Ticks implements plot.Ticker.
func (linearTicks) Ticks(min, max float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(min, max)
	for i := range ticks {
		if !ticks[i].IsMinor() {
			ticks[i].Label = compact(strconv.FormatFloat(ticks[i].Value, 'g', 6, 64))
		}
	}
	return ticks
}

// logTicks labels powers of ten, and 2 and 5 between them if there are few powers. Over many
// decades it labels some powers only, and has no ticks between powers.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(min, max float64) []plot.Tick {
	var ticks []plot.Tick
	decades := math.Log10(max) - math.Log10(min)
	wide, sparse := decades > 2.5, 1+int(decades/8)
	for e := math.Floor(math.Log10(min)); e <= math.Ceil(math.Log10(max)); e++ {
		for m := 1.0; m < 10; m++ {
			x := m * math.Pow(10, e)
			if x < min || x > max || m > 1 && sparse > 1 {
				continue
			}
			tick := plot.Tick{Value: x}
			if m == 1 && int(math.Abs(e))%sparse == 0 || !wide && (m == 2 || m == 5) {
				tick.Label = number(x)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}
