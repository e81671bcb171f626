package main

// abstract is the claims of the paper's abstract.
func abstract() section {
	return section{
		title:        "Claims of the abstract",
		introduction: "",
		claims: []claim{
			growthRates,
			misalignment,
			removal,
			contraction,
			largerRates,
			broader,
			twoLayer,
			muonVariants,
		},
	}
}
