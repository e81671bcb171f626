package results_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/phasegrid/phasegrid/results"
)

func TestMergeGivesTheSameBytesForAnyOrderAndCuts(t *testing.T) {
	s := sampleSchema(t)
	const points = 5000
	want := merge(t, s, sources(t, s, points, points), nil)
	for _, size := range []int64{1000, 333, 4999} {
		list := sources(t, s, points, size)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for table, got := range merge(t, s, list, nil) {
			if !bytes.Equal(got.Bytes(), want[table].Bytes()) {
				t.Errorf("shards of %d: %s differs", size, table)
			}
		}
	}
}

func TestMergeCutsRowGroupsByRows(t *testing.T) {
	s := sampleSchema(t)
	out := merge(t, s, sources(t, s, 41_000, 8000), nil)
	r, err := file.NewParquetReader(bytes.NewReader(out[results.Trajectories].Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.NumRows(); got != 123_000 {
		t.Errorf("%d rows; want 123000", got)
	}
	if r.NumRowGroups() != 2 || r.RowGroup(0).NumRows() != 122_880 {
		t.Errorf("%d row groups, the first of %d rows", r.NumRowGroups(), r.RowGroup(0).NumRows())
	}
}

func TestMergeRejectsOverlapsAndFailedWrites(t *testing.T) {
	s := sampleSchema(t)
	list := sources(t, s, 300, 100)
	if _, err := s.Merge(context.Background(), append(list, list[1]), nil, discard); err == nil {
		t.Error("a duplicate shard was merged")
	}
	full := errors.New("no space left on device")
	for _, room := range []int{0, 3, 100, 20_000} {
		_, err := s.Merge(context.Background(), list, nil, func(results.Table) (io.Writer, error) {
			return &fullDisk{room: room, err: full}, nil
		})
		if !errors.Is(err, full) {
			t.Errorf("room for %d bytes: error %v", room, err)
		}
	}
	broken := list[1].Open
	list[1].Open = func(ctx context.Context) (results.Delivery, error) {
		d, err := broken(ctx)
		d.Payload = bytes.Clone(d.Payload)
		d.Payload[len(d.Payload)/2] ^= 4
		return d, err
	}
	if _, err := s.Merge(context.Background(), list, nil, discard); results.ReasonOf(err) != results.Corrupt {
		t.Errorf("a flipped bit in a spooled shard: %v", err)
	}
}

// fullDisk takes room bytes.
type fullDisk struct {
	room int
	err  error
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return d.room, d.err
	}
	d.room -= len(p)
	return len(p), nil
}

func discard(results.Table) (io.Writer, error) { return io.Discard, nil }

func BenchmarkMerge(b *testing.B) {
	s := sampleSchema(b)
	list := sources(b, s, 64_000, 16_000)
	b.ResetTimer()
	for range b.N {
		if _, err := s.Merge(context.Background(), list, nil, discard); err != nil {
			b.Fatal(err)
		}
	}
}
