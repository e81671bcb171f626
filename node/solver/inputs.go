package solver

import (
	"math"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// fill draws entries of z: normals, or a uniform number u each that the inverse distribution
// function maps.
func (l InputLaw) fill(z []float64, rng random) {
	if l == Normal {
		rng.Fill(z)
		return
	}
	rng.FillUniform(z)
	for i, u := range z {
		z[i] = l.quantile(u)
	}
}

// quantile maps u in (0, 1].
func (l InputLaw) quantile(u float64) float64 {
	switch {
	case l == UniformLaw:
		return (2*u - 1) * math.Sqrt(3)
	case l == Laplace && u < 0.5:
		return elementary.Log(2*u) / math.Sqrt2
	case l == Laplace:
		return -elementary.Log(2*max(1-u, 0x1p-53)) / math.Sqrt2
	case u >= 0.5:
		return 1
	}
	return -1
}
