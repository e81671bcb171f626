package results

import (
	"iter"
	"slices"
)

// Row statuses.
const (
	StatusOK       = "ok"
	StatusDiverged = "diverged"
	StatusFailed   = "failed"
	StatusInvalid  = "invalid"
)

// PointRow is one row of the points table. Floats that are NaN or Inf, and steps below 0, are
// written as null.
type PointRow struct {
	Point          int64
	PointID        [16]byte
	Parameters     []Cell // in the order of the schema's parameter columns
	Representation string
	Status         string
	Detail         string // "" is null

	RunSummary
	// Properties of the parameters.
	UnstableStep, ResonantStep bool
	InputStableRank            float64
}

// RunSummary is the result of a run without its trajectory, under the same rule for nulls. It has a
// fixed size.
type RunSummary struct {
	Metrics                               // of the last iterate
	EscapeStep, StepsTo90, StepsTo99      int64
	Held90Step, Held99Step                int64
	AlignmentAtEscape, SpikeAtEscape      float64
	PeakSpikeAlignment                    float64
	PeakSpikeStep, DivergedStep, StepsRun int64
	TailSignalAlignment, TailLoss         float64
}

// NoRun is the summary of a point that was not solved: all of it is null.
func NoRun() RunSummary {
	var r PointRow
	for i := range measurementFields {
		if f := &measurementFields[i]; f.Nullable {
			f.set(&r, Cell{Null: true})
		}
	}
	return r.RunSummary
}

// PointRows are the rows of one point in all tables.
type PointRows struct {
	Point        PointRow
	Trajectory   []TrajectoryRow
	Coefficients []CoefficientRow
}

// Measurements yields the columns after status and detail with their values, in the table's order.
func (r *PointRow) Measurements() iter.Seq2[Column, Cell] {
	return func(yield func(Column, Cell) bool) {
		for i := range measurementFields {
			f := &measurementFields[i]
			if !yield(f.Column, f.cell(r)) {
				return
			}
		}
	}
}

// TrajectoryRow is one row of the trajectories table, under the same rule for nulls.
type TrajectoryRow struct {
	Point, Step int64
	Metrics
	SignalCoefficient, SpikeCoefficient, BulkCoefficient float64
}

// CoefficientRow is one row of the coefficients table.
type CoefficientRow struct {
	Point, Step, Group, Multiplicity int64
	Eigenvalue, Coefficient          float64
}

// ShardRow is one row of the shards table: which node computed the indices [First, End), and when.
type ShardRow struct {
	Shard, First, End, Points int64
	Node                      string
	Attempts                  int64
	Solver                    string // empty in sets of solver versions before 4
	ArithmeticClass, Kernel   string
	Started, Finished         int64 // microseconds since 1970 in UTC
	Bytes                     int64 // of the delivered payload
}

// cells is written with the values of a row in the order of its columns.
type cells interface {
	number(float64)
	cell(Kind, Cell)
}

// writeFields writes the fields of a row.
func writeFields[R any](w cells, fields []field[R], row *R) {
	for i := range fields {
		f := &fields[i]
		if x, ok := f.at(row).(*float64); ok {
			w.number(*x)
		} else {
			w.cell(f.Kind, f.cell(row))
		}
	}
}

// rowReader is the inverse of writeFields, for files with the given columns: those of an earlier
// release may miss some, which are null.
func rowReader[R any](columns []Column, fields []field[R]) func([]Cell) R {
	at := make([]int, len(fields))
	for i, f := range fields {
		at[i] = slices.IndexFunc(columns, func(c Column) bool { return c.Name == f.Name && c.Kind == f.Kind })
	}
	return func(cells []Cell) (row R) {
		for i, k := range at {
			c := Cell{Null: true}
			if k >= 0 {
				c = cells[k]
			}
			fields[i].set(&row, c)
		}
		return row
	}
}

// write writes the row of a points table with the given parameters.
func (r *PointRow) write(w cells, parameters []Column) {
	writeFields(w, pointKey, r)
	for i, p := range parameters {
		w.cell(p.Kind, r.Parameters[i])
	}
	writeFields(w, pointResults, r)
}

// pointReader is the inverse of write, for files with the given columns.
func pointReader(columns []Column) func([]Cell) PointRow {
	read := rowReader(columns, join(pointKey, pointResults))
	parameters := parametersOf(columns)
	return func(cells []Cell) PointRow {
		r := read(cells)
		r.Parameters = slices.Clone(cells[len(pointKey) : len(pointKey)+len(parameters)])
		return r
	}
}

// parametersOf returns the parameter columns of a points table: those between its key and how the
// run ended.
func parametersOf(columns []Column) []Column {
	end := slices.IndexFunc(columns, func(c Column) bool { return c.Name == outcomeFields[0].Name })
	if end < len(pointKey) {
		return nil
	}
	return columns[len(pointKey):end]
}
