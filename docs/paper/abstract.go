package main

// abstract is the claims of the paper's abstract.
func abstract() section {
	return section{
		title:        "Claims of the abstract",
		introduction: "",
		claims:       abstractClaims,
	}
}

var abstractClaims = []claim{
	{
		name: "Growth rates",
		text: "In the early escaping stage gradient descent amplifies the spike multiplicatively, and faster than " +
			"the signal once the anisotropy is strong.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"growth-rates"},
		measure:  measureGrowth,
		verdict:  holds,
		words: "From a small start each coefficient grows by its own constant factor a step, as the linearised " +
			"gradient says.",
	},
	{
		name: "Misalignment",
		text: "Under strong anisotropy gradient descent aligns with the spike first, and this misalignment " +
			"degrades its alignment with the signal.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"spiked-phase-diagram", "critical-anisotropy"},
		measure:  measureMisalignment,
		verdict:  holdsInPart,
		words: "On the plateau before escape W is nearly all spike, and the time to align grows with the " +
			"anisotropy. The threshold exists for small starts only. Gradient descent does recover: at escape " +
			"it is better aligned than SpecGD, and it ends aligned in every run.",
	},
	{
		name:     "Stable alignment",
		text:     "SpecGD removes the amplification of the spike and aligns stably.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"spiked-phase-diagram", "step-floor"},
		measure:  measureRemoval,
		verdict:  holds,
		words: "From a multiple of the identity the spike never grows beyond its share of the start, and what is " +
			"aligned stays aligned. A constant step ends on an orbit of the step's size; a schedule that falls " +
			"to zero removes it.",
	},
	{
		name:     "Noise contraction",
		text:     "SpecGD contracts the noise faster than gradient descent.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"noise-contraction"},
		measure:  measureContraction,
		verdict:  holds,
		words: "From a start that fills the bulk the noise of gradient descent decays algebraically, while SpecGD " +
			"arrives after a number of steps of the order of one over the step. The products lr·steps are no " +
			"ratio of times, since the units of lr differ: in steps gradient descent is the faster one without " +
			"anisotropy, and SpecGD the faster one under strong anisotropy.",
	},
	{
		name:     "Larger learning rates",
		text:     "SpecGD is stable at larger learning rates.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"learning-rate-stability"},
		measure:  measureStability,
		verdict:  holdsInPart,
		words: "The limit of gradient descent shrinks with the anisotropy; the usable step of SpecGD, where the " +
			"floor of its orbit is still aligned, hardly does, and no step makes it diverge. Under weak " +
			"anisotropy the rate of gradient descent is the larger number by far. The units differ: the one " +
			"multiplies a gradient, the other is the length of a step.",
	},
	{
		name:     "Broader covariances",
		text:     "The effects persist for broader anisotropic covariances, power laws among them.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"broader-covariances"},
		measure:  measureBroader,
		verdict:  holdsInPart,
		words: "The spike is amplified by gradient descent and not by SpecGD in every family, and where the " +
			"teacher is an eigenvector a tuned SpecGD overtakes gradient descent as the anisotropy grows. Where " +
			"the teacher is no eigenvector, gradient descent recovers sooner and a constant step leaves SpecGD " +
			"behind.",
	},
	{
		name: "Two-layer network",
		text: "The model is equivalent to training a two-layer neural network with the quadratic activation and " +
			"fixed second-layer weights.",
		source:   "abstract of arXiv 2601.22652",
		examples: []string{"two-layer-network"},
		measure:  measureNetwork,
		verdict:  holds,
		words: "The network itself, trained neuron by neuron on the same pairs, has the alignments of the run: " +
			"with gradient descent and with SpecGD, for weights of one and of one over the width in the second " +
			"layer.",
	},
	{
		name:     "Muon",
		text:     "Muon, whose orthogonalization approximates SpecGD's step, mitigates the misalignment too.",
		source:   "the paper's motivation of SpecGD as an idealised Muon",
		examples: []string{"muon-variants"},
		measure:  measureMuon,
		verdict:  holds,
		words: "Every orthogonalizer keeps the spike near its share of the start. Heavy momentum without Nesterov " +
			"overshoots and holds the level late or not at all.",
	},
}
