package solver

// dynmuon is Muon^p with momentum, M <- βM + G, and a logistic schedule of the power (arXiv 2605.17109): at step k,
// p = p_min + (p_max - p_min)/(1 + exp((t/T - τ)/w)), t = k+1.
type dynmuon struct {
	algebra
	beta                           float64
	max, min, midpoint, width, end float64
	exponent                       float64
	phi                            func(s, smax float64) float64
	buffer                         []float64
}

func newDynMuon(p *Problem, a algebra, ws *workspace) *dynmuon {
	o := &dynmuon{algebra: a, beta: p.Momentum, max: p.PowerMax, min: p.PowerMin, midpoint: p.PowerMidpoint, width: p.PowerWidth,
		end: float64(p.Steps), buffer: ws.take(a.size())}
	o.phi = spectralPower(&o.exponent, p.NormalizePower)
	return o
}

func (o *dynmuon) update(u, g []float64, k int) error {
	for i, x := range g {
		o.buffer[i] = float64(o.beta*o.buffer[i]) + x
	}
	o.exponent = o.min + (o.max-o.min)/(1+exp((float64(k+1)/o.end-o.midpoint)/o.width))
	return o.spectral(u, o.buffer, o.phi)
}
