package results

import "math"

// Difference is what a Comparison found in a table of two result sets, A and B.
type Difference struct {
	Table Table
	// OnlyA and OnlyB count the rows without a counterpart. Of the rows in both sets, Equal ones
	// have the same value in every compared column, bit for bit, and Differing ones have not.
	OnlyA, OnlyB, Equal, Differing int64
	// ColumnsA and ColumnsB name the columns that only one of the sets has, OtherKind those whose
	// type is not the same in both. They are not compared.
	ColumnsA, ColumnsB, OtherKind []string
	Columns                       []ColumnDifference // one for each compared column
	// Cells are the cells that differ, of the first differing rows in the order of A.
	Cells []CellDifference
}

// Same reports whether every row of either set has an equal one in the other.
func (d *Difference) Same() bool { return d.OnlyA+d.OnlyB+d.Differing == 0 }

// ColumnDifference is how one column differs over all rows that are in both sets.
type ColumnDifference struct {
	Column Column // as in A
	Rows   int64  // rows in which it differs
	Nulls  int64  // of these, rows in which it is null in one of the sets
	// MaxUlps and MaxAbs are the largest distances of two numbers, 0 where no two numbers differ.
	MaxUlps uint64
	MaxAbs  float64
	// Example is a cell with the distance MaxUlps or, in a column of integers, MaxAbs; any where no
	// two numbers differ; meaningless where Rows is 0.
	Example CellDifference
}

// CellDifference is a cell that is not the same in both sets. A row has another index in each set,
// but the same step and group.
type CellDifference struct {
	PointA, PointB, Step, Group int64
	PointID                     string
	Column                      Column
	A, B                        Cell
	// Numbers: both cells are numbers, and Abs is their distance. Of float64 cells, Ulps is the
	// number of float64 values from one to the other: 1 for neighbours, 0 for the two zeros.
	Numbers bool
	Ulps    uint64
	Abs     float64
}

// equalCells compares bit for bit: the two zeros differ.
func equalCells(k Kind, a, b Cell) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	switch k {
	case Float64:
		return math.Float64bits(a.Float) == math.Float64bits(b.Float)
	case Bool:
		return a.Bool == b.Bool
	case String:
		return a.Text == b.Text
	default:
		return a.Int == b.Int
	}
}

// measure fills in Numbers, Ulps and Abs.
func (c *CellDifference) measure() {
	if c.A.Null || c.B.Null {
		return
	}
	switch c.Column.Kind {
	case Int64, Time:
		c.Numbers = true
		c.Abs = float64(uint64(max(c.A.Int, c.B.Int)) - uint64(min(c.A.Int, c.B.Int)))
	case Float64:
		if math.IsNaN(c.A.Float) || math.IsNaN(c.B.Float) { // in no set that phasegrid wrote
			return
		}
		c.Numbers = true
		c.Ulps = ulpsBetween(c.A.Float, c.B.Float)
		c.Abs = min(math.Abs(c.A.Float-c.B.Float), math.MaxFloat64) // finite, so that JSON has it
	}
}

// add counts a cell of the column.
func (d *ColumnDifference) add(c CellDifference) {
	e := &d.Example
	if d.Rows == 0 || c.Numbers && !e.Numbers || c.Ulps > e.Ulps || c.Ulps == e.Ulps && c.Abs > e.Abs {
		d.Example = c
	}
	d.Rows++
	if c.A.Null || c.B.Null {
		d.Nulls++
	}
	d.MaxUlps, d.MaxAbs = max(d.MaxUlps, c.Ulps), max(d.MaxAbs, c.Abs)
}

// ulpsBetween counts the float64 values from a to b, neither of which is NaN.
func ulpsBetween(a, b float64) uint64 {
	x, y := floatRank(a), floatRank(b)
	return uint64(max(x, y)) - uint64(min(x, y))
}

// floatRank numbers the float64 values in ascending order, with both zeros at 0.
func floatRank(x float64) int64 {
	bits := int64(math.Float64bits(x))
	if bits < 0 {
		return math.MinInt64 - bits
	}
	return bits
}
