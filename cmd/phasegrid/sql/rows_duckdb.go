//go:build duckdb

package sql

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

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
		return &QueryError{err}
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
