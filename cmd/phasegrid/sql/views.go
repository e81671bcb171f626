package sql

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
)

// ErrNotBuilt is returned by Open in a build without DuckDB.
var ErrNotBuilt = errors.New("this build has no DuckDB, which make build links if there is a C++ compiler")

// QueryError is a query that cannot run, as it is written.
type QueryError struct{ Err error }

func (e *QueryError) Error() string { return "query: " + e.Err.Error() }
func (e *QueryError) Unwrap() error { return e.Err }

// Views returns the SQL that makes the views of one set; of several sets, a schema for each, named
// like its directory, and views of their tables together with a first column "set".
func Views(sets []*results.Set) (string, error) {
	if len(sets) == 1 {
		return views.SQL(sets[0].Schema(), sets[0].Dir())
	}
	var b strings.Builder
	union := map[results.Table][]string{}
	for _, set := range sets {
		name := filepath.Base(set.Dir())
		statements, err := views.SQL(set.Schema(), set.Dir())
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "CREATE SCHEMA %s;\nUSE %[1]s;\n%s\n", identifier(name), statements)
		for _, t := range append(set.Schema().Tables(), results.Shards) {
			rows := fmt.Sprintf("SELECT %s AS set, * FROM %s.%s", literal(name), identifier(name), t)
			union[t] = append(union[t], rows)
		}
	}
	b.WriteString("USE main;\n")
	for _, t := range results.Tables() {
		if len(union[t]) > 0 {
			fmt.Fprintf(&b, "CREATE VIEW %s AS %s;\n", t, strings.Join(union[t], " UNION ALL BY NAME "))
		}
	}
	return b.String(), nil
}

// identifier quotes a name, literal a string.
func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
func literal(s string) string    { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
