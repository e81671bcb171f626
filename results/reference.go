package results

// TableReference documents one table: reference pages are generated from it.
type TableReference struct {
	Table Table
	// Rows says what a row is and how the rows are ordered.
	Rows string
	// Columns are those of every sweep, in order. In the points table the columns of the sweep's
	// parameters follow the first Parameters of them; -1: the table has none.
	Columns    []Column
	Parameters int
}

// Reference documents every table of a result set, in order.
func Reference() []TableReference {
	const steps, coefficients = "only if the sweep records steps", "only if the sweep records coefficients"
	return []TableReference{
		{Points, "one row per point, ordered by point", columnsOf(join(pointKey, pointResults)), len(pointKey)},
		{
			Trajectories, "one row per recorded step, ordered by (point, step); " + steps,
			columnsOf(trajectoryFields), -1,
		},
		{
			Coefficients, "one row per eigenspace at a recorded step, ordered by (point, step, group); " + coefficients,
			columnsOf(coefficientFields), -1,
		},
		{
			Shards, "one row per shard, ordered by shard: which node computed it, and when",
			columnsOf(shardFields), -1,
		},
	}
}
