//go:build duckdb

package sql

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// writeRows writes rows as they come. Only a table, whose columns are aligned, is kept in memory.
func writeRows(w io.Writer, format string, rows *sql.Rows, r result) error {
	names, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("read the columns: %w", err)
	}
	if r.names != nil {
		names = r.names
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
		if format == "json" {
			for i := range values {
				values[i] = asJSON(values[i], r.conversion(i))
			}
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

// asJSON is a value as JSON has it: text that DuckDB made is a number or JSON, unless there is a
// number in it that JSON does not have.
func asJSON(value any, c conversion) any {
	if text, ok := value.(string); ok && c != plain && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return value
}

// rowWriter returns a function that writes one row, and one that ends the output.
func rowWriter(w io.Writer, format string, names []string) (write func([]any) error, flush func() error) {
	switch format {
	case "csv":
		out := bufio.NewWriter(w)
		header := make([]any, len(names))
		for i, name := range names {
			header[i] = name
		}
		first := sync.OnceValue(func() error { return writeCSV(out, header) })
		return func(values []any) error { return errors.Join(first(), writeCSV(out, values)) },
			func() error { return errors.Join(first(), out.Flush()) }
	case "json":
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return func(values []any) error { return out.Encode(object{names, values}) }, func() error { return nil }
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, strings.Join(names, "\t"))
	return func(values []any) error {
		cells := make([]string, len(values))
		for i, v := range values {
			if cells[i] = "-"; v != nil {
				cells[i] = text(v)
			}
		}
		_, err := fmt.Fprintln(out, strings.Join(cells, "\t"))
		return err
	}, out.Flush
}

// writeCSV writes a row as RFC 4180 has it. Null is nothing, and an empty text is in quotes.
func writeCSV(out *bufio.Writer, values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		cells[i] = text(v)
		if cells[i] == "" || strings.ContainsAny(cells[i], ",\"\r\n") {
			cells[i] = `"` + strings.ReplaceAll(cells[i], `"`, `""`) + `"`
		}
	}
	_, err := out.WriteString(strings.Join(cells, ",") + "\n")
	return err
}

// text formats a value that is not null.
func text(value any) string {
	if at, ok := value.(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
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
		key, err := encode(name)
		if err != nil {
			return nil, err
		}
		value, err := encode(o.values[i])
		if err != nil {
			if value, err = encode(fmt.Sprint(o.values[i])); err != nil {
				return nil, err
			}
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// encode is json.Marshal that leaves <, > and & as they are.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
