//go:build duckdb

package results_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
	"github.com/phasegrid/phasegrid/sweep"
)

// duckdb opens an in-memory database and runs the set's views.sql in its folder, as duckdb -init
// does.
func duckdb(t testing.TB, f *folder) *sql.DB {
	t.Helper()
	t.Chdir(f.dir)
	db, err := sql.Open("duckdb", "")
	f.check(err)
	t.Cleanup(func() { db.Close() })
	statements, err := os.ReadFile(results.ViewsName)
	f.check(err)
	if _, err := db.Exec(string(statements)); err != nil {
		t.Fatal(err)
	}
	return db
}

func scalar[T any](t testing.TB, db *sql.DB, query string) T {
	t.Helper()
	var x T
	if err := db.QueryRow(query).Scan(&x); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return x
}

func TestDuckDBCountsLikeGo(t *testing.T) {
	f := sampleFolder(t)
	db := duckdb(t, f)
	columns := int64(0)
	for _, table := range f.schema.Tables() {
		columns += int64(len(f.schema.Columns(table)))
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM points":                                      900,
		"SELECT count(DISTINCT point) FROM points":                         900,
		"SELECT count(DISTINCT point_id) FROM points":                      900,
		"SELECT count(*) FROM trajectories":                                2700,
		"SELECT count(*) FROM coefficients":                                5400,
		"SELECT count(*) FROM shards":                                      9,
		"SELECT count(*) FROM failures":                                    900/11*3 + 3,
		"SELECT sum(replicates)::BIGINT FROM phase_diagram":                900 - 82, // invalid ones
		"SELECT count(*) FROM trajectories SEMI JOIN points USING (point)": 2700,
		`SELECT count(*) FROM columns WHERE "table" IN ('points', 'trajectories', 'coefficients', 'shards')`: columns,
		"SELECT count(*) FROM (SELECT \"table\", name FROM columns EXCEPT (SELECT table_name, column_name " +
			"FROM duckdb_columns()))": 0,
		"SELECT count(*) FROM columns WHERE formula = 'lambda of the spiked covariance' AND \"table\" = 'points'": 1,
		"SELECT count(*) FROM points WHERE optimizer = 'muon' AND dimension = 30":                                 100,
	} {
		if got := scalar[int64](t, db, query); got != want {
			t.Errorf("%s: %d; want %d", query, got, want)
		}
	}
}

// Every metric column: filters agree with the values in Go, which min/max statistics over NaN would
// break.
func TestDuckDBFiltersEveryColumnLikeGo(t *testing.T) {
	f := sampleFolder(t)
	db := duckdb(t, f)
	set, err := results.OpenSet(f.dir)
	f.check(err)
	for _, table := range f.schema.Tables() {
		for _, c := range f.schema.Columns(table) {
			if c.Kind != results.Float64 && c.Kind != results.Int64 {
				continue
			}
			var values []float64
			nulls := int64(0)
			for cells, err := range set.Scan(context.Background(), table, c.Name) {
				f.check(err)
				if cells[0].Null {
					nulls++
				} else {
					values = append(values, cells[0].Float+float64(cells[0].Int))
				}
			}
			cut := 0.5
			if len(values) > 0 {
				cut = values[len(values)/3]
			}
			literal := strconv.FormatFloat(cut, 'g', -1, 64)
			below, above := int64(0), int64(0)
			for _, x := range values {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("%s.%s holds %v", table, c.Name, x)
				}
				if x <= cut {
					below++
				} else {
					above++
				}
			}
			for condition, want := range map[string]int64{
				fmt.Sprintf("%q <= '%s'::DOUBLE", c.Name, literal): below,
				fmt.Sprintf("%q > '%s'::DOUBLE", c.Name, literal):  above,
				fmt.Sprintf("%q IS NULL", c.Name):                  nulls,
			} {
				query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", table, condition)
				if got := scalar[int64](t, db, query); got != want {
					t.Errorf("%s: %d; want %d", query, got, want)
				}
			}
		}
	}
}

func TestViewsWorkOnEmptyAndUnfinishedSets(t *testing.T) {
	s := sampleSchema(t)
	empty := newFolder(t, s)
	unfinished := newFolder(t, s)
	unfinished.part(sources(t, s, 200, 100))
	bare, err := results.NewSchema(nil, results.Options{Solver: sweep.BuiltinSolver(1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		folder *folder
		points int64
		views  []string
	}{
		"empty":         {empty, 0, []string{"trajectories", "coefficients", "best_learning_rate", "crossover"}},
		"unfinished":    {unfinished, 200, []string{"trajectories", "coefficients", "best_learning_rate", "crossover"}},
		"no parameters": {newFolder(t, bare), 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db := duckdb(t, c.folder)
			if got := scalar[int64](t, db, "SELECT count(*) FROM points"); got != c.points {
				t.Errorf("%d points; want %d", got, c.points)
			}
			for _, view := range append(c.views, "shards", "phase_diagram", "escape", "failures", "columns") {
				scalar[int64](t, db, "SELECT count(*) FROM "+view)
			}
		})
	}
}

// sweepFolder is a set of runs of gd and specgd that reach 90 % at step t(optimizer, anisotropy,
// learning rate).
func sweepFolder(
	t *testing.T,
	anisotropies, rates []float64,
	time func(optimizer string, lambda, rate float64) int64,
) *folder {
	s, err := results.NewSchema([]results.Column{
		{
			Name: "optimizer",
			Kind: results.String,
		}, {Name: "dimension", Kind: results.Int64}, {Name: "steps", Kind: results.Int64},
		{Name: "covariance", Kind: results.String}, {Name: "anisotropy", Kind: results.Float64},
		{Name: "learning_rate", Kind: results.Float64}, {Name: "seed", Kind: results.Int64},
	}, results.Options{Solver: sweep.BuiltinSolver(1)})
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, s)
	b := s.NewBuilder()
	point := int64(0)
	for _, optimizer := range []string{"gd", "specgd"} {
		for _, lambda := range anisotropies {
			for _, rate := range rates {
				for seed := range int64(3) {
					row := samplePoint(0)
					row.Point, row.StepsTo90, row.EscapeStep = point, time(optimizer, lambda, rate), 10*(seed+1)
					row.Held90Step, row.UnstableStep = row.StepsTo90, false
					row.PointID[15] = byte(point)
					row.Loss = float64(seed)
					row.Parameters = []results.Cell{
						{Text: optimizer},
						{Int: 100},
						{Int: int64(100 / rate)},
						{Text: "spiked"},
						{Float: lambda},
						{Float: rate},
						{Int: seed},
					}
					f.check(b.AddPoint(row))
					point++
				}
			}
		}
	}
	d, err := b.Encode()
	f.check(err)
	f.part([]results.Source{{Expectation: results.Expectation{End: point, Points: -1},
		Open: func(context.Context) (results.Delivery, error) { return d, nil }}})
	return f
}

func TestViewResults(t *testing.T) {
	// gd takes 4 lambda / rate steps and never arrives at lambda = 64; specgd takes 40 at its best
	// rate, 0.5.
	f := sweepFolder(
		t,
		[]float64{1, 4, 16, 64},
		[]float64{0.25, 0.5, 1},
		func(optimizer string, lambda, rate float64) int64 {
			switch {
			case optimizer == "gd" && lambda == 64:
				return -1
			case optimizer == "gd":
				return int64(4 * lambda / rate)
			case rate == 1:
				return -1
			}
			return int64(20 / rate)
		},
	)
	db := duckdb(t, f)
	for query, want := range map[string]float64{
		"SELECT count(*) FROM phase_diagram":                                                                24,
		"SELECT min(replicates) + max(reached_90) FROM phase_diagram":                                       6,
		"SELECT max(loss) + max(loss_q90) FROM phase_diagram":                                               2.8,
		"SELECT count(*) FROM best_learning_rate":                                                           8,
		"SELECT learning_rate FROM best_learning_rate WHERE optimizer = 'gd' AND anisotropy = 4":            1,
		"SELECT learning_rate FROM best_learning_rate WHERE optimizer = 'specgd' AND anisotropy = 4":        0.5,
		"SELECT steps_to_90 FROM best_learning_rate WHERE optimizer = 'specgd' AND anisotropy = 64":         40,
		"SELECT held_90_step FROM best_learning_rate WHERE optimizer = 'specgd' AND anisotropy = 16":        40,
		"SELECT censored FROM best_learning_rate WHERE optimizer = 'gd' AND anisotropy = 64":                9,
		"SELECT count(*) FROM best_learning_rate WHERE learning_rate IS NULL AND steps_to_90 IS NULL":       1,
		"SELECT at_edge::INT FROM best_learning_rate WHERE optimizer = 'gd' AND anisotropy = 1":             1,
		"SELECT anisotropy FROM crossover WHERE optimizer = 'specgd'":                                       10,
		"SELECT anisotropy_below + anisotropy_above FROM crossover":                                         20,
		"SELECT escape_step FROM escape WHERE optimizer = 'gd' AND spectral_gap = 16 AND learning_rate = 1": 20,
		"SELECT escape_time FROM escape WHERE optimizer = 'gd' AND spectral_gap = 4 AND learning_rate = .5": 10,
		"SELECT count(*) FROM failures":                                                                     0,
	} {
		if got := scalar[float64](t, db, query); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v; want %v", query, got, want)
		}
	}
}

// TestDuckDBReadsOnlyTheRowGroupsOfAQuery: statistics keep a query away from the row groups of
// other cells. Their pages are overwritten here, so that a query that reads one fails.
func TestDuckDBReadsOnlyTheRowGroupsOfAQuery(t *testing.T) {
	s, err := results.NewSchema(
		[]results.Column{{Name: "optimizer", Kind: results.String}, {Name: "dimension", Kind: results.Int64}},
		results.Options{Solver: sweep.BuiltinSolver(1)},
	)
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, s)
	b := s.NewBuilder()
	const perCell, cells = 122_880, 6
	row := samplePoint(0)
	for part := range int64(cells) {
		for i := range int64(perCell) {
			row.Point = part*perCell + i
			row.Parameters = []results.Cell{
				{Text: [...]string{"gd", "muon"}[part/3]},
				{Int: [...]int64{10, 100, 1000}[part%3]},
			}
			f.check(b.AddPoint(row))
		}
		d, err := b.Encode()
		f.check(err)
		f.part(
			[]results.Source{
				{Expectation: results.Expectation{First: part * perCell, End: (part + 1) * perCell, Points: -1},
					Open: func(context.Context) (results.Delivery, error) { return d, nil }},
			},
		)
	}
	const queried = 4 // the part with muon at dimension 100
	for part := range int64(cells) {
		if part != queried {
			overwritePages(t, filepath.Join(f.dir, results.PartName(results.Points, part)))
		}
	}
	db := duckdb(t, f)
	where := "FROM points WHERE optimizer = 'muon' AND dimension = 100"
	if got := scalar[int64](t, db, "SELECT count(loss) "+where); got != perCell {
		t.Errorf("got %d rows, want %d", got, perCell)
	}
	var sum float64
	err = db.QueryRow("SELECT sum(loss) FROM points WHERE optimizer = 'gd' AND dimension = 10").Scan(&sum)
	if err == nil {
		t.Error("a query of overwritten pages succeeded, so the test proves nothing")
	}
}

// overwritePages overwrites everything between the header and the footer of a Parquet file.
func overwritePages(t *testing.T, name string) {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	footer := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	for i := 4; i < footer; i++ {
		file[i] = 0xff
	}
	if err := os.WriteFile(name, file, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Views of a set of an earlier version have the columns that it lacks, with nulls.
func TestDuckDBReadsSetsOfEarlierVersions(t *testing.T) {
	set, err := results.OpenSet(version3)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := views.SQL(set.Schema(), version3)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM points":                                                       8,
		"SELECT count(held_90_step) + count(input_stable_rank) FROM points":                 0,
		"SELECT count(steps_to_90) FROM points":                                             5,
		"SELECT count(*) - count(gradient_nuclear_rank) FROM trajectories":                  20,
		"SELECT count(*) FROM phase_diagram WHERE parameter_mse IS NULL":                    8,
		"SELECT count(*) FROM best_learning_rate":                                           4,
		"SELECT count(*) FROM escape":                                                       8,
		"SELECT count(*) FROM failures":                                                     2,
		"SELECT count(*) FROM trajectories SEMI JOIN points USING (point)":                  20,
		"SELECT count(*) FROM coefficients WHERE coefficient IS NULL":                       0,
		"SELECT count(*) FROM columns WHERE name = 'held_90_step' AND \"table\" = 'points'": 1,
		"SELECT count(*) FROM shards WHERE solver_version = 3":                              1,
	} {
		if got := scalar[int64](t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
