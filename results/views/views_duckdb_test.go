//go:build duckdb

package views_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
	"github.com/phasegrid/phasegrid/sweep"
)

// randomParameters are those of random result sets; power is null for other optimizers.
var randomParameters = []results.Column{
	{Name: "optimizer", Kind: results.String},
	{Name: "dimension", Kind: results.Int64},
	{Name: "steps", Kind: results.Int64},
	{Name: "power", Kind: results.Float64},
	{Name: "init_scale", Kind: results.Float64, Derived: true},
	{Name: "learning_rate", Kind: results.Float64},
	{Name: "seed", Kind: results.Int64},
}

// randomFolder is a set of random points in random cells. Statuses, nulls and points that occur
// several times are frequent.
func randomSet(t *testing.T, r *rand.Rand) string {
	s, err := results.NewSchema(randomParameters, results.Options{Solver: sweep.BuiltinSolver(4)})
	if err != nil {
		t.Fatal(err)
	}
	points := 1 + r.Int64N(150)
	var rows []results.PointRow
	for i := range points {
		row := randomPoint(r, i)
		if len(rows) > 0 && r.IntN(4) == 0 { // the same point again, along an axis without effect
			row = rows[r.IntN(len(rows))]
		}
		row.Point = i
		rows = append(rows, row)
	}
	return writeSet(t, s, rows)
}

// writeSet writes the points table of a set of rows, and returns its folder.
func writeSet(t *testing.T, s *results.Schema, rows []results.PointRow) string {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	create := func(name string) *os.File {
		path := filepath.Join(dir, filepath.FromSlash(name))
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		file, err := os.Create(path)
		check(err)
		t.Cleanup(func() { file.Close() })
		return file
	}
	for _, table := range s.Tables() {
		_, err := s.WriteEmpty(table, create(results.EmptyName(table)))
		check(err)
	}
	b := s.NewBuilder()
	defer b.Release()
	for _, row := range rows {
		check(b.AddPoint(row))
	}
	d, err := b.Encode()
	check(err)
	shard := results.Source{Expectation: results.Expectation{End: int64(len(rows)), Points: -1},
		Open: func(context.Context) (results.Delivery, error) { return d, nil }}
	_, err = s.Merge(t.Context(), []results.Source{shard}, nil, func(table results.Table) (io.Writer, error) {
		return create(results.PartName(table, 0)), nil
	})
	check(err)
	return dir
}

// duckdb opens a database with the views of a set.
func duckdb(t *testing.T, s *results.Schema, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	statements, err := views.SQL(s, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	return db
}

// openSet opens the set in a folder.
func openSet(t *testing.T, dir string) *results.Set {
	t.Helper()
	set, err := results.OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func randomPoint(r *rand.Rand, i int64) results.PointRow {
	row := results.PointRow{Representation: "reduced", Status: results.StatusOK, RunSummary: results.NoRun()}
	binary.BigEndian.PutUint64(row.PointID[:], r.Uint64())
	binary.BigEndian.PutUint64(row.PointID[8:], uint64(i))
	optimizer := [...]string{"gd", "spectral_power"}[r.IntN(2)]
	dimension := 10 * (1 + r.Int64N(2))
	scale := results.Cell{Float: 0.1 * float64(dimension), Null: r.IntN(30) == 0}
	if r.IntN(8) == 0 { // it follows from the seed, too
		scale.Float = r.Float64()
	}
	row.Parameters = []results.Cell{
		{Text: optimizer},
		{Int: dimension},
		{Int: 40 * (1 + r.Int64N(2))},
		{Float: float64(r.IntN(2)), Null: optimizer == "gd"},
		scale,
		{Float: 0.25 * float64(1+r.IntN(3))},
		{Int: r.Int64N(1000), Null: r.IntN(3) == 0},
	}
	step := func() int64 {
		if r.IntN(3) == 0 {
			return -1
		}
		return r.Int64N(40)
	}
	number := func() float64 {
		if r.IntN(8) == 0 {
			return math.NaN()
		}
		return r.Float64()
	}
	row.EscapeStep, row.StepsTo90, row.StepsTo99, row.PeakSpikeStep = step(), step(), step(), step()
	row.Held90Step, row.Held99Step, row.StepsRun = step(), step(), 40
	if r.IntN(2) == 0 {
		row.StepsRun = 20 + r.Int64N(20) // some steps are in the last tenth, or beyond
	}
	row.UnstableStep = optimizer == "gd" && r.IntN(6) == 0
	row.Loss, row.SignalAlignment, row.PeakSpikeAlignment, row.TailLoss = number(), number(), number(), number()
	switch r.IntN(8) {
	case 0, 1:
		row.Status, row.DivergedStep, row.StepsRun = results.StatusDiverged, 30, 30
	case 2:
		row.Status, row.Detail = results.StatusFailed, "svd did not converge"
	case 3:
		row.Status, row.Representation, row.Detail = results.StatusInvalid, "", "power must be at most 1"
	}
	return row
}

// referenceRow is a row of points by column; numbers are float64, nulls are left out.
type referenceRow map[string]any

// referenceRows reads the points of a set without DuckDB.
func referenceRows(t *testing.T, set *results.Set) []referenceRow {
	t.Helper()
	columns := set.Schema().Columns(results.Points)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	var rows []referenceRow
	for cells, err := range set.Scan(t.Context(), results.Points, names...) {
		if err != nil {
			t.Fatal(err)
		}
		row := referenceRow{}
		for i, cell := range cells {
			switch c := columns[i]; {
			case cell.Null:
			case c.Kind == results.Int64:
				row[c.Name] = float64(cell.Int)
			case c.Kind == results.Float64:
				row[c.Name] = cell.Float
			case c.Kind == results.String:
				row[c.Name] = cell.Text
			case c.Kind == results.Bool:
				row[c.Name] = cell.Bool
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// replicatesOf groups the distinct points that are not invalid by the text of the given columns.
func replicatesOf(rows []referenceRow, columns []string) map[string][]referenceRow {
	cells := map[string][]referenceRow{}
	seen := map[string]bool{}
	for _, row := range rows {
		id := row["point_id"].(string)
		if row["status"] == results.StatusInvalid || seen[id] {
			continue
		}
		seen[id] = true
		key := row.key(columns)
		cells[key] = append(cells[key], row)
	}
	return cells
}

func (row referenceRow) key(columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "%s=%v ", c, row[c])
	}
	return b.String()
}

// times are the step numbers of a column over the runs of a cell, in order; infinite where they
// are censored.
func times(runs []referenceRow, column string) []float64 {
	var all []float64
	for _, run := range runs {
		x, ok := run[column].(float64)
		if !ok || run["status"] != results.StatusOK && column != "diverged_step" {
			x = math.Inf(1)
		}
		all = append(all, x)
	}
	slices.Sort(all)
	return all
}

// finite counts the times that are not censored.
func finite(times []float64) float64 {
	n, _ := slices.BinarySearch(times, math.Inf(1))
	return float64(n)
}

// stepQuantile is the ceil(tenths n / 10)-th smallest time; nil if it is censored.
func stepQuantile(times []float64, tenths int) any {
	if x := times[(len(times)*tenths+9)/10-1]; !math.IsInf(x, 1) {
		return x
	}
	return nil
}

// quantile interpolates between the values of a column over the runs that are ok; nil if fewer than
// half are, or all values are null.
func quantile(runs []referenceRow, column string, tenths int) any {
	var all []float64
	ok := 0
	for _, run := range runs {
		if run["status"] != results.StatusOK {
			continue
		}
		ok++
		if x, known := run[column].(float64); known {
			all = append(all, x)
		}
	}
	if 2*ok < len(runs) || len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	at := float64(len(all)-1) * float64(tenths) / 10
	low, high := all[int(math.Floor(at))], all[int(math.Ceil(at))]
	return low + (high-low)*(at-math.Floor(at))
}

// oneValue is the value of a derived parameter that all runs of a cell have; nil if there is none.
func oneValue(runs []referenceRow, column string) any {
	for _, run := range runs {
		if run[column] == nil || run[column] != runs[0][column] {
			return nil
		}
	}
	return runs[0][column]
}

func withStatus(runs []referenceRow, status string) float64 {
	n := 0
	for _, run := range runs {
		if run["status"] == status {
			n++
		}
	}
	return float64(n)
}

func referencePhaseDiagram(rows []referenceRow, axes []string, metrics []results.Column) map[string]referenceRow {
	out := map[string]referenceRow{}
	for key, runs := range replicatesOf(rows, axes) {
		row := referenceRow{
			"init_scale": oneValue(runs, "init_scale"),
			"replicates": float64(len(runs)), "ok": withStatus(runs, results.StatusOK),
			"diverged": withStatus(runs, results.StatusDiverged), "failed": withStatus(runs, results.StatusFailed),
			"escaped": finite(times(runs, "escape_step")), "reached_90": finite(times(runs, "steps_to_90")),
		}
		for _, c := range metrics {
			for suffix, tenths := range map[string]int{"": 5, "_q10": 1, "_q90": 9} {
				if c.Kind == results.Int64 {
					row[c.Name+suffix] = stepQuantile(times(runs, c.Name), tenths)
					row[c.Name+"_censored"] = float64(len(runs)) - finite(times(runs, c.Name))
				} else {
					row[c.Name+suffix] = quantile(runs, c.Name, tenths)
				}
			}
		}
		out[key] = row
	}
	return out
}

func referenceEscape(rows []referenceRow, axes []string) map[string]referenceRow {
	out := map[string]referenceRow{}
	for key, runs := range replicatesOf(rows, axes) {
		steps := times(runs, "escape_step")
		row := referenceRow{
			"init_scale": oneValue(runs, "init_scale"),
			"runs":       float64(len(runs)), "escaped": finite(steps), "spectral_gap": nil,
			"escape_step_censored": float64(len(runs)) - finite(steps), "escape_time": nil,
			"escape_step": stepQuantile(steps, 5), "escape_step_q10": stepQuantile(steps, 1),
			"escape_step_q90": stepQuantile(steps, 9),
		}
		if x, ok := row["escape_step"].(float64); ok {
			row["escape_time"] = x * runs[0]["learning_rate"].(float64)
		}
		out[key] = row
	}
	return out
}

// held are runs in which alignment for the last tenth only is censored.
func held(runs []referenceRow) []referenceRow {
	var all []referenceRow
	for _, run := range runs {
		run = maps.Clone(run)
		if x, ok := run["held_90_step"].(float64); ok && 10*x > 9*run["steps_run"].(float64) {
			delete(run, "held_90_step")
		}
		all = append(all, run)
	}
	return all
}

func referenceBest(rows []referenceRow, cell []string) map[string]referenceRow {
	out := map[string]referenceRow{}
	for key, runs := range replicatesOf(held(rows), cell) {
		rates := map[float64][]referenceRow{}
		for _, run := range runs {
			rate := run["learning_rate"].(float64)
			rates[rate] = append(rates[rate], run)
		}
		ordered := slices.Sorted(maps.Keys(rates))
		excluded := 0
		best := referenceRow{
			"init_scale":     oneValue(runs, "init_scale"),
			"runs":           float64(len(runs)),
			"learning_rates": float64(len(rates)),
			"at_edge":        nil,
			"censored":       float64(len(runs)) - finite(times(runs, "held_90_step")),
		}
		for _, c := range []string{
			"learning_rate", "held_90_step", "steps_to_90", "tail_signal_alignment", "tail_loss",
		} {
			best[c] = nil
		}
		verdict := "more than half of the runs are censored at every stable learning rate"
		shortest := math.Inf(1)
		for i, rate := range ordered {
			runs := rates[rate]
			if slices.ContainsFunc(runs, func(run referenceRow) bool { return run["unstable_step"] == true }) {
				excluded++
				continue
			}
			x, ok := stepQuantile(times(runs, "held_90_step"), 5).(float64)
			if !ok || x >= shortest {
				continue
			}
			shortest = x
			best["learning_rate"], best["held_90_step"] = rate, x
			best["steps_to_90"] = stepQuantile(times(runs, "steps_to_90"), 5)
			best["tail_signal_alignment"] = quantile(runs, "tail_signal_alignment", 5)
			best["tail_loss"] = quantile(runs, "tail_loss", 5)
			best["at_edge"] = len(ordered) > 1 && (i == 0 || i == len(ordered)-1)
			switch {
			case len(ordered) == 1:
				verdict = "one learning rate was tried"
			case i == 0:
				verdict = "the smallest learning rate that was tried"
			case i == len(ordered)-1:
				verdict = "the largest learning rate that was tried"
			default:
				verdict = "between others that were tried"
			}
		}
		if excluded == len(ordered) {
			verdict = "every learning rate is unstable"
		}
		best["excluded_rates"], best["verdict"] = float64(excluded), verdict
		out[key] = best
	}
	return out
}

// viewRows reads a view by the key of the given columns; its other columns are left.
func viewRows(t *testing.T, db *sql.DB, view string, columns []string) map[string]referenceRow {
	t.Helper()
	rows, err := db.Query("SELECT * FROM " + view)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]referenceRow{}
	for rows.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := referenceRow{}
		for i, name := range names {
			switch x := values[i].(type) {
			case int64:
				row[name] = float64(x)
			default:
				row[name] = x
			}
		}
		key := row.key(columns)
		if out[key] != nil {
			t.Fatalf("%s has two rows of %s", view, key)
		}
		for _, c := range columns {
			delete(row, c)
		}
		out[key] = row
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func compareViews(t *testing.T, view string, got, want map[string]referenceRow) {
	t.Helper()
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Fatalf("%s: got cells %q, want %q", view, g, w)
	}
	for key, row := range want {
		if g, w := slices.Sorted(maps.Keys(got[key])), slices.Sorted(maps.Keys(row)); !slices.Equal(g, w) {
			t.Fatalf("%s: got columns %q, want %q", view, g, w)
		}
		for column, w := range row {
			g := got[key][column]
			x, number := g.(float64)
			y, expected := w.(float64)
			if g != w && !(number && expected && math.Abs(x-y) <= 1e-12*math.Abs(y)) {
				t.Errorf("%s: %s: %s: got %v, want %v", view, key, column, g, w)
			}
		}
	}
}

// Views of random sets, with runs that are censored, diverged, failed and invalid, with nulls and
// with points that occur several times, agree with plain Go.
func TestViewsAgreeWithAReference(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			set := openSet(t, randomSet(t, rand.New(rand.NewPCG(13, seed))))
			db := duckdb(t, set.Schema(), set.Dir())
			rows := referenceRows(t, set)
			axes := []string{"optimizer", "dimension", "steps", "power", "learning_rate"}
			cell := axes[:4]
			var metrics []results.Column
			for _, c := range results.Reference()[0].Columns[results.Reference()[0].Parameters:] {
				if c.Kind == results.Int64 || c.Kind == results.Float64 {
					metrics = append(metrics, c)
				}
			}
			compareViews(t, "phase_diagram", viewRows(t, db, "phase_diagram", axes),
				referencePhaseDiagram(rows, axes, metrics))
			compareViews(t, "escape", viewRows(t, db, "escape", axes), referenceEscape(rows, axes))
			compareViews(t, "best_learning_rate", viewRows(t, db, "best_learning_rate", cell),
				referenceBest(rows, cell))
			failed := map[string]bool{}
			for _, row := range rows {
				if row["status"] != results.StatusOK {
					failed[row.key([]string{"point"})] = true
				}
			}
			got, want := slices.Sorted(maps.Keys(viewRows(t, db, "failures", []string{"point"}))),
				slices.Sorted(maps.Keys(failed))
			if !slices.Equal(got, want) {
				t.Errorf("failures: got points %q, want %q", got, want)
			}
		})
	}
}

// comparedSet is a set of gd and specgd at random anisotropies, with random held times by
// dimension, optimizer and anisotropy, which it returns; infinite where censored.
func comparedSet(t *testing.T, r *rand.Rand) (string, map[int64]map[string]map[float64]float64) {
	s, err := results.NewSchema([]results.Column{
		{Name: "optimizer", Kind: results.String}, {Name: "dimension", Kind: results.Int64},
		{Name: "anisotropy", Kind: results.Float64}, {Name: "learning_rate", Kind: results.Float64},
	}, results.Options{Solver: sweep.BuiltinSolver(1)})
	if err != nil {
		t.Fatal(err)
	}
	var rows []results.PointRow
	held := map[int64]map[string]map[float64]float64{}
	for dimension := int64(10); dimension < 15; dimension++ {
		held[dimension] = map[string]map[float64]float64{"gd": {}, "specgd": {}}
		for optimizer, steps := range held[dimension] {
			for _, lambda := range []float64{-0.5, 0, 1, 3, 10} {
				if r.IntN(6) == 0 {
					continue
				}
				row := results.PointRow{
					Representation: "reduced",
					Status:         results.StatusOK,
					RunSummary:     results.NoRun(),
				}
				row.Point, row.StepsRun, row.Held90Step = int64(len(rows)), 8000, r.Int64N(50)
				binary.BigEndian.PutUint64(row.PointID[:], uint64(row.Point))
				steps[lambda] = float64(row.Held90Step)
				if r.IntN(4) == 0 {
					row.Held90Step, steps[lambda] = -1, math.Inf(1)
				}
				row.Parameters = []results.Cell{{Text: optimizer}, {Int: dimension}, {Float: lambda}, {Float: 0.5}}
				rows = append(rows, row)
			}
		}
	}
	return writeSet(t, s, rows), held
}

// referenceCrossover are the rows of the view for one dimension, by the anisotropy above; nil is
// that of none.
func referenceCrossover(gd, specgd map[float64]float64) map[any]referenceRow {
	out := map[any]referenceRow{}
	var lambdas []float64
	shared := 0
	for _, lambda := range slices.Sorted(maps.Keys(gd)) {
		if s, ok := specgd[lambda]; ok {
			shared++
			if !math.IsInf(gd[lambda], 1) || !math.IsInf(s, 1) {
				lambdas = append(lambdas, lambda)
			}
		}
	}
	if shared == 0 {
		return out
	}
	time := func(x float64) float64 { return math.Log(max(x, 1)) }
	advantage := func(lambda float64) float64 { return time(gd[lambda]) - time(specgd[lambda]) }
	ahead := 0
	for i, b := range lambdas {
		if advantage(b) > 0 {
			ahead++
		}
		if i == 0 || (advantage(b) > 0) == (advantage(lambdas[i-1]) > 0) {
			continue
		}
		a := lambdas[i-1]
		row := referenceRow{"anisotropy": nil, "anisotropy_below": a, "direction": "falls behind",
			"verdict": "between two anisotropies, censored at one"}
		if advantage(b) > 0 {
			row["direction"] = "overtakes"
		}
		if x, y := advantage(a), advantage(b); !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			row["verdict"] = "interpolated"
			row["anisotropy"] = a + (b-a)*x/(x-y)
			if a > 0 {
				row["anisotropy"] = math.Exp(math.Log(a) + (math.Log(b)-math.Log(a))*x/(x-y))
			}
		}
		out[b] = row
	}
	changes := float64(len(out))
	if changes == 0 {
		out[nil] = referenceRow{"anisotropy": nil, "anisotropy_below": nil, "direction": nil}
		switch {
		case len(lambdas) == 0:
			out[nil]["verdict"] = "no anisotropy at which one of the two has a held time"
		case ahead > 0:
			out[nil]["verdict"] = "ahead at every anisotropy"
		default:
			out[nil]["verdict"] = "ahead at no anisotropy"
		}
	}
	for _, row := range out {
		row["changes"] = changes
	}
	return out
}

func TestCrossoverAgreesWithAReference(t *testing.T) {
	columns := []string{"dimension", "optimizer", "anisotropy_above"}
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir, held := comparedSet(t, rand.New(rand.NewPCG(30, seed)))
			db := duckdb(t, openSet(t, dir).Schema(), dir)
			want := map[string]referenceRow{}
			for dimension, times := range held {
				for above, row := range referenceCrossover(times["gd"], times["specgd"]) {
					key := referenceRow{
						"dimension": float64(dimension), "optimizer": "specgd", "anisotropy_above": above,
					}
					want[key.key(columns)] = row
				}
			}
			compareViews(t, "crossover", viewRows(t, db, "crossover", columns), want)
		})
	}
}
