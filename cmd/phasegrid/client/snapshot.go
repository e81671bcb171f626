package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	parquetfile "github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/phasegrid/phasegrid/results"
)

// CopyCommitted copies the committed rows of a sweep, merged or not, into a result set below dir,
// and returns its folder.
func (c *Client) CopyCommitted(ctx context.Context, ref, dir string) (folder string, err error) {
	s, err := c.Get(ctx, ref)
	if err != nil {
		return "", err
	}
	if folder, err = setFolder(dir, s); err != nil {
		return "", err
	}
	files, err := c.files(ctx, s.ID)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		table := path.Dir(f.Path)
		if path.Base(f.Path) != path.Base(results.EmptyName(results.Points)) {
			continue
		}
		if err := c.download(ctx, s.ID, folder, f); err != nil {
			return "", err
		}
		if table == results.Shards.String() {
			continue // a shard's row is made when its part is merged
		}
		if err := c.copyTable(ctx, s.ID, table, filepath.Join(folder, table, "part-000000.parquet")); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// copyTable writes one table's committed rows to a new Parquet file, with the name and the
// footer of the table's file without rows, so that the copy is read like a result set.
func (c *Client) copyTable(ctx context.Context, id, table, name string) error {
	rows, err := c.Rows(ctx, id, table)
	if err != nil {
		return err
	}
	defer rows.Release()
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("copy %s: %w", table, err)
	}
	defer f.Close()
	w, err := pqarrow.NewFileWriter(
		rows.Schema(),
		f,
		parquetfile.NewWriterProperties(
			parquetfile.WithRootName(table), parquetfile.WithMaxRowGroupLength(results.RowGroupRows),
		),
		pqarrow.DefaultWriterProps(),
	)
	if err != nil {
		return fmt.Errorf("copy %s: %w", table, err)
	}
	empty := filepath.Join(filepath.Dir(name), path.Base(results.EmptyName(results.Points)))
	if err := copyFooter(w, empty); err != nil {
		return fmt.Errorf("copy %s: %w", table, err)
	}
	for rows.Next() {
		if err := w.WriteBuffered(rows.Record()); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	if err := rows.Err(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", table, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("copy %s: %w", table, err)
	}
	return nil
}

// copyFooter gives a file the keys and values of another one's footer: schema and solver.
func copyFooter(to *pqarrow.FileWriter, from string) error {
	empty, err := file.OpenParquetFile(from, false)
	if err != nil {
		return err
	}
	defer empty.Close()
	footer := empty.MetaData().KeyValueMetadata()
	for i, key := range footer.Keys() {
		if err := to.AppendKeyValueMetadata(key, footer.Values()[i]); err != nil {
			return err
		}
	}
	return nil
}
