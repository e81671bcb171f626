package main

import (
	"github.com/phasegrid/phasegrid/coordinator/admission"
	"github.com/phasegrid/phasegrid/docs/reference"
)

func limitsPage() string {
	p := reference.NewPage("Limits", `
What a coordinator takes from its peers at once. A client that exceeds a limit learns which one. See
[operation](../cluster.md#limits).`)
	var rows [][]string
	for _, l := range admission.Limits() {
		rows = append(rows, []string{l.What, l.Most, l.Then})
	}
	p.Table([]string{"what", "at most", "beyond that"}, rows)
	return p.String()
}
