// Package results is the result set: its schema, the Arrow record batches that nodes send, and the
// Parquet files that people read.
//
// A Builder encodes the rows of a shard as a Delivery, with one Arrow IPC stream for each table.
// Schema.Decode accepts exactly the expected shard and rejects anything else with a Reason.
// Schema.Merge writes the deliveries of a part as Parquet files, and Check reads each of them back.
// A Set reads the rows of a folder, and Verify lists its violations. Package views has its SQL,
// package plot draws it.
//
// Each table is a list of fields: a column, and where a row has its value. Schema, builder, reader,
// views and reference pages derive from these lists; metrics.go and tables.go have them.
//
// A result set is a folder:
//
//	points/part-000000.parquet        one row per point, ordered by point
//	trajectories/part-000000.parquet  ordered by (point, step), if the sweep records steps
//	coefficients/part-000000.parquet  ordered by (point, step, group), if it records coefficients
//	shards/part-000000.parquet        which node computed each shard, and when
//	<table>/schema.parquet            the columns of the table without rows; exists from the start
//	sweep.yaml, views.sql             exist from the start
//	manifest.json                     exists once the sweep is done
//
// Arrow leaves this package only as IPC bytes. The invariants:
//
//   - Rows depend only on (spec, index, solver); equal rows give equal bytes.
//   - No file has its final name before it is complete and synced.
//   - NaN and Inf are never written: such values are null, and the row's status has the reason.
package results
