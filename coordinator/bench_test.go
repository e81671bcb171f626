package coordinator_test

import (
	"testing"

	"github.com/phasegrid/phasegrid/coordinator"
)

// TestSchedule runs a small measurement with many nodes: what it counts must be right, how fast it is is for bench.
func TestSchedule(t *testing.T) {
	store, _ := fileStore(t)
	r, err := coordinator.Schedule(t.Context(), coordinator.Bench{
		Config: coordinator.Config{Memory: coordinator.NewMemory(), Store: store}, Nodes: 20, Slots: 2, Shards: 200, Points: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Shards < 190 || r.Points != 600 || r.Transactions == 0 || r.P99 < r.P50 || r.ShardsPerSecond <= 0 {
		t.Errorf("measured %+v", r)
	}
}

// BenchmarkSchedule is one shard through the coordinator, by ledger.
func BenchmarkSchedule(b *testing.B) {
	for _, c := range []struct {
		name          string
		embedded      bool
		nodes, points int
		rate          float64
	}{
		{"memory", false, 8, 1, 0},
		{"embedded", true, 8, 1, 0},
		{"embedded-1000-nodes", true, 1000, 1, 0},
		{"embedded-1000-a-second", true, 8, 1, 1000},
		{"embedded-wide", true, 8, 16000, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				store, err := coordinator.OpenFileStore(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				shards := 10000
				if c.points > 1 {
					shards = 60
				}
				cfg := coordinator.Config{Store: store}
				if c.embedded {
					cfg.Embedded = b.TempDir()
				} else {
					cfg.Memory = coordinator.NewMemory()
				}
				r, err := coordinator.Schedule(b.Context(), coordinator.Bench{Config: cfg, Nodes: c.nodes, Slots: 2, Shards: shards, Points: c.points, Rate: c.rate})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(r.ShardsPerSecond, "shards/s")
				b.ReportMetric(r.PointsPerSecond, "points/s")
				b.ReportMetric(float64(r.Transactions)/float64(r.Shards), "txns/shard")
				b.ReportMetric(r.P99.Seconds()*1e3, "p99-ms")
				b.ReportMetric(float64(r.HeapBytes)/1e6, "heap-MB")
				b.ReportMetric(r.FirstLease.Seconds(), "lease-s")
			}
		})
	}
}
