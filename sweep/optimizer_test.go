package sweep

import (
	"fmt"
	"strings"
	"testing"
)

// optimizerFacts is what planning and documentation take from each row, written out by hand:
// parameters, buffers, memory, cost at the default parameters for h = l = 10, automatic rate and
// flags.
const optimizerFacts = `
gd()
  0 {1 0} 3 800 "8hl" rate "eta_max/2" sign "" limited
momentum(momentum 0.9, nesterov false)
  1 {2 0} 6 800 "8hl" rate "(1 - beta) eta_max/2" sign ""
ngd()
  0 {1 0} 6 800 "8hl" rate "0.01‖theta‖" sign ""
specgd()
  0 {8 0} 3 22400 "14hl² + 8l³ + 4hl" rate "0.0207‖theta‖/sqrt(d)" sign "always" spectral
nucspec()
  0 {8 0} 6 22400 "14hl² + 8l³ + 4hl" rate "" sign "" spectral
muon(momentum 0.95, nesterov true, orthogonalizer newton_schulz, ns_steps 5)
  1 {8 0} 43 33000 "20hl² + 10l³ + 30hl" rate "0.0207‖theta‖/sqrt(d)" sign "orthogonalizer: exact" spectral
power(power null, normalize_power true)
  0 {8 0} 50 44800 "28hl² + 16l³ + 8hl" rate "" sign "power: 0" spectral
dynmuon(momentum 0, normalize_power true, power_max 1, power_min -0.25, power_midpoint 0.02, power_width 0.08)
  1 {8 0} 50 44800 "28hl² + 16l³ + 8hl" rate "" sign "" spectral
signgd()
  0 {1 0} 3 800 "8hl" rate "" sign "always" basis
signum(momentum 0.9)
  1 {2 0} 6 800 "8hl" rate "" sign "always" basis
adam(beta1 0.9, beta2 0.999, epsilon 1e-8)
  2 {3 0} 16 1800 "18hl" rate "" sign "" basis
shampoo(epsilon 1e-12)
  0 {8 4} 6 26000 "4h²l + 4hl² + 9l³ + 9h³" rate "" sign "" spectral online-dense
lion(beta1 0.9, beta2 0.99)
  1 {2 0} 9 1100 "11hl" rate "" sign "always" basis
`

func TestTableOfOptimizers(t *testing.T) {
	var got strings.Builder
	for _, r := range Optimizers() {
		f := r.DefaultFlops()
		parameters := make([]string, len(r.Parameters))
		for i, own := range r.Parameters {
			parameters[i] = own.ID.String() + " " + own.Default.plain()
		}
		fmt.Fprintf(
			&got,
			"%s(%s)\n  %d %v %v %v %q rate %q sign %q",
			r.Name,
			strings.Join(parameters, ", "),
			r.Buffers,
			r.Memory,
			f.Coefficient,
			f.matrix(10, 10),
			f,
			r.AutoRate.Formula,
			r.Sign.When,
		)
		for _, flag := range []struct {
			set  bool
			name string
		}{{r.StepLimited, "limited"}, {r.Spectral, "spectral"}, {r.BasisDependent, "basis"}, {r.OnlineDense != "",
			"online-dense"}} {
			if flag.set {
				got.WriteString(" " + flag.name)
			}
		}
		got.WriteByte('\n')
		if r.Formula == "" || r.Source == "" {
			t.Errorf("%s: formula %q, source %q", r.Name, r.Formula, r.Source)
		}
		if (r.AutoRate.rate == nil) != (r.AutoRate.Formula == "") || (r.Sign.size == nil) != (r.Sign.When == "") {
			t.Errorf("%s: a rule without its words, or words without their rule", r.Name)
		}
	}
	if want := strings.TrimPrefix(optimizerFacts, "\n"); got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}
