package main

// counterFindings are what the sweeps show against the claims, or beside them.
func counterFindings() section {
	return section{
		title:        "Counter-findings",
		introduction: "Where the picture of the abstract ends.\n",
		claims:       []claim{tunedComparison, powerLawTop, smallBatches, narrow, mixedTeacher},
	}
}

// beside are what the sweeps show of related claims.
func beside() section {
	return section{
		title:        "Beside the paper",
		introduction: "Related rules and optimizers.\n",
		claims:       []claim{nuclearRank, momentumFamily},
	}
}
