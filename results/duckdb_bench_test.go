//go:build duckdb

package results_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// trajectoryParts builds parts of 60 steps per point with realistic metrics: smooth, with full
// mantissas.
func trajectoryParts(b *testing.B, parts, points int64) (*results.Schema, [][]results.Source) {
	s, err := results.NewSchema(nil, results.Options{Solver: sweep.BuiltinSolver(1), Trajectories: true})
	if err != nil {
		b.Fatal(err)
	}
	builder := s.NewBuilder()
	defer builder.Release()
	var list [][]results.Source
	const shard = 2000
	for first := int64(0); first < parts*points; first += shard {
		for i := first; i < first+shard; i++ {
			p := samplePoint(i)
			p.Parameters = nil
			if err := builder.AddPoint(p); err != nil {
				b.Fatal(err)
			}
			rate := 0.01 + float64(i%997)/9970
			for k := range int64(60) {
				x := math.Exp(-rate * float64(k))
				row := results.TrajectoryRow{
					Point: i,
					Step:  k * k,
					Metrics: results.Metrics{
						Loss:                  x * x / 3,
						SignalAlignment:       1 - x,
						SpikeAlignment:        x / 3,
						BulkAlignment:         2 * x / 3,
						SignalEnergy:          1 - x*x,
						WeightNorm2:           1 + x/7,
						TopEigenvectorOverlap: 1 - x/9,
						StableRank:            1 + 99*x,
					},
					SignalCoefficient: math.Sqrt(1 - x),
					SpikeCoefficient:  x / 11,
					BulkCoefficient:   math.NaN(),
				}
				if err := builder.AddTrajectory(row); err != nil {
					b.Fatal(err)
				}
			}
		}
		d, err := builder.Encode()
		if err != nil {
			b.Fatal(err)
		}
		if first%points == 0 {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], results.Source{
			Expectation: results.Expectation{First: first, End: first + shard, Points: -1},
			Open:        func(context.Context) (results.Delivery, error) { return d, nil }})
	}
	return s, list
}

// BenchmarkMergeAgainstDuckDB merges trajectories, parts in parallel on all cores, and compares the
// throughput with that of DuckDB copying the same rows to Parquet with the same codec and row
// groups.
func BenchmarkMergeAgainstDuckDB(b *testing.B) {
	cores := int64(runtime.GOMAXPROCS(0))
	s, parts := trajectoryParts(b, cores, 16_000)
	rows := float64(cores * 16_000 * 60)
	dir := b.TempDir()
	f := &folder{t: b, dir: dir, schema: s, manifest: results.Manifest{PointsByStatus: map[string]int64{}}}
	for _, table := range s.Tables() {
		f.write(table.String()+"/.keep", nil)
	}
	for _, list := range parts {
		f.part(list)
	}
	db, err := sql.Open("duckdb", "")
	f.check(err)
	defer db.Close()
	for _, query := range []string{
		fmt.Sprintf("SET threads = %d", cores),
		fmt.Sprintf("CREATE TABLE t AS SELECT * FROM read_parquet('%s/trajectories/part-*.parquet')", dir),
	} {
		_, err = db.Exec(query)
		f.check(err)
	}
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		var group sync.WaitGroup
		for _, list := range parts {
			group.Go(func() {
				if _, err := s.Merge(context.Background(), list, nil, discard); err != nil {
					b.Error(err)
				}
			})
		}
		group.Wait()
		ours += time.Since(start)
		start = time.Now()
		_, err := db.Exec(
			fmt.Sprintf(
				"COPY t TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 122880)",
				filepath.Join(dir, "copy.parquet"),
			),
		)
		f.check(err)
		theirs += time.Since(start)
	}
	b.ReportMetric(rows*float64(b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(rows*float64(b.N)/theirs.Seconds(), "duckdb-rows/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// BenchmarkEndToEnd builds, encodes, decodes and merges points of about 35 columns.
func BenchmarkEndToEnd(b *testing.B) {
	s, err := results.NewSchema(sampleParameters, results.Options{Solver: sweep.BuiltinSolver(1)})
	if err != nil {
		b.Fatal(err)
	}
	const points = 122_880
	rows := make([]results.PointRow, points)
	for i := range rows {
		rows[i] = samplePoint(int64(i))
	}
	builder := s.NewBuilder()
	defer builder.Release()
	for b.Loop() {
		var list []results.Source
		for first := int64(0); first < points; first += 15_360 {
			for _, row := range rows[first : first+15_360] {
				if err := builder.AddPoint(row); err != nil {
					b.Fatal(err)
				}
			}
			d, err := builder.Encode()
			if err != nil {
				b.Fatal(err)
			}
			list = append(
				list,
				results.Source{Expectation: results.Expectation{First: first, End: first + 15_360, Points: -1},
					Open: func(context.Context) (results.Delivery, error) { return d, nil }},
			)
		}
		if _, err := s.Merge(context.Background(), list, nil, discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(points)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(len(s.Columns(results.Points))), "columns")
}
