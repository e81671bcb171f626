package main

// counterFindings are what the sweeps show against the claims, or beside them.
func counterFindings() section {
	return section{
		title:        "Counter-findings",
		introduction: "Where the picture of the abstract ends.\n",
	}
}
