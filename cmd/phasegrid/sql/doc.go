// Package sql is a read-only SQL session over result sets: DuckDB with the views of the sets.
// Invariants:
//
//   - A session opens no file but those of its sets and of its own scratch directory, and its
//     settings cannot be changed (see Open).
//   - It runs one SELECT at a time; anything that could write is rejected before it runs.
//   - The views are made here from each set's schema; SQL that lies in a set is never run.
//   - An error in the SQL is a *QueryError; any other error is not the query's fault.
//
// Without the build tag duckdb there is no session: Open returns ErrNotBuilt, and Views gives the
// SQL that makes the views in another DuckDB.
package sql
