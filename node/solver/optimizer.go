package solver

import "fmt"

// rule is an optimizer at work: it maps the gradient G of step k to the update U and keeps its own
// buffers, which start at 0.
type rule interface {
	update(u, g []float64, k int) error
}

func newRule(p *Problem, a algebra, ws *workspace) (rule, error) {
	n := a.size()
	switch p.Optimizer {
	case GD:
		return gd{}, nil
	case MomentumGD:
		return &momentum{p.Momentum, p.Nesterov, ws.take(n)}, nil
	case NGD:
		return ngd{a}, nil
	case SpecGD:
		return specgd{a}, nil
	case NucSpec:
		return nucspec{a}, nil
	case Muon:
		return newMuon(p, a, ws), nil
	case Power:
		return newPower(p, a), nil
	case DynMuon:
		return newDynMuon(p, a, ws), nil
	case SignGD:
		return signgd{}, nil
	case Signum:
		return &signum{p.Momentum, ws.take(n)}, nil
	case Adam:
		return &adam{
			beta1:   p.Beta1,
			beta2:   p.Beta2,
			epsilon: p.Epsilon,
			power1:  1,
			power2:  1,
			m:       ws.take(n),
			v:       ws.take(n),
		}, nil
	case Shampoo:
		return shampoo{a.preconditioner(p.Epsilon)}, nil
	}
	return nil, fmt.Errorf("optimizer %d is unknown", p.Optimizer)
}
