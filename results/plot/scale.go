package plot

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
)

// scale is the scale of an axis, linear or logarithmic, over a range of numbers.
//
// All arithmetic of axes is done on what forward returns: a logarithm, or the number times a power
// of two that brings the range into [-1, 1]. So sums and differences neither overflow nor vanish,
// from the smallest subnormal number to the largest one.
type scale struct {
	log      bool
	min, max float64
	ticks    []float64 // nil if the axis chooses them
	exponent int       // of the range, base 2; 0 on a logarithmic scale
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
	if !s.log {
		_, s.exponent = math.Frexp(math.Max(math.Abs(s.min), math.Abs(s.max)))
	}
	if len(values) <= 6 {
		s.ticks = slices.Clone(values)
	}
	return s
}

// has reports whether the scale can show a number.
func (s scale) has(x float64) bool { return !math.IsNaN(x) && (!s.log || x > 0) }

// forward maps a number to the space in which the axis is linear. What the scale cannot show is
// before everything else there.
func (s scale) forward(x float64) float64 {
	switch {
	case !s.log:
		return math.Ldexp(x, -s.exponent)
	case x > 0:
		return math.Log(x)
	}
	return 2 * math.Log(math.SmallestNonzeroFloat64)
}

// back is the inverse of forward; what is beyond the numbers is the last one.
func (s scale) back(u float64) float64 {
	if s.log {
		return math.Min(math.Max(math.Exp(u), math.SmallestNonzeroFloat64), math.MaxFloat64)
	}
	return math.Min(math.Max(math.Ldexp(u, s.exponent), -math.MaxFloat64), math.MaxFloat64)
}

// edges returns the borders of cells around rising values, one more than values, in the middle
// between neighbours, in the scale's space.
func (s scale) edges(values []float64) []float64 {
	n := len(values)
	edges := make([]float64, n+1)
	for i := 1; i < n; i++ {
		edges[i] = (s.forward(values[i-1]) + s.forward(values[i])) / 2
	}
	first, last := s.forward(values[0]), s.forward(values[n-1])
	if n == 1 {
		half := widening(s, first)
		return []float64{first - half, first + half}
	}
	edges[0], edges[n] = 2*first-edges[1], 2*last-edges[n-1]
	return edges
}

// widening is half of the width that a single number has, in the scale's space.
func widening(s scale, u float64) float64 {
	switch {
	case s.log:
		return math.Ln2 / 2
	case u == 0:
		return 0.5
	}
	return math.Abs(u) / 4
}

// axis is a scale and the range of it that panels show: from low to high in the scale's space.
type axis struct {
	scale
	low, high float64
}

// over returns the axis from low to high, numbers that the scale can show.
func (s scale) over(low, high float64) axis { return s.between(s.forward(low), s.forward(high)) }

// padded returns the axis over the whole scale with a margin, a fraction of it, at both ends.
func (s scale) padded(margin float64) axis {
	low, high := s.forward(s.min), s.forward(s.max)
	pad := margin * (high - low)
	return s.between(low-pad, high+pad)
}

// between returns the axis between two numbers of the scale's space; its range is never empty, nor
// so narrow that round-off would show.
func (s scale) between(low, high float64) axis {
	if high-low <= 1e-12*math.Max(math.Abs(low), math.Abs(high)) {
		pad := widening(s, low)
		low, high = low-pad, high+pad
	}
	return axis{s, low, high}
}

// farthest bounds positions on an axis, in lengths of it, so that coordinates stay finite.
const farthest = 1000

// at returns the position of a number of the scale's space: 0 at the low end, 1 at the high one.
func (a axis) at(u float64) float64 {
	return math.Min(math.Max((u-a.low)/(a.high-a.low), -farthest), farthest)
}

// Normalize implements plot.Normalizer.
func (a axis) Normalize(_, _, x float64) float64 { return a.at(a.forward(x)) }

// shows reports whether a number is within the range.
func (a axis) shows(x float64) bool {
	return a.has(x) && a.low <= a.forward(x) && a.forward(x) <= a.high
}

// apply sets the scale, the range and the ticks of a panel's axis.
func (a axis) apply(to *plot.Axis) {
	to.Min, to.Max, to.Scale, to.Tick.Marker = 0, 1, a, a
}

// Ticks implements plot.Ticker.
func (a axis) Ticks(_, _ float64) []plot.Tick {
	if a.ticks != nil {
		return a.valueTicks()
	}
	if a.log {
		if ticks := a.logTicks(); labelled(ticks) >= 2 {
			return ticks
		}
	}
	return a.linearTicks()
}

// valueTicks labels the values themselves, where they are far enough apart.
func (a axis) valueTicks() []plot.Tick {
	var ticks []plot.Tick
	last := math.Inf(-1)
	for _, x := range a.ticks {
		tick := plot.Tick{Value: x}
		if at := a.Normalize(0, 0, x); at-last >= 0.06 {
			tick.Label, last = number(x), at
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// linearTicks labels at most six multiples of 1, 2 or 5 times a power of ten, with shorter ticks
// between them.
func (a axis) linearTicks() []plot.Tick {
	low, high := a.back(a.low), a.back(a.high)
	width := math.Log10(high/2-low/2) + math.Log10(2)
	if math.IsInf(width, 0) {
		return nil // a range of subnormal numbers that has no half
	}
	for power := int(math.Floor(width)) - 1; ; power++ {
		for _, m := range []struct{ of, minor float64 }{{1, 0.2}, {2, 0.5}, {5, 1}} {
			if math.Floor(decimals(high, power, m.of))-math.Ceil(decimals(low, power, m.of)) > 5 {
				continue
			}
			var ticks []plot.Tick
			from, to := decimals(low, power, m.minor), decimals(high, power, m.minor)
			for n := math.Ceil(from); n <= math.Floor(to); n++ {
				x := decimal(n*m.minor, power)
				tick := plot.Tick{Value: x}
				if each := math.Round(m.of / m.minor); math.Mod(n, each) == 0 {
					tick.Label = compact(strconv.FormatFloat(x, 'g', -1, 64))
				}
				ticks = append(ticks, tick)
			}
			return ticks
		}
	}
}

// decimals returns how many times m 10^power x is, rounded where it is nearly an integer.
func decimals(x float64, power int, m float64) float64 {
	n := x / math.Pow(10, float64(power)/2) / math.Pow(10, float64(power)/2) / m
	if whole := math.Round(n); math.Abs(n-whole) <= 1e-9*math.Max(1, math.Abs(n)) {
		return whole
	}
	return n
}

// decimal returns n 10^power, correctly rounded.
func decimal(n float64, power int) float64 {
	x, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'f', 1, 64)+"e"+strconv.Itoa(power), 64)
	return x + 0 // no -0; beyond the numbers it is 0 or infinite
}

// logTicks labels powers of ten, and 2 and 5 between them if there are few powers. Over many
// decades it labels some powers only, and has no ticks between powers.
func (a axis) logTicks() []plot.Tick {
	var ticks []plot.Tick
	low, high := a.low/math.Ln10, a.high/math.Ln10
	wide, sparse := high-low > 2.5, 1+int((high-low)/8)
	for power := int(math.Floor(low)); power <= int(math.Ceil(high)); power++ {
		for m := 1; m < 10; m++ {
			x := decimal(float64(m), power)
			if x == 0 || math.IsInf(x, 0) || !a.shows(x) || m > 1 && sparse > 1 {
				continue
			}
			tick := plot.Tick{Value: x}
			if m == 1 && power%sparse == 0 || !wide && (m == 2 || m == 5) {
				tick.Label = number(x)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// labelled counts the ticks that have a label.
func labelled(ticks []plot.Tick) int {
	n := 0
	for _, tick := range ticks {
		if tick.Label != "" {
			n++
		}
	}
	return n
}
