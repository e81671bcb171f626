package results

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
)

// partVerifier reads one part of a set.
type partVerifier struct {
	*verifier
	part     int64
	last     int64 // last point seen, in this part or before
	byStatus map[string]int64
}

func (p *partVerifier) run(ctx context.Context) error {
	if err := p.points(ctx); err != nil {
		return err
	}
	for _, t := range []Table{Trajectories, Coefficients} {
		if p.schema.Has(t) {
			if err := p.steps(ctx, t); err != nil {
				return err
			}
		}
	}
	return p.log(ctx)
}

// errUnsound is the error for a file that is not there or was found to be bad.
var errUnsound = errors.New("not fit to be read")

// tryOpen opens the part's file of a table, if it is fit to be read and has the set's schema.
func (p *partVerifier) tryOpen(t Table) (*setFile, Problem, error) {
	name := PartName(t, p.part)
	if !slices.Contains(p.sound, name) {
		return nil, MissingFile, errUnsound
	}
	f, err := openFile(filepath.Join(p.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, Unreadable, err
	}
	if f.Table() != t || !slices.Equal(f.Columns(), p.schema.Columns(t)) ||
		f.SolverVersion() != p.schema.options.SolverVersion {
		f.Close()
		return nil, BadSchema, fmt.Errorf("not the columns or the solver version of %s", EmptyName(t))
	}
	return f, "", nil
}

// open is tryOpen with its findings reported; nil where there is no file to read.
func (p *partVerifier) open(t Table) *setFile {
	name := PartName(t, p.part)
	f, problem, err := p.tryOpen(t)
	if err != nil {
		if !errors.Is(err, errUnsound) { // reported before
			p.add(problem, name, "%v", err)
		}
		return nil
	}
	if want, ok := p.listed[name]; ok && f.Rows() != want.Rows {
		p.add(BadManifest, name, "%d rows; the manifest has %d", f.Rows(), want.Rows)
	}
	return f
}

// rows yields the rows of an open file; what cannot be read is a violation, and only ctx's end an
// error.
func (p *partVerifier) rows(ctx context.Context, f *setFile, columns ...string) iter.Seq[[]Cell] {
	return func(yield func([]Cell) bool) {
		for row, err := range f.Scan(ctx, columns...) {
			if err != nil {
				if ctx.Err() == nil {
					p.add(Unreadable, PartName(f.Table(), p.part), "%v", err)
				}
				return
			}
			if !yield(row) {
				return
			}
		}
	}
}

// points checks the points table against the indices that the part must hold.
func (p *partVerifier) points(ctx context.Context) error {
	f := p.open(Points)
	if f == nil {
		return ctx.Err()
	}
	defer f.Close()
	name, columns := PartName(Points, p.part), f.Columns()
	want := p.expectation()
	count := int64(0)
	representation := len(pointKey) + len(p.schema.parameters)
	for row := range p.rows(ctx, f) {
		point := row[0].Int
		switch {
		case point == p.last:
			p.add(DoubledRow, name, "point %d", point)
		case point <= p.last:
			p.add(WrongOrder, name, "point %d after %d", point, p.last)
		case !want.has(point):
			p.add(ForeignPoint, name, "point %d does not belong to the part", point)
		default:
			want.reach(point)
			count++
		}
		p.last = max(p.last, point)
		p.checkFloats(name, columns, row)
		r, status := row[representation].Text, row[representation+1].Text
		if !knownStatus([]byte(status)) || !knownRepresentation([]byte(r)) && status != StatusInvalid {
			p.add(UnknownWord, name, "point %d: status %.40q, representation %.40q", point, status, r)
		}
		p.byStatus[status]++
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	want.finish(count)
	return nil
}

// expectation is what a part must hold; it reports gaps as runs of points.
type expectation struct {
	p       *partVerifier
	part    *Part // nil: no manifest
	every   bool  // which indices are points is known
	next    int64 // first index not accounted for
	missing IndexRange
}

func (p *partVerifier) expectation() *expectation {
	e := &expectation{p: p}
	if p.manifest == nil {
		return e
	}
	if p.part >= int64(len(p.manifest.Parts)) {
		return e // the file is not in the manifest, and was reported
	}
	e.part = &p.manifest.Parts[p.part]
	e.next = e.part.First
	e.every = p.present != nil || e.part.Points+e.quarantined() == e.part.End-e.part.First
	return e
}

// quarantined counts the part's indices whose shards are quarantined.
func (e *expectation) quarantined() int64 {
	n := int64(0)
	for _, m := range e.p.manifest.Missing {
		n += max(0, min(m.End, e.part.End)-max(m.First, e.part.First))
	}
	return n
}

// has tells whether a point may be in the part.
func (e *expectation) has(point int64) bool {
	if e.part == nil {
		return e.p.present == nil || e.p.present(point)
	}
	return point >= e.part.First && point < e.part.End && e.isPoint(point)
}

func (e *expectation) isPoint(index int64) bool {
	for _, m := range e.p.manifest.Missing {
		if index >= m.First && index < m.End {
			return false
		}
	}
	return e.p.present == nil || e.p.present(index)
}

// reach accounts for the indices up to point, which has a row.
func (e *expectation) reach(point int64) {
	e.skip(point)
	e.next = point + 1
}

// skip reports the points before end that have no row.
func (e *expectation) skip(end int64) {
	if !e.every {
		return
	}
	for ; e.next < end; e.next++ {
		if !e.isPoint(e.next) {
			continue
		}
		if e.missing.End != e.next {
			e.flush()
			e.missing.First = e.next
		}
		e.missing.End = e.next + 1
	}
}

func (e *expectation) flush() {
	if e.missing.End > e.missing.First {
		e.p.add(
			MissingPoint,
			PartName(Points, e.p.part),
			"%d points in [%d, %d)",
			e.missing.End-e.missing.First,
			e.missing.First,
			e.missing.End,
		)
	}
	e.missing = IndexRange{}
}

func (e *expectation) finish(count int64) {
	if e.part == nil {
		return
	}
	e.skip(e.part.End)
	e.flush()
	if count != e.part.Points {
		e.p.add(BadManifest, PartName(Points, e.p.part), "%d points; the manifest has %d", count, e.part.Points)
	}
}

// steps checks that trajectories or coefficients rise by (point, step[, group]) and belong to
// points of the part.
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
			p.add(DoubledRow, name, "(point, step, group) %v", row)
		case !less(last, row):
			p.add(WrongOrder, name, "(point, step, group) %v after %v", row, last)
		case row[0] != last[0] || !seen:
			if seen = true; !known(row[0]) {
				p.add(ForeignPoint, name, "point %d has no row in the points table", row[0])
			}
		}
		if less(last, row) {
			last = row
		}
		p.checkFloats(name, columns, cells)
	}
	return ctx.Err()
}

// pointSet tells whether a point is in the part's points table; it must be asked in rising order.
func (p *partVerifier) pointSet(ctx context.Context) (known func(int64) bool, stop func()) {
	f, _, err := p.tryOpen(Points)
	if err != nil { // reported before; nothing can be said about its points
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

// log checks that the shards of the log rise and hold as many points as the part.
func (p *partVerifier) log(ctx context.Context) error {
	f := p.open(Shards)
	if f == nil {
		return ctx.Err()
	}
	defer f.Close()
	name, end, points := PartName(Shards, p.part), int64(0), int64(0)
	for row := range p.rows(ctx, f, "shard", "first", "end", "points") {
		if row[1].Int < end || row[2].Int <= row[1].Int {
			p.add(WrongOrder, name, "shard %d holds [%d, %d) after %d", row[0].Int, row[1].Int, row[2].Int, end)
		}
		end = max(end, row[2].Int)
		points += row[3].Int
	}
	if p.manifest != nil && p.part < int64(len(p.manifest.Parts)) && points != p.manifest.Parts[p.part].Points {
		p.add(BadManifest, name, "the log has %d points; the manifest %d", points, p.manifest.Parts[p.part].Points)
	}
	return ctx.Err()
}
