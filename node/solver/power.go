package solver

import "github.com/phasegrid/phasegrid/sweep/elementary"

// power is Muon^p (arXiv 2606.13867): U = Y (S/s_max)^p Zᵀ for G = Y S Zᵀ, or Y S^p Zᵀ where it is
// not normalised. p = 0 is specgd; p = 1, not normalised, is gd.
type power struct {
	algebra
	phi func(s, smax float64) float64
}

// spectralPower is φ for an exponent that may change from step to step.
func spectralPower(p *float64, normalize bool) func(s, smax float64) float64 {
	if normalize {
		return func(s, smax float64) float64 { return elementary.Pow(s/smax, *p) }
	}
	return func(s, _ float64) float64 { return elementary.Pow(s, *p) }
}

func newPower(p *Problem, a algebra, _ [][]float64) rule {
	exponent := p.Power
	return power{a, spectralPower(&exponent, p.NormalizePower)}
}

// sharePower keeps normalised powers and others apart.
func sharePower(l *law, p *Problem) { l.normalize = p.NormalizePower }

func (o power) update(u, g []float64, _ int) error { return o.spectral(u, g, o.phi) }
