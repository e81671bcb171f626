package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// MergeConfig configures the measurement of merges.
type MergeConfig struct {
	Rows int64 // of trajectories
}

const (
	maxMergeRows = 1_000_000_000
	mergeSteps   = 60    // trajectory rows of a point
	mergeShard   = 2_000 // points
	mergeRounds  = 3
)

// check returns an error about values that are out of range.
func (c MergeConfig) check() error {
	if c.Rows < 1 || c.Rows > maxMergeRows {
		return fmt.Errorf("--rows: got %d, want 1..%d", c.Rows, maxMergeRows)
	}
	return nil
}

func measureMerge(ctx context.Context, cfg Config, report *Report) error {
	rows := cfg.Merge.Rows
	if cfg.Short {
		rows = 1
	}
	folder, remove, err := tempFolder("")
	if err != nil {
		return err
	}
	defer remove()
	cores := int64(runtime.GOMAXPROCS(0))
	shards := (rows/cores + mergeSteps*mergeShard - 1) / (mergeSteps * mergeShard)
	report.begin("%d parts of %d rows", cores, shards*mergeShard*mergeSteps)
	m := spooledShards{folder: folder}
	if err := m.spool(ctx, cores, max(1, shards)); err != nil {
		return err
	}
	return m.duckdb(ctx, func(copyRows func(context.Context) error) error { return m.measure(ctx, report, copyRows) })
}

// spooledShards are shards on disk, by part.
type spooledShards struct {
	folder string
	schema *results.Schema
	parts  [][]results.Source
	rows   int64 // of trajectories
}

// spool writes the shards. Metrics are smooth and have full mantissas, like those of runs.
func (m *spooledShards) spool(ctx context.Context, parts, shards int64) (err error) {
	options := results.Options{Solver: sweep.BuiltinSolver(1), Trajectories: true}
	if m.schema, err = results.NewSchema(nil, options); err != nil {
		return err
	}
	builder := m.schema.NewBuilder()
	defer builder.Release()
	for part := range parts {
		m.parts = append(m.parts, nil)
		for shard := range shards {
			if err := ctx.Err(); err != nil {
				return err
			}
			first := (part*shards + shard) * mergeShard
			for i := first; i < first+mergeShard; i++ {
				if err := addMergePoint(builder, i); err != nil {
					return err
				}
			}
			d, err := builder.Encode()
			if err != nil {
				return err
			}
			source, err := spooled(filepath.Join(m.folder, fmt.Sprintf("shard-%08d", first)), d)
			if err != nil {
				return err
			}
			source.Expectation = results.Expectation{First: first, End: first + mergeShard, Points: -1}
			m.parts[part] = append(m.parts[part], source)
			m.rows += mergeShard * mergeSteps
		}
	}
	return nil
}

// spooled writes the bytes of a delivery to a file.
func spooled(path string, d results.Delivery) (results.Source, error) {
	if err := os.WriteFile(path, d.Payload, 0o600); err != nil {
		return results.Source{}, err
	}
	d.Payload = nil
	return results.Source{Open: func(context.Context) (results.Delivery, error) {
		read := d
		var err error
		read.Payload, err = os.ReadFile(path)
		return read, err
	}}, nil
}

// addMergePoint adds a point whose metrics relax at a rate that depends on i.
func addMergePoint(b *results.Builder, i int64) error {
	point := results.PointRow{
		Point: i, PointID: [16]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)},
		Representation: "reduced", Status: results.StatusOK,
		RunSummary: results.RunSummary{
			Metrics:    results.Metrics{SignalAlignment: 1, WeightNorm2: 1, StableRank: 1},
			EscapeStep: -1, StepsTo90: -1, StepsTo99: -1, PeakSpikeStep: -1, DivergedStep: -1,
			StepsRun: (mergeSteps - 1) * (mergeSteps - 1),
		},
	}
	if err := b.AddPoint(point); err != nil {
		return err
	}
	rate := 0.01 + float64(i%997)/9970
	for k := range int64(mergeSteps) {
		x := math.Exp(-rate * float64(k))
		err := b.AddTrajectory(results.TrajectoryRow{
			Point: i, Step: k * k,
			Metrics: results.Metrics{
				Loss: x * x / 3, SignalAlignment: 1 - x, SpikeAlignment: x / 3, BulkAlignment: 2 * x / 3,
				SignalEnergy: 1 - x*x, WeightNorm2: 1 + x/7, TopEigenvectorOverlap: 1 - x/9, StableRank: 1 + 99*x,
			},
			SignalCoefficient: math.Sqrt(1 - x), SpikeCoefficient: x / 11, BulkCoefficient: math.NaN(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// merge writes all parts at once, below a directory of that name, and returns the bytes of the
// trajectories.
func (m *spooledShards) merge(ctx context.Context, name string) (bytes int64, err error) {
	folder := filepath.Join(m.folder, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, err
	}
	sizes, errs := make([]int64, len(m.parts)), make([]error, len(m.parts))
	var group sync.WaitGroup
	for i, sources := range m.parts {
		group.Go(func() { sizes[i], errs[i] = m.mergePart(ctx, folder, i, sources) })
	}
	group.Wait()
	for _, n := range sizes {
		bytes += n
	}
	return bytes, errors.Join(errs...)
}

func (m *spooledShards) mergePart(
	ctx context.Context,
	folder string,
	part int,
	sources []results.Source,
) (bytes int64, err error) {
	var open []*os.File
	defer func() {
		for _, f := range open {
			err = errors.Join(err, f.Close())
		}
	}()
	files, err := m.schema.Merge(ctx, sources, nil, func(t results.Table) (io.Writer, error) {
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%06d.parquet", t, part)))
		if err == nil {
			open = append(open, f)
		}
		return f, err
	})
	for _, f := range files {
		if f.Table == results.Trajectories {
			bytes = f.Bytes
		}
	}
	return bytes, err
}

// measure takes the figures. theirs writes the same rows; it is nil if there is nothing to compare
// with.
func (m *spooledShards) measure(ctx context.Context, report *Report, theirs func(context.Context) error) error {
	var times, ratios []float64
	var bytes int64
	var peak uint64
	for round := range mergeRounds {
		runtime.GC()
		before := heapBytes()
		watch := watchHeap()
		start := time.Now()
		n, err := m.merge(ctx, "ours")
		took := time.Since(start).Seconds()
		high := watch()
		if err != nil {
			return err
		}
		bytes, peak = n, max(peak, high-min(before, high))
		times = append(times, took)
		if theirs == nil {
			continue
		}
		start = time.Now()
		if err := theirs(ctx); err != nil {
			return fmt.Errorf("DuckDB's COPY, round %d: %w", round+1, err)
		}
		ratios = append(ratios, time.Since(start).Seconds()/took)
	}
	seconds := median(times)
	f := Figure{
		Name:  fmt.Sprintf("trajectories merged, %d rows", m.rows),
		Value: float64(m.rows) / seconds,
		Unit:  "rows/s",
		Note:  "this build has no DuckDB, which make build links if there is a C++ compiler",
	}
	var targets []Target
	if len(ratios) > 0 {
		f.Ratio, f.Baseline, f.Note, targets = median(ratios), "DuckDB COPY", "", []Target{ratioAtLeast(0.3)}
	}
	report.add(f, targets...)
	report.add(Figure{Name: "Parquet written", Value: float64(bytes) / seconds / 1e6, Unit: "MB/s"})
	report.add(
		Figure{
			Name:  fmt.Sprintf("heap of a merge of %d parts", len(m.parts)),
			Value: float64(peak) / mebibyte,
			Unit:  "MiB",
		},
		atMost(256),
	)
	return nil
}

const heapMetric = "/memory/classes/heap/objects:bytes"

// heapBytes is the size of all objects, including dead ones that are not swept yet.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: heapMetric}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap samples the heap until stop is called, which returns the largest size seen.
func watchHeap() (stop func() uint64) {
	done, high := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		largest := heapBytes()
		for {
			select {
			case <-tick.C:
				largest = max(largest, heapBytes())
			case <-done:
				high <- max(largest, heapBytes())
				return
			}
		}
	}()
	return func() uint64 { close(done); return <-high }
}
