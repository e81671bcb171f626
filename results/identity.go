package results

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/phasegrid/phasegrid/sweep"
)

const (
	// maxChecked is the number of points up to which the identity of each point of a delivery is
	// checked: resolving a point takes microseconds, while a shard may have a million points.
	maxChecked = 1024
	// drawnRows is the number of rows that are checked in larger deliveries.
	drawnRows = 64
)

// Identify sets what is known of a row before its point is solved: index, point_id, the values of
// the parameters, the representation and warnings about the learning rate. All of it follows from
// the sweep file and the solver. The cells of the parameters are reused.
func (r *PointRow) Identify(p *sweep.Point, parameters []sweep.ParameterID, solver sweep.SolverIdentity) {
	cells := r.Parameters[:0]
	for _, id := range parameters {
		cells = append(cells, parameterCell(p.Params[id]))
	}
	*r = PointRow{
		Point: p.Index, PointID: sweep.PointID(p.Params, solver), Parameters: cells,
		Representation: p.Params[sweep.Representation].Text(),
		UnstableStep:   p.UnstableStep, ResonantStep: p.ResonantStep, InputStableRank: math.NaN(),
	}
}

// Identity returns what Identify sets in the row of a point; ok is false if the index is no point
// of the sweep.
type Identity func(point int64) (row PointRow, ok bool)

// IdentityOf returns the identities of the points of a sweep. It is safe for concurrent use.
func IdentityOf(spec *sweep.Spec, solver sweep.SolverIdentity) Identity {
	parameters := SweepParameters(spec)
	return func(point int64) (row PointRow, ok bool) {
		p, ok := spec.Point(point)
		if ok {
			row.Identify(&p, parameters, solver)
		}
		return row, ok
	}
}

// checkIdentity compares point_id, parameters and representation of a delivery's rows with those
// that follow from the sweep: of all rows, or of some that nobody can predict.
func (s *Schema) checkIdentity(shard *Shard, identity Identity) error {
	if identity == nil {
		return nil
	}
	checked := func(int64) bool { return true }
	if shard.Points > maxChecked {
		drawn := make([]int64, drawnRows)
		for i := range drawn {
			drawn[i] = rand.Int64N(shard.Points) // the runtime seeds it from the system's entropy
		}
		checked = func(row int64) bool { return slices.Contains(drawn, row) }
	}
	row := int64(0)
	for _, b := range shard.tables[Points] {
		for i, point := range b.columns[0].ints {
			if checked(row) {
				want, _ := identity(point)
				cell := func(k int) Cell { return b.columns[k].cell(s.tables[Points][k].Kind, i) }
				if err := s.compareIdentity(want, cell); err != nil {
					return reject(OtherPoint, "point %d: %v", point, err)
				}
			}
			row++
		}
	}
	return nil
}

// compareIdentity compares a row of the points table, of which cell returns column k.
func (s *Schema) compareIdentity(want PointRow, cell func(k int) Cell) error {
	columns := s.tables[Points]
	if len(want.Parameters) != len(s.parameters) {
		return fmt.Errorf("got %d parameters, want %d", len(s.parameters), len(want.Parameters))
	}
	cells := append([]Cell{{Text: hex.EncodeToString(want.PointID[:])}}, want.Parameters...)
	cells = append(cells, Cell{Text: want.Representation})
	for i, w := range cells {
		c := columns[1+i]
		if got, w := cell(1+i), asStored(w, c); !equalCells(c.Kind, got, w) {
			return fmt.Errorf("%s: got %s, want %s", c.Name, c.Kind.format(got), c.Kind.format(w))
		}
	}
	return nil
}

// asStored returns a cell as its column stores it: empty texts and floats that are not finite are
// null.
func asStored(c Cell, column Column) Cell {
	switch {
	case c.Null,
		column.Kind == Float64 && c.Float-c.Float != 0,
		column.Kind == String && c.Text == "" && column.Nullable:
		return Cell{Null: true}
	}
	return c
}

// format formats a cell for an error.
func (k Kind) format(c Cell) string {
	switch {
	case c.Null:
		return "null"
	case k == Float64:
		return fmt.Sprint(c.Float)
	case k == String:
		return fmt.Sprintf("%.80q", c.Text)
	case k == Bool:
		return fmt.Sprint(c.Bool)
	}
	return fmt.Sprint(c.Int)
}
