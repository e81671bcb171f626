package solver

import "math"

// adam: m <- β₁m + (1-β₁)G, v <- β₂v + (1-β₂)G², U = m̂/(√v̂ + ε) with the bias of both corrected,
// elementwise.
type adam struct {
	beta1, beta2, epsilon float64
	power1, power2        float64 // β₁^t, β₂^t
	m, v                  []float64
}

func newAdam(p *Problem, _ algebra, buffers [][]float64) rule {
	return &adam{beta1: p.Beta1, beta2: p.Beta2, epsilon: p.Epsilon, power1: 1, power2: 1, m: buffers[0], v: buffers[1]}
}

// firstMoment is β₁, where the lanes take one β.
func firstMoment(p *Problem) float64 { return p.Beta1 }

func (o *adam) update(u, g []float64, _ int) error {
	o.power1 *= o.beta1
	o.power2 *= o.beta2
	for i, x := range g {
		o.m[i] = float64(o.beta1*o.m[i]) + float64((1-o.beta1)*x)
		o.v[i] = float64(o.beta2*o.v[i]) + float64((1-o.beta2)*float64(x*x))
		mean, square := o.m[i]/(1-o.power1), o.v[i]/(1-o.power2)
		if mean == 0 {
			u[i] = 0
			continue
		}
		u[i] = mean / (math.Sqrt(square) + o.epsilon)
	}
	return nil
}
