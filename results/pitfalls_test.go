package results_test

// Tests for traps of Arrow and Parquet v15 that once caused wrong files or a crash, and for what a
// later version of them could change: the bytes of files and the memory of a merge.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/phasegrid/phasegrid/results"
)

func parquetFile(t *testing.T, b *bytes.Buffer) *file.Reader {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The Arrow reader of the same library counts the same nulls in nullable columns without nulls,
// with some nulls and with nulls only.
func TestNullableColumnsKeepTheirNulls(t *testing.T) {
	s := sampleSchema(t)
	out := merge(t, s, sources(t, s, 500, 125), nil)
	r, err := pqarrow.NewFileReader(parquetFile(t, out[results.Points]), pqarrow.ArrowReadProperties{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	nulls := map[string]int{
		"model":       0,
		"optimizer":   0,
		"spikes":      375,
		"seed":        500,
		"steps_to_99": 500,
		"stable_rank": 0,
	}
	for name, want := range nulls {
		column := table.Column(table.Schema().FieldIndices(name)[0])
		if column.NullN() != want || column.Len() != 500 {
			t.Errorf("%s: %d nulls of %d rows; want %d", name, column.NullN(), column.Len(), want)
		}
	}
}

func TestFooterHasStatisticsForDuckDB(t *testing.T) {
	s := sampleSchema(t)
	out := merge(t, s, sources(t, s, 500, 500), nil)
	for _, table := range s.Tables() {
		meta := parquetFile(t, out[table]).MetaData()
		if table == results.Shards {
			continue
		}
		if got := meta.KeyValueMetadata().Keys(); len(got) != 2 {
			t.Errorf("%s: footer keys %q; want the schema and the solver version only", table, got)
		}
		for i, c := range s.Columns(table) {
			node := meta.Schema.Column(i)
			if node.SchemaNode().FieldID() != int32(i+1) {
				t.Errorf("%s.%s: field id %d", table, c.Name, node.SchemaNode().FieldID())
			}
			if required := node.MaxDefinitionLevel() == 0; required == c.Nullable {
				t.Errorf("%s.%s: required %v", table, c.Name, required)
			}
			chunk, err := meta.RowGroup(0).ColumnChunk(i)
			if err != nil {
				t.Fatal(err)
			}
			if chunk.Compression() != compress.Codecs.Zstd {
				t.Errorf("%s.%s: codec %s", table, c.Name, chunk.Compression())
			}
			stats, err := chunk.Statistics()
			if err != nil || stats == nil {
				t.Errorf("%s.%s: no statistics: %v", table, c.Name, err)
				continue
			}
			if stats.NullCount() < 0 || stats.NullCount()+stats.NumValues() != chunk.NumValues() {
				t.Errorf(
					"%s.%s: %d nulls + %d values of %d rows",
					table,
					c.Name,
					stats.NullCount(),
					stats.NumValues(),
					chunk.NumValues(),
				)
			}
			if !stats.HasMinMax() && stats.NumValues() > 0 {
				t.Errorf("%s.%s: no minimum and maximum", table, c.Name)
			}
		}
	}
}

// Long texts that all differ exceed any limit on a dictionary. It must not fall back to plain
// values within a chunk, because the footer would list the two encodings in random order.
func TestLargeDictionariesGiveTheSameBytes(t *testing.T) {
	s := sampleSchema(t)
	b := s.NewBuilder()
	defer b.Release()
	for i := range int64(3000) {
		p := samplePoint(i)
		p.Parameters[5] = results.Cell{Text: fmt.Sprintf("[%d,%s1]", i, strings.Repeat("2.5,", 250))}
		if err := b.AddPoint(p); err != nil {
			t.Fatal(err)
		}
	}
	d, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	list := []results.Source{{Expectation: results.Expectation{End: 3000, Points: -1},
		Open: func(context.Context) (results.Delivery, error) { return d, nil }}}
	want := merge(t, s, list, nil)[results.Points]
	for range 8 {
		if got := merge(t, s, list, nil)[results.Points]; !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatal("the same rows gave other bytes")
		}
	}
}

// A writer that fails anywhere causes an error, never a file that passes Check.
func TestEveryFailedWriteIsReported(t *testing.T) {
	s := sampleSchema(t)
	list := sources(t, s, 200, 200)
	whole := merge(t, s, list, nil)[results.Points].Len()
	for room := 0; room < whole; room += whole / 50 {
		_, err := s.Merge(context.Background(), list, nil, func(table results.Table) (io.Writer, error) {
			if table == results.Points {
				return &fullDisk{room: room, err: io.ErrShortWrite}, nil
			}
			return io.Discard, nil
		})
		if err == nil {
			t.Errorf("room for %d of %d bytes: no error", room, whole)
		}
	}
}

func TestFullDiskIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full on this system")
	}
	defer full.Close()
	s := sampleSchema(t)
	_, err = s.Merge(
		context.Background(),
		sources(t, s, 200, 200),
		nil,
		func(results.Table) (io.Writer, error) { return full, nil },
	)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v; want ENOSPC", err)
	}
}

// The parts of a sweep are encoded alike: these bytes change only with the plan version, or with
// the columns of a new solver version.
func TestGoldenBytes(t *testing.T) {
	s := sampleSchema(t)
	out := merge(t, s, sources(t, s, 1000, 300), []results.ShardRow{{Shard: 0, End: 1000, Node: "n"}})
	for table, want := range map[results.Table]string{
		results.Points:       "5595980cb76d0899",
		results.Trajectories: "744824e1422a87a2",
		results.Coefficients: "2544f73b38aae69b",
		results.Shards:       "b93066e468e1c4a5",
	} {
		sum := sha256.Sum256(out[table].Bytes())
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s: %s; want %s", table, got, want)
		}
	}
}

// The memory of a merge is one row group per table and one payload, for any length of the part.
func TestMergeMemoryIsFlat(t *testing.T) {
	s, err := results.NewSchema(nil, results.Options{Trajectories: true})
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBuilder()
	defer b.Release()
	const shards, steps = 40, 50_000
	var list []results.Source
	peak := uint64(0)
	for i := range int64(shards) {
		list = append(list, results.Source{Expectation: results.Expectation{First: i, End: i + 1, Points: -1},
			Open: func(context.Context) (results.Delivery, error) {
				p := samplePoint(11 * i)
				p.Point, p.Parameters = i, nil
				if err := b.AddPoint(p); err != nil {
					return results.Delivery{}, err
				}
				for k := range int64(steps) {
					metrics := results.Metrics{Loss: 1 / float64(k+1)}
					if err := b.AddTrajectory(results.TrajectoryRow{Point: i, Step: k, Metrics: metrics}); err != nil {
						return results.Delivery{}, err
					}
				}
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
				return b.Encode()
			}})
	}
	files, err := s.Merge(
		context.Background(),
		list,
		nil,
		func(results.Table) (io.Writer, error) { return io.Discard, nil },
	)
	if err != nil {
		t.Fatal(err)
	}
	if files[1].Rows != shards*steps {
		t.Errorf("%d rows", files[1].Rows)
	}
	if peak > 128<<20 {
		t.Errorf("%d MiB live while merging", peak>>20)
	}
}
