//go:build !duckdb

package bench

import "context"

// duckdb calls measure with nil: this build has no DuckDB to compare with.
func (m *spooledShards) duckdb(_ context.Context, measure func(copyRows func(context.Context) error) error) error {
	return measure(nil)
}
