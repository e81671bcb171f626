package results_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// setRows are the rows of a set: points by ascending index, and the steps of each.
type setRows struct {
	points []results.PointRow
	steps  map[int64][]results.TrajectoryRow // by point
}

// sampleRows are the rows of sample points, in the order given; their indices count from first.
func sampleRows(first int64, samples ...int64) *setRows {
	s := &setRows{steps: map[int64][]results.TrajectoryRow{}}
	for i, sample := range samples {
		p := samplePoint(sample)
		p.Point = first + int64(i)
		s.points = append(s.points, p)
		for k := range int64(3) {
			row := sampleTrajectory(sample, k)
			row.Point = p.Point
			s.steps[p.Point] = append(s.steps[p.Point], row)
		}
	}
	return s
}

// write makes a set of the rows, with parts of partPoints points and two coefficients a step.
func (s *setRows) write(t testing.TB, schema *results.Schema, partPoints int) *results.Set {
	t.Helper()
	f := newFolder(t, schema)
	for part := range slices.Chunk(s.points, partPoints) {
		b := schema.NewBuilder()
		for _, p := range part {
			f.check(b.AddPoint(p))
			for _, row := range s.steps[p.Point] {
				if !schema.Has(results.Trajectories) {
					continue
				}
				f.check(b.AddTrajectory(row))
				for g := range int64(2) {
					f.check(b.AddCoefficient(results.CoefficientRow{Point: p.Point, Step: row.Step, Group: g,
						Multiplicity: 1, Eigenvalue: 2, Coefficient: row.SignalCoefficient + float64(g)}))
				}
			}
		}
		d, err := b.Encode()
		f.check(err)
		b.Release()
		first, end := f.manifest.Indices, part[len(part)-1].Point+1
		f.part([]results.Source{{
			Expectation: results.Expectation{First: first, End: end, Points: int64(len(part))},
			Open:        func(context.Context) (results.Delivery, error) { return d, nil },
		}})
		f.manifest.Parts[len(f.manifest.Parts)-1].Points = int64(len(part))
	}
	f.finish()
	set, err := results.OpenSet(f.dir)
	f.check(err)
	return set
}

func compare(t testing.TB, a, b *results.Set, table results.Table, limit int, columns ...string) *results.Difference {
	t.Helper()
	c, err := results.NewComparison(a, b, table, columns)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Run(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func upTo(n int64) (all []int64) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func columnDifference(t *testing.T, d *results.Difference, name string) results.ColumnDifference {
	t.Helper()
	for _, c := range d.Columns {
		if c.Column.Name == name {
			return c
		}
	}
	t.Fatalf("column %s was not compared", name)
	panic("unreachable")
}

func TestEqualRowsInOtherPartsAreEqual(t *testing.T) {
	schema := sampleSchema(t)
	a := sampleRows(0, upTo(200)...).write(t, schema, 70)
	b := sampleRows(0, upTo(200)...).write(t, schema, 200)
	for table, rows := range map[results.Table]int64{
		results.Points: 200, results.Trajectories: 600, results.Coefficients: 1200,
	} {
		d := compare(t, a, b, table, 10)
		if !d.Same() || d.Equal != rows || len(d.Cells) > 0 {
			t.Errorf("%s: %+v", table, d)
		}
		for _, c := range d.Columns {
			if c.Rows > 0 || c.Nulls > 0 || c.MaxUlps > 0 || c.MaxAbs > 0 {
				t.Errorf("%s: %+v", table, c)
			}
		}
	}
}

func TestDifferencesAreCountedByColumn(t *testing.T) {
	schema := sampleSchema(t)
	rowsA, rowsB := sampleRows(0, upTo(110)...), sampleRows(0, upTo(110)...)
	rowsA.points = rowsA.points[:105] // 5 rows only in B
	rowsB.points = rowsB.points[3:]   // 3 rows only in A
	row := func(i int) *results.PointRow { return &rowsB.points[i-3] }
	a8, a9 := rowsA.points[8].SignalEnergy, rowsA.points[9].SignalEnergy
	row(8).SignalEnergy = math.Nextafter(math.Nextafter(a8, 2), 2)
	row(9).SignalEnergy = math.Nextafter(a9, 2)
	row(10).SignalEnergy = math.NaN() // null
	row(9).Status = results.StatusFailed
	row(20).StepsRun += 7
	row(21).StepsRun = -1 // null
	row(22).UnstableStep = !row(22).UnstableStep
	a, b := rowsA.write(t, schema, 40), rowsB.write(t, schema, 60)
	d := compare(t, a, b, results.Points, 3)
	if d.Same() || d.OnlyA != 3 || d.OnlyB != 5 || d.Equal != 96 || d.Differing != 6 {
		t.Errorf("%+v", d)
	}
	energy := columnDifference(t, d, "signal_energy")
	if energy.Rows != 3 || energy.Nulls != 1 || energy.MaxUlps != 2 || energy.MaxAbs != row(8).SignalEnergy-a8 {
		t.Errorf("%+v", energy)
	}
	if e := energy.Example; e.PointA != 8 || e.Ulps != 2 || e.A.Float != a8 || e.B.Float != row(8).SignalEnergy ||
		e.PointID != fmt.Sprintf("%x", row(8).PointID) {
		t.Errorf("%+v", e)
	}
	run := columnDifference(t, d, "steps_run")
	if run.Rows != 2 || run.Nulls != 1 || run.MaxUlps != 0 || run.MaxAbs != 7 || run.Example.PointA != 20 {
		t.Errorf("%+v", run)
	}
	for name, point := range map[string]int64{"status": 9, "unstable_step": 22} {
		if c := columnDifference(t, d, name); c.Rows != 1 || c.Nulls != 0 || c.Example.Numbers ||
			c.Example.PointA != point {
			t.Errorf("%+v", c)
		}
	}
	var cells []string
	for _, c := range d.Cells {
		cells = append(cells, fmt.Sprint(c.PointA, " ", c.Column.Name))
	}
	want := []string{"8 signal_energy", "9 status", "9 signal_energy", "10 signal_energy"}
	if !slices.Equal(cells, want) {
		t.Errorf("cells %q, want %q", cells, want)
	}
	d = compare(t, a, b, results.Points, 0, "loss", "steps_run")
	if len(d.Cells) > 0 || len(d.Columns) != 2 || d.Differing != 2 {
		t.Errorf("two columns: %+v", d)
	}
}

func TestStepsAreMatchedByTheIDsOfTheirPoints(t *testing.T) {
	schema := sampleSchema(t)
	// The same points in reverse order, so with other indices.
	samples := upTo(90)
	slices.Reverse(samples)
	rowsA, rowsB := sampleRows(0, upTo(90)...), sampleRows(6, samples...)
	changed := &rowsB.steps[6+89-7][1] // step 7 of sample 7
	changed.SignalCoefficient = math.Nextafter(changed.SignalCoefficient, math.Inf(1))
	rowsB.steps[6] = rowsB.steps[6][:2] // sample 89 has no step 14 in B
	a, b := rowsA.write(t, schema, 40), rowsB.write(t, schema, 31)
	for table, groups := range map[results.Table]int64{results.Trajectories: 1, results.Coefficients: 2} {
		d := compare(t, a, b, table, 10)
		if d.OnlyA != groups || d.OnlyB != 0 || d.Differing != groups || d.Equal != 90*3*groups-2*groups {
			t.Errorf("%s: %+v", table, d)
		}
		if c := d.Cells[0]; int64(len(d.Cells)) != groups || c.PointA != 7 || c.PointB != 88 || c.Step != 7 ||
			c.PointID != fmt.Sprintf("%x", samplePoint(7).PointID) {
			t.Errorf("%s: %+v", table, d.Cells)
		}
	}
	if d := compare(t, a, b, results.Points, 10); !d.Same() {
		t.Errorf("points: %+v", d)
	}
	if d := compare(t, a, b, results.Points, 10, "point"); d.Differing != 90 { // only where it is named
		t.Errorf("index: %+v", d)
	}
}

// TestComparisonAgreesWithAReference compares random sets, with permuted points and ids that occur
// several times, by windows of every size.
func TestComparisonAgreesWithAReference(t *testing.T) {
	schema := sampleSchema(t)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		rowsA, rowsB := randomRows(r), randomRows(r)
		a, b := rowsA.write(t, schema, 10+r.IntN(40)), rowsB.write(t, schema, 10+r.IntN(40))
		limit := r.IntN(20)
		want := referenceDifference(rowsA, rowsB, limit)
		for _, window := range []int64{1, 500, 1 << 30} {
			c, err := results.NewComparison(a, b, results.Points, []string{"loss"})
			if err != nil {
				t.Fatal(err)
			}
			c.SetWindow(window)
			d, err := c.Run(t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(d); got != want {
				t.Errorf("seed %d, window %d:\n got %s\nwant %s", seed, window, got, want)
			}
		}
	}
}

// randomRows are points of few ids, some of them several times, with few values of the loss.
func randomRows(r *rand.Rand) *setRows {
	samples := make([]int64, 1+r.IntN(100))
	for i := range samples {
		samples[i] = r.Int64N(60)
	}
	if r.IntN(2) == 0 {
		slices.Sort(samples)
	}
	rows := sampleRows(r.Int64N(10), samples...)
	for i := range rows.points {
		rows.points[i].Loss = 1 + float64(r.IntN(3))*0x1p-52
		if r.IntN(5) == 0 {
			rows.points[i].Loss = math.NaN()
		}
	}
	return rows
}

// referenceDifference is what describe says of a comparison of the losses.
func referenceDifference(a, b *setRows, limit int) string {
	type occurrence struct {
		id [16]byte
		n  int
	}
	inB, seen := map[occurrence]results.PointRow{}, map[[16]byte]int{}
	for _, p := range b.points {
		inB[occurrence{p.PointID, seen[p.PointID]}] = p
		seen[p.PointID]++
	}
	clear(seen)
	d := &results.Difference{OnlyB: int64(len(b.points)), Columns: make([]results.ColumnDifference, 1)}
	for _, p := range a.points {
		q, ok := inB[occurrence{p.PointID, seen[p.PointID]}]
		seen[p.PointID]++
		if !ok {
			d.OnlyA++
			continue
		}
		d.OnlyB--
		nulls := math.IsNaN(p.Loss) != math.IsNaN(q.Loss)
		if p.Loss == q.Loss || math.IsNaN(p.Loss) && math.IsNaN(q.Loss) {
			d.Equal++
			continue
		}
		column := &d.Columns[0]
		d.Differing++
		column.Rows++
		if nulls {
			column.Nulls++
		} else {
			column.MaxUlps = max(column.MaxUlps, uint64(math.Round(math.Abs(p.Loss-q.Loss)*0x1p52)))
			column.MaxAbs = max(column.MaxAbs, math.Abs(p.Loss-q.Loss))
		}
		if len(d.Cells) < limit {
			d.Cells = append(d.Cells, results.CellDifference{
				PointA: p.Point, PointB: q.Point, PointID: fmt.Sprintf("%x", p.PointID),
			})
		}
	}
	return describe(d)
}

func describe(d *results.Difference) string {
	c := d.Columns[0]
	text := fmt.Sprint(d.OnlyA, d.OnlyB, d.Equal, d.Differing, c.Rows, c.Nulls, c.MaxUlps, c.MaxAbs)
	for _, cell := range d.Cells {
		text += fmt.Sprintf(" %d %d %s", cell.PointA, cell.PointB, cell.PointID)
	}
	return text
}

func TestColumnsOfOneSetAreNamed(t *testing.T) {
	schema := sampleSchema(t)
	parameters := slices.Clone(sampleParameters)
	parameters[4].Name = "exponent"      // for anisotropy
	parameters[3].Kind = results.Float64 // steps
	other, err := results.NewSchema(parameters, results.Options{Solver: sweep.BuiltinSolver(3)})
	if err != nil {
		t.Fatal(err)
	}
	rows := sampleRows(0, upTo(30)...)
	a, b := rows.write(t, schema, 30), rows.write(t, other, 30)
	d := compare(t, a, b, results.Points, 10)
	if !d.Same() || d.Equal != 30 || !slices.Equal(d.ColumnsA, []string{"anisotropy"}) ||
		!slices.Equal(d.ColumnsB, []string{"exponent"}) || !slices.Equal(d.OtherKind, []string{"steps"}) {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		table   results.Table
		columns []string
		want    []string
	}{
		{results.Points, []string{"anisotropy"}, []string{b.Dir(), "no column anisotropy"}},
		{results.Points, []string{"exponent"}, []string{a.Dir(), "no column exponent"}},
		{results.Points, []string{"loss", "steps"},
			[]string{"column steps has type int64 in " + a.Dir() + " and float64 in " + b.Dir()}},
		{results.Trajectories, nil, []string{b.Dir(), "does not have the table"}},
		{results.Shards, nil, []string{"want points, trajectories or coefficients"}},
	} {
		_, err := results.NewComparison(a, b, c.table, c.columns)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %v: error %v, want %q in it", c.table, c.columns, err, want)
			}
		}
	}
}

func TestComparisonOfRowsOutOfOrderIsAnError(t *testing.T) {
	schema := sampleSchema(t)
	a := sampleRows(0, upTo(30)...).write(t, schema, 30)
	rows := sampleRows(0, upTo(30)...)
	b := rows.write(t, schema, 10)
	first, second := filepath.Join(
		b.Dir(),
		results.PartName(results.Points, 0),
	), filepath.Join(
		b.Dir(),
		results.PartName(results.Points, 1),
	)
	if err := os.Rename(first, first+"x"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(second, first); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(first+"x", second); err != nil {
		t.Fatal(err)
	}
	for _, sets := range [][2]*results.Set{{a, b}, {b, a}} {
		c, err := results.NewComparison(sets[0], sets[1], results.Points, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Run(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "out of order") ||
			!strings.Contains(err.Error(), b.Dir()) {
			t.Errorf("error %v", err)
		}
	}
}

func TestUlpsBetween(t *testing.T) {
	least, negativeZero := math.SmallestNonzeroFloat64, math.Copysign(0, -1)
	for _, c := range []struct {
		a, b float64
		want uint64
	}{
		{1, 1, 0},
		{1, 1 + 0x1p-52, 1},
		{1, 1 - 0x1p-53, 1},
		{-1, -1 - 0x1p-52, 1},
		{0, negativeZero, 0},
		{0, least, 1},
		{negativeZero, least, 1},
		{-least, least, 2},
		{1, 2, 1 << 52},
		{math.MaxFloat64, math.Inf(1), 1},
		{math.Inf(-1), math.Inf(1), 2 * 0x7ff0000000000000},
	} {
		if got := results.UlpsBetween(c.a, c.b); got != c.want {
			t.Errorf("from %g to %g: %d ulps, want %d", c.a, c.b, got, c.want)
		}
		if got := results.UlpsBetween(c.b, c.a); got != c.want {
			t.Errorf("from %g to %g: %d ulps, want %d", c.b, c.a, got, c.want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		x := math.Float64frombits(r.Uint64())
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		if got := results.UlpsBetween(x, math.Nextafter(x, math.Inf(1))); got != 1 {
			t.Errorf("from %g to the next: %d ulps", x, got)
		}
	}
}
