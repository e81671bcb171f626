//go:build !duckdb

package bench

import "context"

// duckdb without DuckDB has nothing to compare with.
func (m *spooledShards) duckdb(_ context.Context, measure func(copyRows func(context.Context) error) error) error {
	return measure(nil)
}
