package solver

import (
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// Mean 0, variance 1 and the fourth moment, within five standard errors.
func TestEntriesHaveMeanZeroAndVarianceOne(t *testing.T) {
	const n = 1_000_000
	z := make([]float64, n)
	for law, want := range map[InputLaw]struct{ fourth, eighth float64 }{
		Normal: {3, 105}, Rademacher: {1, 1}, UniformLaw: {1.8, 9}, Laplace: {6, 2520},
	} {
		law.fill(z, newRandom(8, newWorkspace(simd.Best())))
		var mean, variance, fourth float64
		for _, x := range z {
			mean += x / n
			variance += x * x / n
			fourth += x * x * x * x / n
		}
		for _, c := range []struct {
			name                    string
			got, want, squaredError float64
		}{
			{"mean", mean, 0, 1}, {"variance", variance, 1, want.fourth - 1},
			{"fourth moment", fourth, want.fourth, want.eighth - want.fourth*want.fourth},
		} {
			if math.Abs(c.got-c.want) > 5*math.Sqrt(c.squaredError/n)+1e-10 {
				t.Errorf("law %d: %s %v, want %v", law, c.name, c.got, c.want)
			}
		}
	}
}

func TestQuantilesAtTheEnds(t *testing.T) {
	for law, want := range map[InputLaw][3]float64{
		Rademacher: {-1, 1, 1}, UniformLaw: {-math.Sqrt(3), 0, math.Sqrt(3)},
		Laplace: {math.Log(0x1p-53) / math.Sqrt2, 0, -math.Log(0x1p-52) / math.Sqrt2},
	} {
		for i, u := range []float64{0x1p-54, 0.5, 1} {
			if got := law.quantile(u); math.Abs(got-want[i]) > 1e-14*math.Abs(want[i]) {
				t.Errorf("law %d: %v is mapped to %v, want %v", law, u, got, want[i])
			}
		}
	}
}
