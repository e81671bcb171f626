package results_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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

// Equal rows give equal files from one release to the next: schema, field metadata, encodings and
// compression are part of what readers compare.
func TestMergeWritesTheSameBytesAsEarlierReleases(t *testing.T) {
	want := map[results.Table]string{
		results.Points:       "8771bef3fb2ac5a8ad7be6923ee7c539cb5dbcc2b61ec29f9b7b0eeccd837dc0",
		results.Trajectories: "0a2cc6f905ecdd9368bfdeb36c5a365370424836a06308c5893a883a87739874",
		results.Coefficients: "a2a71e61c0dae4f9420400a29770c80468541222e382db953bea9165ccc428e8",
		results.Shards:       "e93685e5050a1eda058f6a43e13265ed9f319ddcdb51c1bf6e989e0ef348e0a4",
	}
	s := sampleSchema(t)
	log := []results.ShardRow{{Shard: 1, First: 300, End: 600, Points: 300, Node: "b", Attempts: 2, SolverVersion: 3,
		ArithmeticClass: "fma", Kernel: "avx2", Started: 1, Finished: 2, Bytes: 3}, {End: 300, Points: 300, Node: "a"}}
	for table, got := range merge(t, s, sources(t, s, 600, 300), log) {
		if sum := fmt.Sprintf("%x", sha256.Sum256(got.Bytes())); sum != want[table] {
			t.Errorf("%s: SHA-256 is %s; want %s", table, sum, want[table])
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

func TestMergeRefusesOverlapsAndFailedWrites(t *testing.T) {
	s := sampleSchema(t)
	list := sources(t, s, 300, 100)
	discard := func(results.Table) (io.Writer, error) { return io.Discard, nil }
	if _, err := s.Merge(context.Background(), append(list, list[1]), nil, discard); err == nil {
		t.Error("a doubled shard was merged")
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

func BenchmarkMerge(b *testing.B) {
	s := sampleSchema(b)
	list := sources(b, s, 64_000, 16_000)
	b.ResetTimer()
	for range b.N {
		if _, err := s.Merge(context.Background(), list, nil, func(results.Table) (io.Writer, error) { return io.Discard, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
