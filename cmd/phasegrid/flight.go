package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow/flight"
	flightpb "github.com/apache/arrow/go/v15/arrow/flight/gen/flight"
	parquetfile "github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/results"
)

// liveRowGroup is the length of a row group of a snapshot.
const liveRowGroup = 122_880

// snapshot copies the committed rows of a sweep, merged or not, into a result set below dir, and
// returns its folder.
func (r *remote) snapshot(ctx context.Context, sweep, dir string) (folder string, err error) {
	err = r.with(ctx, func(ctx context.Context, c *sweepClient) error {
		view, err := c.get(ctx, sweep)
		if err != nil {
			return err
		}
		if !filepath.IsLocal(view.ResultSet) {
			return fmt.Errorf("the coordinator names the result set %q, which is no folder's name", view.ResultSet)
		}
		files, err := c.files(ctx, view.ID)
		if err != nil {
			return err
		}
		folder = filepath.Join(dir, view.ResultSet)
		for _, f := range files {
			table := path.Dir(f.Path)
			if path.Base(f.Path) != path.Base(results.EmptyName(results.Points)) {
				continue
			}
			if err := fetchFile(ctx, c, view.ID, folder, f); err != nil {
				return err
			}
			if table == results.Shards.String() {
				continue // who computed what is known when a part is merged
			}
			if err := copyTable(ctx, c.conn, view.ID, table, filepath.Join(folder, table, "part-000000.parquet")); err != nil {
				return err
			}
		}
		return nil
	})
	return folder, err
}

// copyTable writes one table's committed rows to a new Parquet file.
func copyTable(ctx context.Context, conn grpc.ClientConnInterface, sweep, table, name string) (err error) {
	ticket, err := json.Marshal(map[string]string{"sweep": sweep, "table": table})
	if err != nil {
		return fmt.Errorf("encode a ticket: %w", err)
	}
	stream, err := flightpb.NewFlightServiceClient(conn).DoGet(ctx, &flightpb.Ticket{Ticket: ticket})
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	rows, err := flight.NewRecordReader(stream)
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
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
		parquetfile.NewWriterProperties(parquetfile.WithMaxRowGroupLength(liveRowGroup)),
		pqarrow.DefaultWriterProps(),
	)
	if err != nil {
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
