package board

import (
	"math"
	"time"
)

// paceHalfLife is the half-life of the weights in an estimate of speed.
const paceHalfLife = time.Minute

// pace estimates cost units per second from finished shards, with exponentially decaying weights.
type pace struct {
	cost    float64   // decayed sum of cost
	seconds float64   // decayed sum of time
	last    time.Time // zero before start
}

// start starts the clock, at the first lease.
func (p *pace) start(now time.Time) {
	if p.last.IsZero() {
		p.last = now
	}
}

// stop resets the estimate, once nothing is leased.
func (p *pace) stop() { *p = pace{} }

func (p *pace) add(cost float64, now time.Time) {
	p.advance(now)
	p.cost += cost
}

func (p *pace) advance(now time.Time) {
	if p.last.IsZero() || !now.After(p.last) {
		return
	}
	dt := now.Sub(p.last).Seconds()
	decay := math.Exp2(-dt / paceHalfLife.Seconds())
	p.cost *= decay
	p.seconds = p.seconds*decay + dt
	p.last = now
}

// eta is how long the remaining cost takes at this pace, or 0 if that is unknown.
func (p *pace) eta(remaining float64, now time.Time) time.Duration {
	q := *p
	q.advance(now)
	if q.cost <= 0 || q.seconds <= 0 {
		return 0
	}
	seconds := remaining * q.seconds / q.cost
	if seconds > 1e9 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
