package replicate

import "math"

// lateHeld is the fraction of a run after which a step from which a level is held says nothing: it
// would have been held for the last tenth of the run only.
const lateHeld = 0.9

// RankColumn is the column of held steps by which learning rates are ranked for a metric.
func RankColumn(metric string) string {
	if metric == "held_99_step" {
		return metric
	}
	return "held_90_step"
}

// Rate is the replicates of a cell at one learning rate, ranked among others. The zero value has
// none.
type Rate struct {
	held     Runs
	unstable bool
}

// Add adds a run with the step from which it holds the level, NaN if it does not, and its length.
// unstable says that its step is beyond the stability limit.
func (r *Rate) Add(counts bool, held, length float64, unstable bool) {
	if held > lateHeld*length {
		held = math.NaN()
	}
	r.held.Steps = true
	r.held.Add(counts, held)
	r.unstable = r.unstable || unstable
}

// Rank returns the median of the held steps; infinite if that is censored, or if a step is
// unstable. The best rate is the one of the smallest rank, and the smaller rate of several.
func (r *Rate) Rank() float64 {
	if median := r.held.Quantile(0.5); !r.unstable && !math.IsNaN(median) {
		return median
	}
	return math.Inf(1)
}
