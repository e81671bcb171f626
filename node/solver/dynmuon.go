package solver

import "github.com/phasegrid/phasegrid/sweep/elementary"

// dynmuon is Muon^p with momentum, M <- βM + G, and a logistic schedule of the power (arXiv
// 2605.17109): at step k, p = p_min + (p_max - p_min)/(1 + exp((t/T - τ)/w)), t = k+1.
type dynmuon struct {
	algebra
	p        *Problem
	exponent float64
	phi      func(s, smax float64) float64
	buffer   []float64
}

func newDynMuon(p *Problem, a algebra, buffers [][]float64) rule {
	o := &dynmuon{algebra: a, p: p, buffer: buffers[0]}
	o.phi = spectralPower(&o.exponent, p.NormalizePower)
	return o
}

func (o *dynmuon) update(u, g []float64, k int) error {
	for i, x := range g {
		o.buffer[i] = float64(o.p.Momentum*o.buffer[i]) + x
	}
	o.exponent = o.p.dynamicPower(k)
	return o.spectral(u, o.buffer, o.phi)
}

// dynamicPower is the exponent of step k.
func (p *Problem) dynamicPower(k int) float64 {
	t := float64(k+1) / float64(p.Steps)
	return p.PowerMin + (p.PowerMax-p.PowerMin)/(1+elementary.Exp((t-p.PowerMidpoint)/p.PowerWidth))
}
