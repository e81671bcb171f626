package simd

// Rule is the optimizer that lanes follow. The zero Rule is none.
type Rule uint8

const (
	GD       Rule = iota + 1 // U = G
	Momentum                 // B <- βB + G, U = B, or G + βB with Nesterov
	NGD                      // G/‖G‖_F
	SpecGD                   // sign(g), 0 where |g| counts as zero
	NucSpec                  // ‖G‖_* sign(g)
	Muon                     // B <- βB + (1-β)G, V = (1-β)G + βB with Nesterov or B; Scale φ(V)
	Power                    // sign(g) (|g|/s_max)^p, or |g|^p
	DynMuon                  // Power of B <- βB + G
	SignGD                   // sign(g)
	Signum                   // sign of B <- βB + (1-β)G
	Adam                     // bias-corrected, ε outside the root
	Shampoo                  // g/√(ε + Σ g²)
	Lion                     // sign(β₁m + (1-β₁)g), m <- β₂m + (1-β₂)g
)

// Law is what the points of one run of Lanes have in common.
type Law struct {
	Rule      Rule
	Nesterov  bool
	Decays    bool // some point has weight decay
	Scheduled bool // rates, or DynMuon's powers, come from Host.Rate
	Normalize bool // Power and DynMuon divide by s_max

	Exact bool // Muon takes the signs rather than Quintics

	// Muon: x = v/(Slack ‖V‖_F + 1e-7), then x <- x (a + y (b + y c)), y = x², for each (a, b, c).
	Quintics [][3]float64
	Slack    float64
	Scale    float64
}

// noKernel is the panic of a Rule that the kernels have no case for.
const noKernel = "simd: the rule has no kernel"
