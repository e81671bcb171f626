//go:build duckdb

package views_test

import (
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
)

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
func duckdb(t *testing.T, set *results.Set) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	statements, err := views.SQL(set.Schema(), set.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statements); err != nil {
		t.Fatalf("%v\n%s", err, statements)
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

// pointsOf reads the points of a set without DuckDB.
func pointsOf(t *testing.T, set *results.Set) []row {
	t.Helper()
	columns := set.Schema().Columns(results.Points)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	var rows []row
	for cells, err := range set.Scan(t.Context(), results.Points, names...) {
		if err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, cell := range cells {
			switch c := columns[i]; {
			case cell.Null:
				r[c.Name] = nil
			case c.Kind == results.Int64:
				r[c.Name] = float64(cell.Int)
			case c.Kind == results.Float64:
				r[c.Name] = cell.Float
			case c.Kind == results.String:
				r[c.Name] = cell.Text
			case c.Kind == results.Bool:
				r[c.Name] = cell.Bool
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// viewRows reads all rows of a view.
func viewRows(t *testing.T, db *sql.DB, view string) []row {
	t.Helper()
	answer, err := db.Query("SELECT * FROM " + view)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	names, err := answer.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for answer.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := answer.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, name := range names {
			r[name] = values[i]
			if n, whole := values[i].(int64); whole {
				r[name] = float64(n)
			}
		}
		rows = append(rows, r)
	}
	if err := answer.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}
