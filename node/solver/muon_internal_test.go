package solver

import (
	"math"
	"testing"
)

// The triples of arXiv 2505.16932, appendix A, entered a second time: a wrong last digit changes
// nothing that other tests see.
func TestPolarExpressTriples(t *testing.T) {
	published := [][3]float64{
		{8.28721201814563, -23.595886519098837, 17.300387312530933},
		{4.107059111542203, -2.9478499167379106, .5448431082926601},
		{3.9486908534822946, -2.908902115962949, .5518191394370137},
		{3.3184196573706015, -2.488488024314874, .51004894012372},
		{2.300652019954817, -1.6689039845747493, .4188073119525673},
		{1.891301407787398, -1.2679958271945868, .37680408948524835},
		{1.8750014808534479, -1.2500016453999487, .3750001645474248},
	}
	for i, want := range published {
		got := polarExpress(i)
		for k, power := range []float64{1, 3, 5} {
			if back := got[k] * math.Pow(1.01, power); math.Abs(back-want[k]) > 1e-15*math.Abs(want[k]) {
				t.Errorf("triple %d is %v times its damping, published %v", i, back, want[k])
			}
		}
	}
	for i := 7; i < 10; i++ {
		if got := polarExpress(i); got != [3]float64{1.875, -1.25, .375} {
			t.Errorf("triple %d is %v", i, got)
		}
	}
}
