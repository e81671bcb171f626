package results

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// windowBytes bounds the rows of A that a comparison has in memory, about.
const windowBytes = 128 << 20

// Comparison compares a table of two result sets. Rows are matched by point_id, and by step and
// group where the table has them.
//
// A comparison reads A once, a window of rows at a time. For each window it reads those row groups
// of B that hold the counterparts: all together once where the points of both sets have the same
// order, and at worst all of B for each window. It keeps 28 bytes a point of A and 16 bytes a point
// in both sets while ids are matched, and after that 16 bytes a point in both sets and windowBytes.
// Garbage can double the memory of the process.
type Comparison struct {
	a, b    *Set
	table   Table
	columns []Column // compared
	window  int64    // bytes

	onlyA, onlyB, otherKind []string // columns that are not compared
}

// NewComparison returns the comparison of a table of two sets. columns are the names of those to be
// compared; without names, all that both sets have in the same type, except the key: a point may
// have another index in each set. It returns an error for a table or a named column that cannot be
// compared.
func NewComparison(a, b *Set, table Table, columns []string) (*Comparison, error) {
	c := &Comparison{a: a, b: b, table: table, window: windowBytes}
	if table > Coefficients {
		return nil, fmt.Errorf("results: compare %s: want points, trajectories or coefficients", table)
	}
	for _, s := range []*Set{a, b} {
		if !s.schema.Has(table) {
			return nil, fmt.Errorf("results: compare %s: %s does not have the table", table, s.dir)
		}
	}
	if len(columns) > 0 {
		if err := c.choose(columns); err != nil {
			return nil, err
		}
		return c, nil
	}
	key := slices.Concat(keyColumns(table), []string{"point_id"})
	for _, column := range a.schema.Columns(table) {
		other, ok := columnNamed(b, table, column.Name)
		switch {
		case !ok:
			c.onlyA = append(c.onlyA, column.Name)
		case other.Kind != column.Kind:
			c.otherKind = append(c.otherKind, column.Name)
		case !slices.Contains(key, column.Name):
			c.columns = append(c.columns, column)
		}
	}
	for _, column := range b.schema.Columns(table) {
		if _, ok := columnNamed(a, table, column.Name); !ok {
			c.onlyB = append(c.onlyB, column.Name)
		}
	}
	return c, nil
}

// choose sets the columns to be compared.
func (c *Comparison) choose(names []string) error {
	var errs []error
	for i, name := range names {
		column, inA := columnNamed(c.a, c.table, name)
		other, inB := columnNamed(c.b, c.table, name)
		switch {
		case slices.Contains(names[:i], name):
		case !inA || !inB:
			s := c.a
			if inA {
				s = c.b
			}
			errs = append(errs, fmt.Errorf("results: compare %s: %s has no column %s; see phasegrid columns",
				c.table, s.dir, name))
		case column.Kind != other.Kind:
			errs = append(
				errs,
				fmt.Errorf("results: compare %s: column %s has type %s in %s and %s in %s",
					c.table, name, column.Kind, c.a.dir, other.Kind, c.b.dir),
			)
		default:
			c.columns = append(c.columns, column)
		}
	}
	return errors.Join(errs...)
}

func columnNamed(s *Set, t Table, name string) (Column, bool) {
	columns := s.schema.Columns(t)
	if i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name }); i >= 0 {
		return columns[i], true
	}
	return Column{}, false
}

// Run compares the rows. The result has the cells of the first limit rows that differ.
func (c *Comparison) Run(ctx context.Context, limit int) (*Difference, error) {
	pairs, err := pairPoints(ctx, c.a, c.b)
	if err != nil {
		return nil, err
	}
	rowsA, err := c.a.rows(c.table)
	if err != nil {
		return nil, err
	}
	rowsB, err := c.b.rows(c.table)
	if err != nil {
		return nil, err
	}
	r := newComparer(c, pairs, rowsA, limit)
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	d := r.found
	d.ColumnsA, d.ColumnsB, d.OtherKind = c.onlyA, c.onlyB, c.otherKind
	both := d.Equal + d.Differing
	d.OnlyA, d.OnlyB = rowsA-both, rowsB-both
	return d, nil
}

// comparer is one run of a Comparison.
type comparer struct {
	a, b     *Set
	table    Table
	keyNames []string
	names    []string // of the columns that are read: those of the key, then the compared ones
	pairs    []pair
	rows     *window        // of A
	shown    []differingRow // the first limit ones, ascending
	limit    int
	found    *Difference
}

// differingRow is a row of which cells differ; its key is that of A.
type differingRow struct {
	key   rowKey
	cells []CellDifference
}

func newComparer(c *Comparison, pairs []pair, rowsA int64, limit int) *comparer {
	r := &comparer{
		a: c.a, b: c.b, table: c.table, keyNames: keyColumns(c.table),
		pairs: pairs, limit: limit,
		found: &Difference{Table: c.table},
	}
	r.names = slices.Clone(r.keyNames)
	var kinds []Kind
	for _, column := range c.columns {
		r.names = append(r.names, column.Name)
		kinds = append(kinds, column.Kind)
		r.found.Columns = append(r.found.Columns, ColumnDifference{Column: column})
	}
	r.rows = newWindow(kinds, c.window, rowsA)
	return r
}

// run compares all rows.
func (r *comparer) run(ctx context.Context) error {
	order := rowOrder{set: r.a, table: r.table}
	for row, err := range r.a.Scan(ctx, r.table, r.names...) {
		if err != nil {
			return err
		}
		key := keyOf(row[:len(r.keyNames)])
		if err := order.next(key); err != nil {
			return err
		}
		r.rows.add(key, row[len(r.keyNames):])
		if !r.rows.full() {
			continue
		}
		if err := r.compareWindow(ctx); err != nil {
			return err
		}
		r.rows.reset()
	}
	if err := r.compareWindow(ctx); err != nil {
		return err
	}
	for _, row := range r.shown {
		r.found.Cells = append(r.found.Cells, row.cells...)
	}
	return r.identify(ctx)
}

// compareWindow compares the rows in memory with their counterparts in B.
func (r *comparer) compareWindow(ctx context.Context) error {
	next, last := r.counterparts()
	if next > last {
		return nil
	}
	highest := r.pairs[last].b
	order, guess := rowOrder{set: r.b, table: r.table}, 0
	for row, err := range r.b.scanPoints(ctx, r.table, r.pairs[next].b, highest, r.names...) {
		if err != nil {
			return err
		}
		key := keyOf(row[:len(r.keyNames)])
		if err := order.next(key); err != nil {
			return err
		}
		if key[0] > highest {
			break
		}
		for next < last && r.pairs[next].b < key[0] {
			next++
		}
		if r.pairs[next].b != key[0] {
			continue
		}
		keyA := rowKey{r.pairs[next].a, key[1], key[2]}
		if i, ok := r.rows.find(keyA, guess); ok {
			r.compareRow(i, key, row[len(r.keyNames):])
			guess = i + 1
		}
	}
	return nil
}

// counterparts returns the first and the last of the pairs that hold points in memory; first is
// above last where there is none.
func (r *comparer) counterparts() (first, last int) {
	first, last = len(r.pairs), -1
	if len(r.rows.keys) == 0 {
		return first, last
	}
	low, high := r.rows.keys[0][0], r.rows.keys[len(r.rows.keys)-1][0]
	for i, p := range r.pairs {
		if p.a >= low && p.a <= high {
			first, last = min(first, i), i
		}
	}
	return first, last
}

// compareRow compares a row in memory with its counterpart.
func (r *comparer) compareRow(i int, keyB rowKey, cells []Cell) {
	key := r.rows.keys[i]
	at, _ := slices.BinarySearchFunc(r.shown, key, func(s differingRow, key rowKey) int {
		return slices.Compare(s.key[:], key[:])
	})
	differs, shown := false, differingRow{key: key}
	for j, b := range cells {
		column := &r.found.Columns[j]
		a := r.rows.columns[j].cell(i)
		if equalCells(column.Column.Kind, a, b) {
			continue
		}
		differs = true
		c := CellDifference{
			PointA: key[0], PointB: keyB[0], Step: key[1], Group: key[2],
			Column: column.Column, A: a, B: b,
		}
		c.measure()
		column.add(c)
		if at < r.limit {
			shown.cells = append(shown.cells, c)
		}
	}
	switch {
	case !differs:
		r.found.Equal++
		return
	case at < r.limit:
		r.shown = slices.Insert(r.shown, at, shown)
		r.shown = r.shown[:min(len(r.shown), r.limit)]
	}
	r.found.Differing++
}

// identify fills in the point ids of the cells that were found.
func (r *comparer) identify(ctx context.Context) error {
	var cells []*CellDifference
	for i := range r.found.Cells {
		cells = append(cells, &r.found.Cells[i])
	}
	for i := range r.found.Columns {
		if r.found.Columns[i].Rows > 0 {
			cells = append(cells, &r.found.Columns[i].Example)
		}
	}
	ids := map[int64]string{}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, c := range cells {
		ids[c.PointA] = ""
		low, high = min(low, c.PointA), max(high, c.PointA)
	}
	for row, err := range r.a.scanPoints(ctx, Points, low, high, "point", "point_id") {
		if err != nil {
			return err
		}
		if _, ok := ids[row[0].Int]; ok {
			ids[row[0].Int] = row[1].Text
		}
	}
	for _, c := range cells {
		c.PointID = ids[c.PointA]
	}
	return nil
}

// rowOrder checks that the rows of a table ascend.
type rowOrder struct {
	set   *Set
	table Table
	last  rowKey
	any   bool
}

func (o *rowOrder) next(key rowKey) error {
	if o.any && !less(o.last, key) {
		return damaged(
			o.set, o.table, fmt.Errorf("(point, step, group) %v after %v: rows are out of order", key, o.last),
		)
	}
	o.last, o.any = key, true
	return nil
}
