//go:build duckdb

package chaos

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"github.com/phasegrid/phasegrid/results"
)

// mergedBy is what counts the rows of merged files.
const mergedBy = "DuckDB"

// countMerged counts the rows of a table's merged files by DuckDB.
func countMerged(ctx context.Context, set string, t results.Table) (rows int64, err error) {
	glob := filepath.Join(set, t.String(), "part-*.parquet")
	if names, err := filepath.Glob(glob); err != nil || len(names) == 0 {
		return 0, err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return 0, fmt.Errorf("open DuckDB: %w", err)
	}
	defer db.Close()
	key := "point"
	if t == results.Trajectories {
		key = "(point, step)"
	}
	var different int64
	query := fmt.Sprintf("SELECT count(*), count(DISTINCT %s) FROM read_parquet(?)", key)
	if err := db.QueryRowContext(ctx, query, glob).Scan(&rows, &different); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, fmt.Errorf("%w: DuckDB: %w", errWrongRows, err)
	}
	if different != rows {
		return 0, fmt.Errorf("%w: %d rows with %d distinct %s", errWrongRows, rows, different, key)
	}
	return rows, nil
}
