// Package results is the result set: its schema, the Arrow batches that nodes send, the Parquet
// files that people read.
//
// A node's Builder turns rows into a Delivery, one Arrow IPC stream for each table of a shard.
// Schema.Decode lets in exactly the shard that was asked for, or refuses it with a Reason.
// Schema.Merge turns the deliveries of a part into Parquet files; Check reads each of them back. A
// Set reads them again as rows, Verify lists what is wrong with them, Views is their SQL, and Plot
// draws them.
//
// A result set is a folder:
//
//	points/part-000000.parquet        one row a point, ordered by point
//	trajectories/part-000000.parquet  ordered by (point, step), if the sweep records steps
//	coefficients/part-000000.parquet  ordered by (point, step, group), if it records coefficients
//	shards/part-000000.parquet        who computed what, when
//	<table>/schema.parquet            the table's columns, no rows: there before the first part
//	sweep.yaml, views.sql             there from the start
//	manifest.json                     there once the sweep is done
//
// Arrow does not leave this package but as IPC bytes. The invariants:
//
//   - Rows are pure functions of (spec, index, solver version); equal rows give equal bytes.
//   - No file is visible under its final name before it is complete and synced.
//   - No NaN or Inf is ever written: null, with the row's status.
package results
