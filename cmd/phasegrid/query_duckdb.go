//go:build duckdb

package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"

	"github.com/phasegrid/phasegrid/results"
)

// runSQL runs one query in a new database, which is restricted to the directories of the sets
// before it sees the SQL.
func runSQL(ctx context.Context, o queryOptions, sets []*results.Set, views string) error {
	scratch, err := os.MkdirTemp("", "phasegrid-query-")
	if err != nil {
		return fmt.Errorf("create a directory for intermediate results: %w", err)
	}
	defer os.RemoveAll(scratch)
	db, err := openLocked(ctx, sets, views, scratch)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := onlySelects(ctx, db, o.SQL); err != nil {
		return err
	}
	if o.Format == "parquet" {
		return copyParquet(ctx, db, o, scratch)
	}
	rows, err := db.QueryContext(ctx, o.SQL)
	if err != nil {
		return usageError{fmt.Errorf("query: %w", err)}
	}
	defer rows.Close()
	if o.To == "" {
		return writeRows(o.stdout, o.Format, rows)
	}
	return createFile(o.To, func(w io.Writer) error { return writeRows(w, o.Format, rows) })
}

// openLocked opens a database in memory with the views. From then on it can open only files of the
// sets and of its scratch directory, and its settings cannot be changed.
func openLocked(ctx context.Context, sets []*results.Set, views, scratch string) (*sql.DB, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	// One connection, so that settings and USE hold for every statement.
	db.SetMaxOpenConns(1)
	folders := []string{sqlText(scratch)}
	for _, set := range sets {
		folders = append(folders, sqlText(set.Dir()))
	}
	for _, statement := range []string{
		"SET temp_directory = " + sqlText(filepath.Join(scratch, "spill")),
		"SET allowed_directories = [" + strings.Join(folders, ", ") + "]",
		"SET enable_external_access = false",
		views,
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			db.Close()
			return nil, fmt.Errorf("prepare DuckDB: %w", err)
		}
	}
	return db, nil
}

var explainPrefix = regexp.MustCompile(`(?i)^\s*explain(\s+analyze)?\s`)

// onlySelects rejects SQL that could write: DuckDB's parser serialises SELECT statements and
// nothing else. It rejects several statements too, of which only the last would be printed. The
// query is passed as a value, so that none of it runs here.
func onlySelects(ctx context.Context, db *sql.DB, query string) error {
	query = explainPrefix.ReplaceAllString(query, "")
	var wrong bool
	var message sql.NullString
	var statements int
	err := db.QueryRowContext(ctx, `SELECT (tree ->> 'error')::BOOLEAN, tree ->> 'error_message',
			coalesce(json_array_length(tree -> 'statements'), 0)
		FROM (SELECT json_serialize_sql(?::VARCHAR) AS tree)`, query).Scan(&wrong, &message, &statements)
	switch {
	case err != nil:
		return fmt.Errorf("check the query: %w", err)
	case wrong && strings.Contains(message.String, "Only SELECT"):
		return usageError{
			errors.New("query: result sets are read-only; use SELECT, FROM, SUMMARIZE, DESCRIBE or EXPLAIN of them"),
		}
	case wrong:
		return usageError{fmt.Errorf("query: %s", message.String)}
	case statements > 1:
		return usageError{fmt.Errorf("query: got %d statements, want one statement at a time", statements)}
	}
	return nil
}

// copyParquet writes the rows to the scratch directory, the only one that the database may write
// to, and then to the file.
func copyParquet(ctx context.Context, db *sql.DB, o queryOptions, scratch string) error {
	if explainPrefix.MatchString(o.SQL) {
		return usageError{errors.New("EXPLAIN returns text; remove --format parquet")}
	}
	path := filepath.Join(scratch, "rows.parquet")
	statement := fmt.Sprintf("COPY (%s\n) TO %s (FORMAT parquet, COMPRESSION zstd)", o.SQL, sqlText(path))
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return usageError{fmt.Errorf("query: %w", err)}
	}
	rows, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the rows back: %w", err)
	}
	defer rows.Close()
	return createFile(o.To, func(w io.Writer) error {
		_, err := io.Copy(w, rows)
		return err
	})
}

// createFile writes a new file, and removes it again if writing fails.
func createFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, os.ErrExist) {
		return usageError{fmt.Errorf("--to %s exists already; remove it or name another file", name)}
	}
	if err != nil {
		return fmt.Errorf("write the rows: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the rows to %s: %w", name, err), os.Remove(name))
	}
	return nil
}

// writeRows writes rows as they come. Only a table, whose columns are aligned, is kept in memory.
func writeRows(w io.Writer, format string, rows *sql.Rows) error {
	names, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("read the columns: %w", err)
	}
	write, flush := rowWriter(w, format, names)
	values, cells := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		cells[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		if err := write(values); err != nil {
			return fmt.Errorf("write a row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return flush()
}

// rowWriter returns a function that writes one row, and one that ends the output.
func rowWriter(w io.Writer, format string, names []string) (write func([]any) error, flush func() error) {
	switch format {
	case "csv":
		out := csv.NewWriter(w)
		first := true
		header := func() error {
			if !first {
				return nil
			}
			first = false
			return out.Write(names)
		}
		return func(values []any) error {
				if err := header(); err != nil {
					return err
				}
				return out.Write(texts(values, ""))
			}, func() error {
				err := header()
				out.Flush()
				return errors.Join(err, out.Error())
			}
	case "json":
		out := json.NewEncoder(w)
		return func(values []any) error { return out.Encode(object{names, values}) }, func() error { return nil }
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, strings.Join(names, "\t"))
	return func(values []any) error {
		_, err := fmt.Fprintln(out, strings.Join(texts(values, "-"), "\t"))
		return err
	}, out.Flush
}

// texts formats the values of a row.
func texts(values []any, null string) []string {
	cells := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			cells[i] = null
		case time.Time:
			cells[i] = v.UTC().Format(time.RFC3339Nano)
		case []byte:
			cells[i] = string(v)
		default:
			cells[i] = fmt.Sprint(v)
		}
	}
	return cells
}

// object is a row as a JSON object, with the columns in their order.
type object struct {
	names  []string
	values []any
}

// MarshalJSON writes {"name":value,...}; values that JSON cannot express become text.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[i])
		if err != nil {
			if value, err = json.Marshal(fmt.Sprint(o.values[i])); err != nil {
				return nil, err
			}
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}
