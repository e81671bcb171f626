// Package results is the result set: its schema, the Arrow batches that nodes send, the Parquet files that people read.
//
// Arrow does not leave this package but as IPC bytes. The invariants:
//
//   - Rows are pure functions of (spec, index, solver version); equal rows give equal bytes.
//   - No file is visible under its final name before it is complete and synced.
//   - No NaN or Inf is ever written: null, with the row's status.
package results
