//go:build duckdb

package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
)

// duckdb loads the merged rows into a database in memory and calls measure with a function that
// copies them to Parquet.
func (m *spooledShards) duckdb(ctx context.Context, measure func(copyRows func(context.Context) error) error) error {
	if _, err := m.merge(ctx, "ours"); err != nil {
		return err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	defer db.Close()
	merged := filepath.Join(m.folder, "ours", "trajectories-*.parquet")
	for _, query := range []string{
		fmt.Sprintf("SET threads = %d", runtime.GOMAXPROCS(0)),
		fmt.Sprintf("CREATE TABLE t AS SELECT * FROM read_parquet('%s')", merged),
	} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("load the rows into DuckDB: %w", err)
		}
	}
	copied := filepath.Join(m.folder, "theirs.parquet")
	return measure(func(ctx context.Context) error {
		_, err := db.ExecContext(
			ctx,
			fmt.Sprintf(
				"COPY t TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 122880)",
				copied,
			),
		)
		return err
	})
}
