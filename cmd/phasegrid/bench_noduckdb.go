//go:build !duckdb

package main

import "context"

// duckdb without DuckDB has nothing to compare with.
func (m *mergeBench) duckdb(_ context.Context, measure func(copyRows func(context.Context) error) error) error {
	return measure(nil)
}
