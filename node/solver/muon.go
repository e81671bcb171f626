package solver

import "math"

// muon: B <- βB + (1-β)G, V = (1-β)G + βB with Nesterov, else B; U = √max(1, d/m) φ(V), where φ
// drives the singular values towards 1. Constants from github.com/KellerJordan/Muon (Newton-Schulz)
// and arXiv 2505.16932, appendix A (Polar Express).
type muon struct {
	algebra
	beta     float64
	nesterov bool
	scale    float64
	exact    bool
	slack    float64      // the first factor of the normalisation: 1, or 1.01 for Polar Express
	steps    [][3]float64 // (a, b, c) of X <- X(aI + bXᵀX + c(XᵀX)²)
	buffer   []float64
}

// normEpsilon keeps the normalisation of a zero matrix finite.
const normEpsilon = 1e-7

func newtonSchulz() [3]float64 { return [3]float64{3.4445, -4.7750, 2.0315} }

// polarExpress returns the i-th triple; the last one repeats. All but the last are damped by 1.01
// in their argument.
func polarExpress(i int) [3]float64 {
	triples := [...][3]float64{
		{8.28721201814563, -23.595886519098837, 17.300387312530933},
		{4.107059111542203, -2.9478499167379106, 0.5448431082926601},
		{3.9486908534822946, -2.908902115962949, 0.5518191394370137},
		{3.3184196573706015, -2.488488024314874, 0.51004894012372},
		{2.300652019954817, -1.6689039845747493, 0.4188073119525673},
		{1.891301407787398, -1.2679958271945868, 0.37680408948524835},
		{1.8750014808534479, -1.2500016453999487, 0.3750001645474248},
		{1.875, -1.25, 0.375},
	}
	last := len(triples) - 1
	if i >= last {
		return triples[last]
	}
	t, damp := triples[i], 1.01
	cube := damp * damp * damp
	return [3]float64{t[0] / damp, t[1] / cube, t[2] / (cube * damp * damp)}
}

// quintics are the polynomials of an orthogonalizer that has any, and its slack.
func quintics(o Orthogonalizer, steps int) (all [][3]float64, slack float64) {
	slack = 1
	for i := range steps {
		switch o {
		case NewtonSchulz:
			all = append(all, newtonSchulz())
		case PolarExpress:
			slack = 1.01
			all = append(all, polarExpress(i))
		}
	}
	return all, slack
}

func newMuon(p *Problem, a algebra, buffers [][]float64) rule {
	d, m := a.shape()
	o := &muon{algebra: a, beta: p.Momentum, nesterov: p.Nesterov, slack: 1, exact: p.Orthogonalizer == ExactPolar,
		scale: math.Sqrt(max(1, float64(d)/float64(m))), buffer: buffers[0]}
	if !o.exact {
		o.steps, o.slack = quintics(p.Orthogonalizer, p.NSSteps)
	}
	return o
}

// shareMuon keeps points with other look-aheads, orthogonalizers or numbers of iterations apart.
func shareMuon(l *law, p *Problem) {
	l.nesterov, l.orthogonalizer = p.Nesterov, p.Orthogonalizer
	if p.Orthogonalizer != ExactPolar {
		l.steps = p.NSSteps
	}
}

func (o *muon) update(u, g []float64, _ int) error {
	fresh := 1 - o.beta
	for i, x := range g {
		b := float64(o.beta*o.buffer[i]) + float64(fresh*x)
		o.buffer[i] = b
		if o.nesterov {
			b = float64(fresh*x) + float64(o.beta*b)
		}
		u[i] = b
	}
	if err := o.orthogonalize(u); err != nil {
		return err
	}
	for i := range u {
		u[i] *= o.scale
	}
	return nil
}

func (o *muon) orthogonalize(v []float64) error {
	if o.exact {
		_, err := o.polar(v, v)
		return err
	}
	norm := float64(o.slack*o.norm(v)) + normEpsilon
	for i := range v {
		v[i] /= norm
	}
	for _, s := range o.steps {
		o.quintic(v, s[0], s[1], s[2])
	}
	return nil
}
