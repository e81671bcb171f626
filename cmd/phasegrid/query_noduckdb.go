//go:build !duckdb

package main

import (
	"context"
	"fmt"

	"github.com/phasegrid/phasegrid/results"
)

// runSQL prints the SQL for a duckdb of the user's own, as this build has none.
func runSQL(_ context.Context, o queryOptions, _ []*results.Set, views string) error {
	fmt.Fprintln(
		o.stderr,
		"this build has no DuckDB, which make build links if there is a C++ compiler; "+
			"to use a duckdb of your own: phasegrid query ... | duckdb",
	)
	_, err := fmt.Fprintf(o.stdout, "%s\n%s;\n", views, o.SQL)
	return err
}
