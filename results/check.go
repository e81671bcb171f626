package results

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
)

// Check reads a written file back and compares it with what Merge returned: size, SHA-256, and the
// footer's table and number of rows. Only files that pass may be published: the Parquet library can
// leave a well-formed file with fewer rows.
func Check(r io.ReaderAt, size int64, want File) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, size)); err != nil {
		return fmt.Errorf("results: read back %s: %w", want.Table, err)
	}
	if size != want.Bytes || [32]byte(hash.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("results: read back %s: got %d bytes with SHA-256 %x, want %d with %x",
			want.Table, size, hash.Sum(nil), want.Bytes, want.SHA256)
	}
	f, err := NewReader(r, size)
	if err != nil {
		return err
	}
	if f.table != want.Table || f.Rows() != want.Rows {
		return fmt.Errorf("results: read back %s: got %d rows of %s, want %d", want.Table, f.Rows(), f.table, want.Rows)
	}
	return nil
}

// maxLogRowBytes bounds the size of a shards file by its number of rows, so that a file of unknown
// origin is not read into memory.
const maxLogRowBytes, maxLogFooterBytes = 4 << 10, 1 << 20

// CheckLog reads a shards file that was found in the place of another one, with rows log: it must
// have the schema's columns and solver, and a row for each of these shards with the same indices
// and number of points. Nodes and times may differ.
func (s *Schema) CheckLog(ctx context.Context, r io.ReaderAt, size int64, log []ShardRow) error {
	if most := maxLogFooterBytes + int64(len(log))*maxLogRowBytes; size > most {
		return fmt.Errorf("results: read back %s: got %d bytes, want at most %d", Shards, size, most)
	}
	f, err := NewReader(r, size)
	if err != nil {
		return err
	}
	if !slices.Equal(f.columns, s.Columns(Shards)) || f.solver != s.options.Solver {
		return fmt.Errorf("results: read back %s: columns or solver differ", Shards)
	}
	i := 0
	for row, err := range f.Shards(ctx) {
		if err != nil {
			return fmt.Errorf("results: read back %s: %w", Shards, err)
		}
		if i == len(log) {
			return fmt.Errorf("results: read back %s: got more than %d rows", Shards, i)
		}
		if got, want := extentOf(row), extentOf(log[i]); got != want {
			return fmt.Errorf("results: read back %s: row %d: got shard %+v, want %+v", Shards, i, got, want)
		}
		i++
	}
	if i != len(log) {
		return fmt.Errorf("results: read back %s: got %d rows, want %d", Shards, i, len(log))
	}
	return nil
}

// shardExtent is what a row of the shards table says of a shard itself.
type shardExtent struct{ Shard, First, End, Points int64 }

func extentOf(r ShardRow) shardExtent { return shardExtent{r.Shard, r.First, r.End, r.Points} }
