package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// schedule is s(k) of the learning rate lr·s(k) at step k of T.
func (p *Problem) schedule(k int) float64 {
	switch p.Schedule {
	case Linear:
		return 1 - float64(k)/float64(p.Steps)
	case Cosine:
		_, cos := elementary.SinCosTurns(float64(k) / float64(2*p.Steps))
		return 0.5 * (1 + cos)
	case InvSqrt:
		return 1 / math.Sqrt(1+float64(k)/p.LRWarm)
	}
	return 1
}
