package main

import (
	"strings"

	"github.com/phasegrid/phasegrid/docs/reference"
	"github.com/phasegrid/phasegrid/results"
)

var kindNames = map[results.Kind]string{
	results.Int64: "int64", results.Float64: "float64", results.String: "text", results.Bool: "bool",
	results.Time: "time",
}

func columnsPage() string {
	p := reference.NewPage("Columns", `
The tables of a result set. W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
covariance of the inputs, A = W W^T - theta theta^T. "null" marks columns that may be null.`)
	for _, table := range results.Reference() {
		p.Printf("\n## %s\n\n%s.\n", table.Table, strings.ToUpper(table.Rows[:1])+table.Rows[1:])
		var rows [][]string
		for i, c := range table.Columns {
			if i == table.Parameters {
				rows = append(rows, []string{"(parameters)", "", "", "a column for each parameter that the sweep uses"})
			}
			kind := kindNames[c.Kind]
			if c.Nullable {
				kind += ", null"
			}
			rows = append(rows, []string{reference.Code(c.Name), kind, c.Unit, c.Doc})
		}
		p.Table([]string{"column", "type", "unit", "formula or meaning"}, rows)
	}
	return p.String()
}
