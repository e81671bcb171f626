//go:build duckdb

package views_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Views of random sets, with runs that are censored, diverged, failed and invalid, with nulls,
// points that occur several times, seeds, variables and derived parameters, agree with plain Go.
func TestViewsAgreeWithAReference(t *testing.T) {
	const designs, sets = 24, 128
	for seed := range uint64(designs) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(13, seed))
			d := randomDesign(r)
			schema, err := d.schema()
			if err != nil {
				t.Fatal(err)
			}
			set := openSet(t, writeSet(t, schema, d.smallSets(r, sets)))
			db := duckdb(t, set)
			points := pointsOf(t, set)
			compare(t, db, "phase_diagram", d.axes(), d.phaseDiagram(points))
			compare(t, db, "escape", d.axes(), d.escape(points))
			compare(
				t,
				db,
				"failures",
				[]string{"point"},
				failures(points, d.names(func(parameter) bool { return true })),
			)
			if !d.has("learning_rate") {
				return
			}
			best := d.bestLearningRate(points)
			compare(t, db, "best_learning_rate", d.ranked(), best)
			views := viewRows(t, db, "duckdb_views() WHERE view_name LIKE 'crossover%'")
			if len(views) != len(d.compared()) {
				t.Errorf("compared along %d axes, want %q", len(views), d.compared())
			}
			for _, axis := range d.compared() {
				view := "crossover_" + axis
				if axis == "anisotropy" {
					view = "crossover"
				}
				_, apart := d.held(axis)
				compare(t, db, view, append(apart, "optimizer", axis+"_above"), d.crossover(best, axis))
			}
		})
	}
}

// compare compares a view with the reference, whose rows the given columns tell apart.
func compare(t *testing.T, db *sql.DB, view string, key []string, want []row) {
	t.Helper()
	got, expected := byKey(t, view, viewRows(t, db, view), key), byKey(t, view, want, key)
	for key := range got {
		if expected[key] == nil {
			t.Fatalf("%s: got a row of %s", view, key)
		}
	}
	for key, row := range expected {
		if got[key] == nil {
			t.Fatalf("%s: want a row of %s", view, key)
		}
		for column, w := range row {
			g, exists := got[key][column]
			if !exists || len(got[key]) != len(row) {
				t.Fatalf("%s: got columns %q, want %q", view, slices.Sorted(maps.Keys(got[key])),
					slices.Sorted(maps.Keys(row)))
			}
			x, number := g.(float64)
			y, expected := w.(float64)
			if g != w && !(number && expected && math.Abs(x-y) <= 1e-12*math.Abs(y)) {
				t.Errorf("%s: %s: %s: got %v, want %v", view, key, column, g, w)
			}
		}
	}
}

func byKey(t *testing.T, view string, rows []row, key []string) map[string]row {
	t.Helper()
	out := map[string]row{}
	for _, r := range rows {
		k := r.key(key)
		if out[k] != nil {
			t.Errorf("%s has two rows of %s", view, k)
		}
		out[k] = r
	}
	return out
}

// The view columns lists every column of every table and view, once, and says what it is.
func TestColumnsDescribeEveryView(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(14, seed))
		d := randomDesign(r)
		schema, err := d.schema()
		if err != nil {
			t.Fatal(err)
		}
		set := openSet(t, writeSet(t, schema, d.smallSets(r, 1)))
		db := duckdb(t, set)
		listed := map[string]int{}
		for _, c := range viewRows(t, db, "columns") {
			name := fmt.Sprint(c["table"], ".", c["name"])
			listed[name]++
			parameter := d.has(c["name"].(string)) // which random sets do not describe
			if c["formula"] == nil && !parameter && c["table"] != "shards" {
				t.Errorf("%s has no formula", name)
			}
		}
		for _, c := range viewRows(t, db, "duckdb_columns()") {
			if table := c["table_name"]; c["internal"] == false && table != "columns" {
				listed[fmt.Sprint(table, ".", c["column_name"])] += 10
			}
		}
		for _, name := range slices.SortedFunc(maps.Keys(listed), cmp.Compare) {
			if listed[name] != 11 {
				t.Errorf("%s: listed %d times, exists %d times", name, listed[name]%10, listed[name]/10)
			}
		}
	}
}
