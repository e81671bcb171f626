//go:build duckdb

package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"

	"github.com/phasegrid/phasegrid/results"
)

// Session is a database in memory that has the views of result sets.
type Session struct {
	db      *sql.DB
	scratch string // directory of intermediate results
}

// Open opens a session over sets, whose directories must be absolute. From then on it can open only
// files of the sets and of its scratch directory, and its settings cannot be changed.
func Open(ctx context.Context, sets []*results.Set) (*Session, error) {
	views, err := Views(sets)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "phasegrid-query-")
	if err != nil {
		return nil, fmt.Errorf("create a directory for intermediate results: %w", err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open DuckDB: %w", err), os.RemoveAll(scratch))
	}
	s := &Session{db, scratch}
	// One connection, so that settings and USE hold for every statement.
	db.SetMaxOpenConns(1)
	folders := []string{literal(scratch)}
	for _, set := range sets {
		folders = append(folders, literal(set.Dir()))
	}
	for _, statement := range []string{
		"SET temp_directory = " + literal(filepath.Join(scratch, "spill")),
		"SET allowed_directories = [" + strings.Join(folders, ", ") + "]",
		"SET enable_external_access = false",
		views,
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare DuckDB: %w", err), s.Close())
		}
	}
	return s, nil
}

// Close closes the database and deletes its intermediate results.
func (s *Session) Close() error { return errors.Join(s.db.Close(), os.RemoveAll(s.scratch)) }

// Write runs one query and writes its rows in a format: table, csv, json (one object a line) or
// parquet.
func (s *Session) Write(ctx context.Context, w io.Writer, format, query string) error {
	if err := s.checkSelect(ctx, query); err != nil {
		return err
	}
	if format == "parquet" {
		return s.writeParquet(ctx, w, query)
	}
	r, err := s.convert(ctx, query, format == "json")
	if err != nil {
		return err
	}
	rows, err := s.db.QueryContext(ctx, r.query)
	if err != nil {
		return &QueryError{err}
	}
	defer rows.Close()
	return writeRows(w, format, rows, r)
}

var explainPrefix = regexp.MustCompile(`(?i)^\s*explain(\s+analyze)?\s`)

// checkSelect rejects SQL that could write: DuckDB's parser serialises SELECT statements and
// nothing else. It rejects several statements too, of which only the last would be printed. The
// query is passed as a value, so that none of it runs here.
func (s *Session) checkSelect(ctx context.Context, query string) error {
	query = explainPrefix.ReplaceAllString(query, "")
	var wrong bool
	var message sql.NullString
	var statements int
	err := s.db.QueryRowContext(ctx, `SELECT (tree ->> 'error')::BOOLEAN, tree ->> 'error_message',
			coalesce(json_array_length(tree -> 'statements'), 0)
		FROM (SELECT json_serialize_sql(?::VARCHAR) AS tree)`, query).Scan(&wrong, &message, &statements)
	switch {
	case err != nil:
		return fmt.Errorf("check the query: %w", err)
	case wrong && strings.Contains(message.String, "Only SELECT"):
		return &QueryError{
			errors.New("result sets are read-only; use SELECT, FROM, SUMMARIZE, DESCRIBE or EXPLAIN of them"),
		}
	case wrong:
		return &QueryError{errors.New(message.String)}
	case statements > 1:
		return &QueryError{fmt.Errorf("got %d statements, want one statement at a time", statements)}
	}
	return nil
}

// writeParquet has the database write the rows to its scratch directory, the only one that it may
// write to, and copies them.
func (s *Session) writeParquet(ctx context.Context, w io.Writer, query string) error {
	if explainPrefix.MatchString(query) {
		return &QueryError{errors.New("EXPLAIN returns text; use another format than parquet")}
	}
	path := filepath.Join(s.scratch, "rows.parquet")
	statement := fmt.Sprintf("COPY (%s\n) TO %s (FORMAT parquet, COMPRESSION zstd)", query, literal(path))
	if _, err := s.db.ExecContext(ctx, statement); err != nil {
		return &QueryError{err}
	}
	rows, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the rows back: %w", err)
	}
	defer rows.Close()
	defer os.Remove(path)
	_, err = io.Copy(w, rows)
	return err
}
