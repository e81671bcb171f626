package main

import (
	"github.com/phasegrid/phasegrid/docs/reference"
	"github.com/phasegrid/phasegrid/results"
)

var kindNames = map[results.Kind]string{
	results.Int64: "int64", results.Float64: "float64", results.String: "text", results.Bool: "bool",
	results.Time: "time",
}

func columnsPage() (string, error) {
	p := reference.NewPage("Columns", `The tables of a result set. W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
covariance of the inputs, A = W W^T - theta theta^T. "null" marks columns that may be null. The
points table also has a column for each parameter that the sweep uses, after `+"`point_id`"+`.`)
	schema, err := results.NewSchema(nil, results.Options{Trajectories: true, Coefficients: true})
	if err != nil {
		return "", err
	}
	for _, table := range schema.Tables() {
		p.Printf("\n## %s\n", table)
		var rows [][]string
		for _, c := range schema.Columns(table) {
			kind := kindNames[c.Kind]
			if c.Nullable {
				kind += ", null"
			}
			rows = append(rows, []string{reference.Code(c.Name), kind, c.Unit, c.Doc})
		}
		p.Table([]string{"column", "type", "unit", "formula or meaning"}, rows)
	}
	return p.String(), nil
}
