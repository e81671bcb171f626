//go:build !duckdb

package main

import (
	"context"
	"fmt"

	"github.com/phasegrid/phasegrid/results"
)

// runSQL without DuckDB prints what the reader's own duckdb takes, and says how to get a build that
// has it.
func runSQL(_ context.Context, o queryOptions, _ []*results.Set, views string) error {
	fmt.Fprintln(
		o.stderr,
		"this build has no DuckDB: make build links it where there is a C++ compiler. Your own duckdb takes what follows: phasegrid query ... | duckdb",
	)
	_, err := fmt.Fprintf(o.stdout, "%s\n%s;\n", views, o.SQL)
	return err
}
