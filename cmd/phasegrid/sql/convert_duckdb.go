//go:build duckdb

package sql

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// conversion says which columns of a query come as text, because Go has no value that prints like
// DuckDB's.
type conversion int

const (
	plain  conversion = iota
	number            // a decimal: text, and a number in JSON
	nested            // DuckDB's own text, and its own JSON
)

// plainType is the types whose values the driver gives as they are.
var plainType = regexp.MustCompile(
	`^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|TIMESTAMP.*|ENUM\(.*\))$`,
)

func conversionOf(columnType string) conversion {
	switch {
	case strings.HasPrefix(columnType, "DECIMAL(") && strings.HasSuffix(columnType, ")"):
		return number
	case plainType.MatchString(columnType):
		return plain
	}
	return nested
}

// result is a query, how its columns are converted and what they are called; names is nil where
// nothing is converted.
type result struct {
	query       string
	names       []string
	conversions []conversion
}

// convert has DuckDB convert the columns that the driver gives as structures of its own: decimals,
// lists, structs, maps, intervals, blobs and the like.
func (s *Session) convert(ctx context.Context, query string, asJSON bool) (result, error) {
	unchanged := result{query: query}
	if explainPrefix.MatchString(query) {
		return unchanged, nil
	}
	rows, err := s.db.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE FROM (\n"+query+"\n))")
	if err != nil {
		return unchanged, nil // the query itself says what is wrong
	}
	defer rows.Close()
	var r result
	var aliases, columns []string
	some := false
	for rows.Next() {
		var name, columnType string
		if err := rows.Scan(&name, &columnType); err != nil {
			return result{}, fmt.Errorf("read the types of columns: %w", err)
		}
		alias := fmt.Sprintf("c%d", len(aliases))
		c := conversionOf(columnType)
		r.names, r.conversions, aliases = append(r.names, name), append(r.conversions, c), append(aliases, alias)
		switch {
		case c == nested && asJSON:
			alias = "to_json(" + alias + ")::VARCHAR"
		case c != plain:
			alias += "::VARCHAR"
		}
		columns = append(columns, alias)
		some = some || c != plain
	}
	if err := rows.Err(); err != nil {
		return result{}, &QueryError{err}
	}
	if !some {
		return unchanged, nil
	}
	r.query = fmt.Sprintf("SELECT %s FROM (\n%s\n) AS q(%s)",
		strings.Join(columns, ", "), query, strings.Join(aliases, ", "))
	return r, nil
}

// conversion is that of a column.
func (r result) conversion(column int) conversion {
	if r.conversions == nil {
		return plain
	}
	return r.conversions[column]
}
