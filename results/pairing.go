package results

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
)

// pair is a point of a set A and the point of a set B that has the same id.
type pair struct{ a, b int64 }

// pointIndex finds the points of a set by id. It takes 28 bytes a point.
type pointIndex struct {
	entries []pointEntry // ascending by (id, point)
	taken   []uint32     // of the first entry of each id: how many of its points have been taken
}

type pointEntry struct {
	id    [2]uint64
	point int64
}

// pairPoints matches the points of two sets by id, in ascending order of the points of b. An id
// that several points of a set have, as they do along an axis without effect, is matched in their
// order: the first point in A with the first in B.
func pairPoints(ctx context.Context, a, b *Set) ([]pair, error) {
	index, err := indexPoints(ctx, a)
	if err != nil {
		return nil, err
	}
	rows, err := b.rows(Points)
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, 0, min(rows, int64(len(index.entries))))
	last := int64(-1)
	for row, err := range b.Scan(ctx, Points, "point", "point_id") {
		if err != nil {
			return nil, err
		}
		entry, err := readEntry(row)
		if err == nil && entry.point <= last {
			err = fmt.Errorf("point %d after %d: rows are out of order", entry.point, last)
		}
		if err != nil {
			return nil, damaged(b, Points, err)
		}
		last = entry.point
		if point, ok := index.take(entry.id); ok {
			pairs = append(pairs, pair{a: point, b: entry.point})
		}
	}
	return pairs, nil
}

func indexPoints(ctx context.Context, s *Set) (*pointIndex, error) {
	rows, err := s.rows(Points)
	if err != nil {
		return nil, err
	}
	entries := make([]pointEntry, 0, rows)
	for row, err := range s.Scan(ctx, Points, "point", "point_id") {
		if err != nil {
			return nil, err
		}
		entry, err := readEntry(row)
		if err != nil {
			return nil, damaged(s, Points, err)
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(x, y pointEntry) int {
		return cmp.Or(compareIDs(x.id, y.id), cmp.Compare(x.point, y.point))
	})
	return &pointIndex{entries: entries, taken: make([]uint32, len(entries))}, nil
}

// take returns the first point with the id that has not been taken before.
func (x *pointIndex) take(id [2]uint64) (point int64, ok bool) {
	first := sort.Search(len(x.entries), func(i int) bool { return compareIDs(x.entries[i].id, id) >= 0 })
	if first == len(x.entries) {
		return 0, false
	}
	i := first + int(x.taken[first])
	if i == len(x.entries) || x.entries[i].id != id {
		return 0, false
	}
	x.taken[first]++
	return x.entries[i].point, true
}

func compareIDs(x, y [2]uint64) int {
	return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
}

// readEntry takes the cells of point and point_id.
func readEntry(row []Cell) (pointEntry, error) {
	id, err := hex.DecodeString(row[1].Text)
	if err != nil || len(id) != 16 {
		return pointEntry{}, fmt.Errorf("point %d: got point_id %.40q, want 32 hex digits", row[0].Int, row[1].Text)
	}
	return pointEntry{
		id:    [2]uint64{binary.BigEndian.Uint64(id), binary.BigEndian.Uint64(id[8:])},
		point: row[0].Int,
	}, nil
}

// damaged is the error for a table of a set that cannot be compared as it is.
func damaged(s *Set, t Table, err error) error {
	return fmt.Errorf("results: compare %s of %s: %w; check the set with phasegrid verify", t, s.dir, err)
}
