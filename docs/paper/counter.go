package main

// counterFindings are what the sweeps show against the claims, or beside them.
func counterFindings() section {
	return section{
		title:        "Counter-findings",
		introduction: "Where the picture of the abstract ends.\n",
		claims:       counterClaims,
	}
}

var counterClaims = []claim{
	{
		name: "Weak anisotropy",
		text: "Below some anisotropy a tuned gradient descent is the faster one; SpecGD overtakes it from there " +
			"on, the later the larger the dimension.",
		source:   "against a reading of the abstract by which SpecGD is always faster",
		examples: []string{"tuned-comparison"},
		measure:  measureTuned,
		verdict:  against,
		words: "Each optimizer has its best learning rate in each cell, ranked by held times; runs that are " +
			"unstable, diverge or end below the level are out. Where the lead changes depends on the grid of " +
			"rates and on the start, so it is an interval.",
	},
	{
		name: "Teacher on top of a power law",
		text: "With the teacher among the top eigenvectors of a power law, SpecGD at a constant step does not " +
			"reach 90 % alignment, where gradient descent aligns at once.",
		source:   "against: SpecGD aligns stably, for power laws too",
		examples: []string{"power-law"},
		measure:  measurePowerLaw,
		verdict:  against,
		words: "Directions of low variance stay at an amplitude that the step sets. The steeper the power law and " +
			"the higher the teacher, the worse; a smaller step or a cosine schedule cures most cells, not the " +
			"steepest.",
	},
	{
		name: "Small batches",
		text: "With small online batches SpecGD touches 90 % alignment and ends below it, where gradient descent " +
			"ends aligned; too few samples align neither.",
		source:   "against: SpecGD aligns stably and contracts noise faster",
		examples: []string{"samples"},
		measure:  measureSamples,
		verdict:  against,
		words: "The polar factor amplifies the noise of a batch to the length of the step. With larger batches, " +
			"and with enough fixed pairs, SpecGD is the one that avoids the spike and arrives first.",
	},
	{
		name: "Small width",
		text: "At small width SpecGD does not suppress the spike; with one column it is normalised gradient " +
			"descent.",
		source:   "against: SpecGD removes the amplification of the spike",
		examples: []string{"width"},
		measure:  measureWidth,
		verdict:  against,
		words:    "The share of the spike is about one over the width, since SpecGD equalises what the columns span.",
	},
	{
		name:     "Teacher mixed with the spike",
		text:     "Where the teacher has a share of the spike's direction, SpecGD amplifies the spike too.",
		source:   "against: SpecGD removes the amplification of the spike",
		examples: []string{"mixed-teacher"},
		measure:  measureMixed,
		verdict:  against,
		words: "It begins at a tilt of about a tenth, later under weak anisotropy. Gradient descent profits from " +
			"such a tilt: it escapes sooner.",
	},
}

// beside are what the sweeps show of related claims.
func beside() section {
	return section{
		title:        "Beside the paper",
		introduction: "Related rules and optimizers.\n",
		claims:       relatedClaims,
	}
}

var relatedClaims = []claim{
	{
		name: "Nuclear rank",
		text: "A spectral step beats a Euclidean one where the nuclear rank of the gradient exceeds the stable " +
			"rank of the inputs.",
		source:   "Davis and Drusvyatskiy, \"When do spectral gradient updates help in deep learning?\", 2025",
		examples: []string{"nuclear-rank", "tuned-comparison"},
		measure:  measureNuclearRank,
		verdict:  holdsInPart,
		words: "Held against tuned held times the rule is right about the trend: the share of the steps of " +
			"gradient descent at which it favours the spectral step grows with the anisotropy, and so does the " +
			"lead of SpecGD. At a single iterate it does not tell who is faster: at the start it favours the " +
			"spectral step everywhere, at escape nowhere.",
	},
	{
		name:     "Between the two",
		text:     "What an optimizer keeps of the gradient's spectrum decides how much of the spike it amplifies.",
		source:   "a corollary, for the other optimizers of phasegrid",
		examples: []string{"optimizers-side-by-side", "spectral-power", "sign-momentum"},
		measure:  measureBetween,
		verdict:  holds,
		words: "Gradient descent with its momentum and normalised forms passes through the spike; what equalises " +
			"singular values does not; powers of singular values lie between, in the order of the power. " +
			"Optimizers that act on coordinates do so in the eigenbasis only.",
	},
}
