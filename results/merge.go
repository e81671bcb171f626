package results

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
)

// File is one complete Parquet file of a set.
type File struct {
	Table  Table
	Bytes  int64
	Rows   int64
	SHA256 [32]byte
}

// Source is one committed shard of a part.
type Source struct {
	Expectation Expectation
	// Open returns the shard's delivery. Merge opens one at a time and keeps none.
	Open func(context.Context) (Delivery, error)
}

// Output opens the file that a merged table is written to; it is not published yet.
type Output func(Table) (io.Writer, error)

// Merge writes the Parquet files of one part: the shards' rows in index order, for any order of
// sources, and the log of the shards. Equal rows give equal bytes. It checks each delivery again;
// its memory is one row group per table plus one payload. After an error nothing that was written
// may be published, even if it looks complete.
func (s *Schema) Merge(ctx context.Context, sources []Source, log []ShardRow, output Output) ([]File, error) {
	sources = slices.SortedFunc(
		slices.Values(sources),
		func(a, b Source) int { return cmp.Compare(a.Expectation.First, b.Expectation.First) },
	)
	for i := 1; i < len(sources); i++ {
		if a, b := sources[i-1].Expectation, sources[i].Expectation; b.First < a.End {
			return nil, fmt.Errorf(
				"results: merge: shards [%d, %d) and [%d, %d) overlap", a.First, a.End, b.First, b.End,
			)
		}
	}
	var writers [numTables]*tableWriter
	for _, t := range s.Tables() {
		w, err := output(t)
		if err != nil {
			return nil, err
		}
		if writers[t], err = s.newTableWriter(t, w); err != nil {
			return nil, err
		}
	}
	for _, source := range sources {
		if err := s.mergeShard(ctx, source, &writers); err != nil {
			return nil, fmt.Errorf(
				"results: merge shard [%d, %d): %w", source.Expectation.First, source.Expectation.End, err,
			)
		}
	}
	if err := writers[Shards].write(shardBatch(log)); err != nil {
		return nil, err
	}
	var files []File
	for _, t := range s.Tables() {
		f, err := writers[t].close()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// mergeShard appends the rows of one shard.
func (s *Schema) mergeShard(ctx context.Context, source Source, writers *[numTables]*tableWriter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	delivery, err := source.Open(ctx)
	if err != nil {
		return err
	}
	shard, err := s.Decode(delivery, source.Expectation)
	if err != nil {
		return err
	}
	for _, t := range s.deliverable() {
		for _, b := range shard.tables[t] {
			if err := writers[t].write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteEmpty writes a table's Parquet file without rows, from which a set has its columns before
// its first part.
func (s *Schema) WriteEmpty(t Table, w io.Writer) (File, error) {
	tw, err := s.newTableWriter(t, w)
	if err != nil {
		return File{}, err
	}
	return tw.close()
}

// shardBatch returns the log as a batch, ordered by shard.
func shardBatch(log []ShardRow) batch {
	b := &batchCells{batch: batch{rows: len(log), columns: make([]column, len(shardFields))}}
	byShard := func(a, b ShardRow) int { return cmp.Compare(a.Shard, b.Shard) }
	for _, r := range slices.SortedFunc(slices.Values(log), byShard) {
		b.next = 0
		writeFields(b, shardFields, &r)
	}
	return b.batch
}

// batchCells builds a batch of required integers and texts.
type batchCells struct {
	batch batch
	next  int // column of the next cell
}

var _ cells = (*batchCells)(nil)

func (b *batchCells) number(float64) { panic("results: a column of the shards table is a float") }

func (b *batchCells) cell(kind Kind, v Cell) {
	c := &b.batch.columns[b.next]
	b.next++
	if kind != String {
		c.ints = append(c.ints, v.Int)
		return
	}
	if c.ends == nil {
		c.ends = []int32{0}
	}
	c.data = append(c.data, v.Text...)
	c.ends = append(c.ends, int32(len(c.data)))
}
