package sweep

import (
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// UpdateRule is an optimizer: the map from the gradient G of step k to the update U of
//
//	W <- W(1 - lr_k wd) - lr_k U,
//
// and what checking, planning and documenting a sweep needs to know about it. The arithmetic is in
// node/solver, under the same name. Optimizers returns the table that everything else derives from.
type UpdateRule struct {
	// Name is the value of the parameter optimizer.
	Name string
	// Formula gives U, with the recursions of its buffers, which start at 0. G = Y S Zᵀ is the thin
	// singular value decomposition.
	Formula string
	// Source cites the paper or the code that the formula and the constants are from.
	Source string
	// Parameters are those that it adds, in the order of the parameter table.
	Parameters []OwnParameter
	// Spectral: it acts on singular values rather than on entries or on the length of G.
	Spectral bool
	// BasisDependent: U(H G) = H U(G) fails for some orthogonal H. Subspace runs are then not
	// exact, and reduced runs only where the eigenvectors are coordinates.
	BasisDependent bool
	// OnlineDense says why an online run leaves every small subspace; empty where it does not.
	OnlineDense string
	// Buffers counts the matrices of W's shape that are kept from step to step.
	Buffers int
	// Memory is what its steps need.
	Memory RuleMemory
	// flops counts the operations of one update.
	flops func(a Assignment) Flops
	// AutoRate is the meaning of `learning_rate: auto`.
	AutoRate AutoRate
	// StepLimited: the run is unstable above eta_max, the limit of gradient descent.
	StepLimited bool
	// Sign says when all entries, or all singular values, of a step have one size or are 0.
	Sign SignStep
}

// OwnParameter is a parameter that applies where one row of a table is chosen.
type OwnParameter struct {
	ID ParameterID
	// Default is null where the sweep has to give a value.
	Default Value
}

// RuleMemory counts float64 numbers: Matrices times dm for a d x m matrix W, and in dense runs
// Squares times d² + m².
type RuleMemory struct{ Matrices, Squares float64 }

// Flops counts the floating-point operations of one update; multiply and add are two. A reduced run
// takes Coefficient for each of its coefficients. With h >= l the sides of W, a matrix takes
//
//	Entry hl + Polar (14hl² + 8l³) + Quintic (4hl² + 2l³ + 4hl) + Root (4h²l + 4hl² + 9(h³ + l³)).
type Flops struct {
	Coefficient float64
	Entry       float64 // elementwise arithmetic
	Polar       float64 // polar factors; a map of the singular values counts as two
	Quintic     float64 // polynomials X(aI + bXᵀX + c(XᵀX)²)
	Root        float64 // pairs of inverse fourth roots of accumulated GGᵀ and GᵀG
}

// AutoRate is a learning rate that follows from the other parameters.
type AutoRate struct {
	// Formula is empty where there is no rule.
	Formula string
	rate    func(a Assignment) float64
}

// SignStep is the size, in units of lr, by which entries or singular values move.
type SignStep struct {
	// When is empty where the sizes differ from one another, else the condition for one size.
	When string
	size func(a Assignment) float64 // 0 where the condition fails
}

// optimizerTable is in the order in which sweep files, help and documentation list the optimizers.
var optimizerTable = []UpdateRule{
	{
		Name:        "gd",
		Formula:     "U = G",
		Source:      "Cauchy, Comptes rendus 25 (1847) 536",
		Memory:      RuleMemory{Matrices: 1},
		flops:       fixedFlops(Flops{Coefficient: 3, Entry: 8}),
		AutoRate:    AutoRate{"eta_max/2", func(a Assignment) float64 { return 0.5 * stepLimit(a) }},
		StepLimited: true,
	},
	{
		Name:       "momentum",
		Formula:    "B = beta B + G; U = B, or G + beta B (nesterov)",
		Source:     "Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1; Nesterov, Soviet Math. Dokl. 27 (1983) 372",
		Parameters: []OwnParameter{{Momentum, floatValue(0.9)}, {Nesterov, boolValue(false)}},
		Buffers:    1,
		Memory:     RuleMemory{Matrices: 2},
		flops:      fixedFlops(Flops{Coefficient: 6, Entry: 8}),
		AutoRate: AutoRate{"(1 - beta) eta_max/2", func(a Assignment) float64 {
			return 0.5 * (1 - a[Momentum].num) * stepLimit(a)
		}},
	},
	{
		Name:     "ngd",
		Formula:  "U = G/‖G‖_F",
		Source:   "Hazan, Levy and Shalev-Shwartz, arXiv 1507.02030",
		Memory:   RuleMemory{Matrices: 1},
		flops:    fixedFlops(Flops{Coefficient: 6, Entry: 8}),
		AutoRate: AutoRate{"0.01‖theta‖", func(a Assignment) float64 { return 0.01 * teacherNorm(a) }},
	},
	{
		Name:     "specgd",
		Formula:  "U = Y Zᵀ, without the singular values that count as zero",
		Source:   "Braun, Bao, Huang and Imaizumi, arXiv 2601.22652",
		Spectral: true,
		Memory:   RuleMemory{Matrices: 8},
		flops:    fixedFlops(Flops{Coefficient: 3, Entry: 4, Polar: 1}),
		AutoRate: AutoRate{"0.0207‖theta‖/sqrt(d)", spectralRate},
		Sign:     SignStep{"always", learningRateStep},
	},
	{
		Name:     "nucspec",
		Formula:  "U = ‖G‖_* Y Zᵀ",
		Source:   "Carlson, Cevher and Carin, Stochastic spectral descent, AISTATS 2015",
		Spectral: true,
		Memory:   RuleMemory{Matrices: 8},
		flops:    fixedFlops(Flops{Coefficient: 6, Entry: 4, Polar: 1}),
	},
	{
		Name: "muon",
		Formula: "B = beta B + (1 - beta)G; V = B, or (1 - beta)G + beta B (nesterov); " +
			"U = sqrt(max(1, d/m)) phi(V), phi takes singular values towards 1 by the orthogonalizer",
		Source: "Jordan et al., github.com/KellerJordan/Muon at 00ba60d; polar_express: arXiv 2505.16932, appendix A",
		Parameters: []OwnParameter{{Momentum, floatValue(0.95)}, {Nesterov, boolValue(true)},
			{Orthogonalizer, textValue("newton_schulz")}, {NSSteps, intValue(5)}},
		Spectral: true,
		Buffers:  1,
		Memory:   RuleMemory{Matrices: 8},
		flops:    muonFlops,
		AutoRate: AutoRate{"0.0207‖theta‖/sqrt(d)", spectralRate},
		Sign:     SignStep{"orthogonalizer: exact", exactMuonStep},
	},
	{
		Name:       "power",
		Formula:    "U = Y (S/s_max)^p Zᵀ (normalize_power), or Y S^p Zᵀ",
		Source:     "Muon^p, arXiv 2606.13867",
		Parameters: []OwnParameter{{Power, nullValue()}, {NormalizePower, boolValue(true)}},
		Spectral:   true,
		Memory:     RuleMemory{Matrices: 8},
		flops:      fixedFlops(Flops{Coefficient: 50, Entry: 8, Polar: 2}),
		Sign:       SignStep{"power: 0", zeroPowerStep},
	},
	{
		Name: "dynmuon",
		Formula: "B = beta B + G; U = Y (S/s_max)^p_t Zᵀ of B, or Y S^p_t Zᵀ, " +
			"p_t = p_min + (p_max - p_min)/(1 + exp((t/T - tau)/w)), t = k + 1",
		Source: "arXiv 2605.17109; github.com/fzwark/DynMuon at 89baa66",
		Parameters: []OwnParameter{
			{Momentum, floatValue(0)},
			{NormalizePower, boolValue(true)},
			{PowerMax, floatValue(1)},
			{PowerMin, floatValue(-0.25)},
			{PowerMidpoint, floatValue(0.02)},
			{PowerWidth, floatValue(0.08)},
		},
		Spectral: true,
		Buffers:  1,
		Memory:   RuleMemory{Matrices: 8},
		flops:    fixedFlops(Flops{Coefficient: 50, Entry: 8, Polar: 2}),
	},
	{
		Name:           "signgd",
		Formula:        "U = sign(G), sign(0) = 0",
		Source:         "Bernstein et al., arXiv 1802.04434",
		BasisDependent: true,
		Memory:         RuleMemory{Matrices: 1},
		flops:          fixedFlops(Flops{Coefficient: 3, Entry: 8}),
		Sign:           SignStep{"always", learningRateStep},
	},
	{
		Name:           "signum",
		Formula:        "B = beta B + (1 - beta)G; U = sign(B), sign(0) = 0",
		Source:         "Bernstein et al., arXiv 1802.04434",
		Parameters:     []OwnParameter{{Momentum, floatValue(0.9)}},
		BasisDependent: true,
		Buffers:        1,
		Memory:         RuleMemory{Matrices: 2},
		flops:          fixedFlops(Flops{Coefficient: 6, Entry: 8}),
		Sign:           SignStep{"always", learningRateStep},
	},
	{
		Name: "adam",
		Formula: "M = beta1 M + (1 - beta1)G; V = beta2 V + (1 - beta2)G²; " +
			"U = M/(1 - beta1^t)/(sqrt(V/(1 - beta2^t)) + epsilon), t = k + 1, elementwise",
		Source: "Kingma and Ba, arXiv 1412.6980",
		Parameters: []OwnParameter{
			{Beta1, floatValue(0.9)},
			{Beta2, floatValue(0.999)},
			{Epsilon, floatValue(1e-8)},
		},
		BasisDependent: true,
		Buffers:        2,
		Memory:         RuleMemory{Matrices: 3},
		flops:          fixedFlops(Flops{Coefficient: 16, Entry: 18}),
	},
	{
		Name:        "shampoo",
		Formula:     "L = L + GGᵀ, R = R + GᵀG from epsilon I; U = L^(-1/4) G R^(-1/4), eigenvalues at least epsilon",
		Source:      "Gupta, Koren and Singer, arXiv 1802.09568",
		Parameters:  []OwnParameter{{Epsilon, floatValue(1e-12)}},
		Spectral:    true,
		OnlineDense: "shampoo's left factor gains directions with every batch",
		Memory:      RuleMemory{Matrices: 8, Squares: 4},
		flops:       fixedFlops(Flops{Coefficient: 6, Root: 1}),
	},
	{
		Name:           "lion",
		Formula:        "U = sign(beta1 M + (1 - beta1)G), sign(0) = 0, then M = beta2 M + (1 - beta2)G",
		Source:         "Chen et al., arXiv 2302.06675",
		Parameters:     []OwnParameter{{Beta1, floatValue(0.9)}, {Beta2, floatValue(0.99)}},
		BasisDependent: true,
		Buffers:        1,
		Memory:         RuleMemory{Matrices: 2},
		flops:          fixedFlops(Flops{Coefficient: 9, Entry: 11}),
		Sign:           SignStep{"always", learningRateStep},
	},
}

// Optimizers returns the table of optimizers. The caller owns the slice, but not what its rows
// refer to.
func Optimizers() []UpdateRule { return slices.Clone(optimizerTable) }

// noRule stands in where a sweep names no known optimizer, so that a point that cannot be solved
// still has a size and a cost.
var noRule = UpdateRule{Memory: RuleMemory{Matrices: 8}, flops: fixedFlops(Flops{Coefficient: 6, Entry: 8})}

// ruleOf returns the row of the assignment's optimizer.
func ruleOf(a Assignment) *UpdateRule {
	for i := range optimizerTable {
		if optimizerTable[i].Name == a[Optimizer].text {
			return &optimizerTable[i]
		}
	}
	return &noRule
}

// optimizerNames lists the table's names, or those that a condition holds for.
func optimizerNames(holds func(r *UpdateRule) bool) []string {
	var names []string
	for i := range optimizerTable {
		if holds(&optimizerTable[i]) {
			names = append(names, optimizerTable[i].Name)
		}
	}
	return names
}

// DefaultFlops counts the operations of one update with the rule's default parameters.
func (r *UpdateRule) DefaultFlops() Flops {
	a := make(Assignment, NumParameters)
	for _, own := range r.Parameters {
		a[own.ID] = own.Default
	}
	return r.flops(a)
}

// matrix counts the operations of one update of a matrix.
func (f Flops) matrix(rows, columns float64) float64 {
	h, l := max(rows, columns), min(rows, columns)
	return float64(
		f.Entry*h*l,
	) + float64(
		f.Polar*(float64(14*h*l*l)+float64(8*l*l*l)),
	) + float64(
		f.Quintic*(float64(4*h*l*l)+float64(2*l*l*l)+float64(4*h*l)),
	) +
		float64(
			f.Root*(float64(4*h*h*l)+float64(4*h*l*l)+float64(9*(float64(h*h*h)+float64(l*l*l)))),
		)
}

// String writes the count for a matrix, "14hl² + 8l³ + 4hl".
func (f Flops) String() string {
	var terms []string
	add := func(factor float64, term string) {
		if factor != 0 {
			terms = append(terms, exact.FormatFloat(factor)+term)
		}
	}
	add(4*f.Root, "h²l")
	add(float64(14*f.Polar)+float64(4*f.Quintic)+float64(4*f.Root), "hl²")
	add(float64(8*f.Polar)+float64(2*f.Quintic)+float64(9*f.Root), "l³")
	add(9*f.Root, "h³")
	add(f.Entry+float64(4*f.Quintic), "hl")
	return strings.Join(terms, " + ")
}

func fixedFlops(f Flops) func(Assignment) Flops { return func(Assignment) Flops { return f } }

func muonFlops(a Assignment) Flops {
	if a[Orthogonalizer].text == "exact" {
		return Flops{Coefficient: 8, Entry: 8, Polar: 1}
	}
	n := a[NSSteps].Float()
	return Flops{Coefficient: 8 + float64(7*n), Entry: 10, Quintic: n}
}

// teacherNorm is ‖theta‖.
func teacherNorm(a Assignment) float64 { return math.Sqrt(ThetaNorm2(a)) }

func spectralRate(a Assignment) float64 {
	return 0.0207 * teacherNorm(a) / math.Sqrt(float64(a[Dimension].i))
}

func learningRateStep(Assignment) float64 { return 1 }

func exactMuonStep(a Assignment) float64 {
	if a[Orthogonalizer].text != "exact" {
		return 0
	}
	return math.Sqrt(max(1, a[Dimension].Float()/a[Width].Float()))
}

func zeroPowerStep(a Assignment) float64 {
	if a[Power].num != 0 {
		return 0
	}
	return 1
}
