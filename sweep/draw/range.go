package draw

import (
	"math"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// Range draws numbers between two ends, From <= To.
type Range struct {
	From, To float64
	Log      bool // uniform in the logarithm; From > 0
	Whole    bool // integers, both ends included; uniform in the logarithm before it is rounded down
}

// At is the value of u: in From..To.
func (r Range) At(u Uniform) float64 {
	to := r.To
	if r.Whole {
		to++
	}
	f := r.From + float64((to-r.From)*u.Float())
	if r.Log {
		f = float64(r.From * elementary.Pow(to/r.From, u.Float()))
	}
	f = min(max(f, r.From), r.To)
	if r.Whole {
		return math.Floor(f)
	}
	return f
}
