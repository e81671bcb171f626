package results

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
)

// partVerifier verifies one part of a set.
type partVerifier struct {
	set      *verifier
	part     int64
	last     int64 // last point seen, in this part or an earlier one
	byStatus map[string]int64
}

// run verifies the tables of the part. It returns errors of ctx only.
func (p *partVerifier) run(ctx context.Context) error {
	if err := p.points(ctx); err != nil {
		return err
	}
	for _, t := range []Table{Trajectories, Coefficients} {
		if p.set.schema.Has(t) {
			if err := p.steps(ctx, t); err != nil {
				return err
			}
		}
	}
	return p.log(ctx)
}

// errReported is the error for a file that is missing or bad, which was reported before.
var errReported = errors.New("file is missing or bad")

// tryOpen opens the part's file of a table if it is readable and has the set's schema.
func (p *partVerifier) tryOpen(t Table) (*setFile, ViolationKind, error) {
	name := PartName(t, p.part)
	if !slices.Contains(p.set.readable, name) {
		return nil, MissingFile, errReported
	}
	f, err := openFile(filepath.Join(p.set.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, Unreadable, err
	}
	if f.Table() != t || !slices.Equal(f.Columns(), p.set.schema.Columns(t)) ||
		f.Solver() != p.set.schema.options.Solver {
		f.Close()
		return nil, BadSchema, fmt.Errorf("columns or solver differ from %s", EmptyName(t))
	}
	return f, "", nil
}

// open is tryOpen that reports violations; it returns nil if there is no file to read.
func (p *partVerifier) open(t Table) *setFile {
	name := PartName(t, p.part)
	f, kind, err := p.tryOpen(t)
	if err != nil {
		if !errors.Is(err, errReported) {
			p.set.add(kind, name, "%v", err)
		}
		return nil
	}
	if want, ok := p.set.listed[name]; ok && f.Rows() != want.Rows {
		p.set.add(BadManifest, name, "got %d rows, the manifest has %d", f.Rows(), want.Rows)
	}
	return f
}

// listed returns the part's entry in the manifest, nil if there is none.
func (p *partVerifier) listed() *Part {
	if m := p.set.manifest; m != nil && p.part < int64(len(m.Parts)) {
		return &m.Parts[p.part]
	}
	return nil
}

// rows yields the rows of a file up to the first that cannot be read, which is a violation unless
// ctx has ended.
func (p *partVerifier) rows(ctx context.Context, f *setFile, columns ...string) iter.Seq[[]Cell] {
	return func(yield func([]Cell) bool) {
		for row, err := range f.Scan(ctx, columns...) {
			if err != nil {
				if ctx.Err() == nil {
					p.set.add(Unreadable, PartName(f.Table(), p.part), "%v", err)
				}
				return
			}
			if !yield(row) {
				return
			}
		}
	}
}

// points checks the points table against the points that the part must have.
func (p *partVerifier) points(ctx context.Context) error {
	f := p.open(Points)
	if f == nil {
		return ctx.Err()
	}
	defer f.Close()
	name, columns := PartName(Points, p.part), f.Columns()
	want := newCoverage(p)
	count := int64(0)
	representation := len(pointKey) + len(p.set.schema.parameters)
	for row := range p.rows(ctx, f) {
		point := row[0].Int
		switch {
		case point == p.last:
			p.set.add(DuplicateRow, name, "point %d", point)
		case point <= p.last:
			p.set.add(WrongOrder, name, "point %d after %d", point, p.last)
		case !want.has(point):
			p.set.add(ForeignPoint, name, "point %d does not belong to the part", point)
		default:
			want.add(point)
			count++
		}
		p.last = max(p.last, point)
		p.set.checkFloats(name, columns, row)
		r, status := row[representation].Text, row[representation+1].Text
		if !knownStatus([]byte(status)) || !knownRepresentation([]byte(r)) && status != StatusInvalid {
			p.set.add(UnknownWord, name, "point %d: status %.40q, representation %.40q", point, status, r)
		}
		p.byStatus[status]++
		p.identity(name, row)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	want.finish(count)
	return nil
}

// identity checks that a row has the point_id and the parameters of its point.
func (p *partVerifier) identity(name string, row []Cell) {
	if p.set.identity == nil {
		return
	}
	want, ok := p.set.identity(row[0].Int)
	if !ok {
		return // a foreign point, or none of which the manifest knows
	}
	cell := func(k int) Cell { return row[k] }
	if _, before4 := p.set.schema.options.Solver.BeforeIdentities(); before4 {
		// Their point_ids lack parameters that came later, and cannot be computed again.
		id := Cell{Text: hex.EncodeToString(want.PointID[:])}
		cell = func(k int) Cell {
			if k == 1 {
				return id
			}
			return row[k]
		}
	}
	if err := p.set.schema.compareIdentity(want, cell); err != nil {
		p.set.add(WrongPoint, name, "point %d: %v", row[0].Int, err)
	}
}

// steps checks that trajectories or coefficients are in order of (point, step[, group]) and belong
// to points of the part.
func (p *partVerifier) steps(ctx context.Context, t Table) error {
	f := p.open(t)
	if f == nil {
		return ctx.Err()
	}
	defer f.Close()
	name, columns := PartName(t, p.part), f.Columns()
	known, stop := p.pointSet(ctx)
	defer stop()
	last, seen := [3]int64{-1, -1, -1}, false
	for cells := range p.rows(ctx, f) {
		row := [3]int64{cells[0].Int, cells[1].Int}
		if t == Coefficients {
			row[2] = cells[2].Int
		}
		switch {
		case row == last:
			p.set.add(DuplicateRow, name, "(point, step, group) %v", row)
		case !less(last, row):
			p.set.add(WrongOrder, name, "(point, step, group) %v after %v", row, last)
		case row[0] != last[0] || !seen:
			if seen = true; !known(row[0]) {
				p.set.add(ForeignPoint, name, "point %d has no row in the points table", row[0])
			}
		}
		if less(last, row) {
			last = row
		}
		p.set.checkFloats(name, columns, cells)
	}
	return ctx.Err()
}

// pointSet returns a function that reports whether a point is in the part's points table; calls
// must be in rising order.
func (p *partVerifier) pointSet(ctx context.Context) (known func(int64) bool, stop func()) {
	f, _, err := p.tryOpen(Points)
	if err != nil { // reported before; its points are unknown
		return func(int64) bool { return true }, func() {}
	}
	next, stopRows := iter.Pull(p.rows(ctx, f, "point"))
	current, ok := int64(-1), true
	known = func(point int64) bool {
		for ok && current < point {
			var row []Cell
			if row, ok = next(); ok {
				current = max(current, row[0].Int)
			}
		}
		return ok && current == point
	}
	return known, func() {
		stopRows()
		f.Close()
	}
}

// log checks that the shards of the log are in order and have as many points as the part.
func (p *partVerifier) log(ctx context.Context) error {
	f := p.open(Shards)
	if f == nil {
		return ctx.Err()
	}
	defer f.Close()
	name, end, points := PartName(Shards, p.part), int64(0), int64(0)
	for row := range p.rows(ctx, f, "shard", "first", "end", "points") {
		if row[1].Int < end || row[2].Int <= row[1].Int {
			p.set.add(
				WrongOrder, name, "shard %d has indices [%d, %d) after %d", row[0].Int, row[1].Int, row[2].Int, end,
			)
		}
		end = max(end, row[2].Int)
		points += row[3].Int
	}
	if listed := p.listed(); listed != nil && points != listed.Points {
		p.set.add(BadManifest, name, "the log has %d points, the manifest %d", points, listed.Points)
	}
	return ctx.Err()
}
