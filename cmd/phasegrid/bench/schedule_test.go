package bench

import (
	"testing"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// TestSchedule runs a small measurement with many nodes and checks what it counts.
func TestSchedule(t *testing.T) {
	sets, err := store.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := schedule{
		Config: coordinator.Config{
			Ledger: ledger.NewMemory(),
			Store:  sets,
		}, Nodes: 20, Slots: 2, Shards: 200, Points: 3,
	}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Shards != 200 || r.Delivered != 200 || r.Points != 600 || r.Transactions == 0 || r.P99 < r.P50 ||
		r.ShardsPerSecond <= 0 {
		t.Errorf("measured %+v", r)
	}
}

// BenchmarkSchedule measures one shard through the coordinator, by ledger.
func BenchmarkSchedule(b *testing.B) {
	for _, c := range []struct {
		name          string
		embedded      bool
		nodes, points int
		rate          float64
	}{
		{"memory", false, 8, 1, 0},
		{"embedded", true, 8, 1, 0},
		{"embedded-100-nodes", true, 100, 1, 0},
		{"embedded-1000-nodes", true, 1000, 1, 0},
		{"embedded-1000-a-second", true, 8, 1, 1000},
		{"embedded-wide", true, 8, 16000, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				sets, err := store.OpenFolder(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				shards := 10000
				if c.points > 1 {
					shards = 60
				}
				cfg := coordinator.Config{Store: sets}
				if c.embedded {
					cfg.Embedded = b.TempDir()
				} else {
					cfg.Ledger = ledger.NewMemory()
				}
				r, err := schedule{
					Config: cfg, Nodes: c.nodes, Slots: 2, Shards: shards, Points: c.points, Rate: c.rate,
				}.run(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(r.ShardsPerSecond, "shards/s")
				b.ReportMetric(r.PointsPerSecond, "points/s")
				b.ReportMetric(float64(r.Transactions)/float64(r.Shards), "txns/shard")
				b.ReportMetric(r.P99.Seconds()*1e3, "p99-ms")
				b.ReportMetric(float64(r.HeapBytes)/1e6, "heap-MB")
				b.ReportMetric(r.P50.Seconds()*1e3, "p50-ms")
				b.ReportMetric(r.Leasing.Seconds(), "leasing-s")
				b.ReportMetric(r.Spool.Seconds()*1e3, "spool-ms")
				b.ReportMetric(r.Transaction.Seconds()*1e3, "txn-ms")
				b.ReportMetric(r.FirstLease.Seconds(), "lease-s")
			}
		})
	}
}

// TestScheduleResumes stops a measurement half-way; the next one on the same state does the rest.
func TestScheduleResumes(t *testing.T) {
	sets, err := store.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := schedule{
		Config: coordinator.Config{
			Embedded: t.TempDir(),
			Store:    sets,
		}, Nodes: 2, Slots: 2, Shards: 300, Points: 2, StopAfter: 150,
	}
	half, err := b.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.StopAfter = 0
	rest, err := b.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const underWay = 4 // may be committed without an answer to their nodes
	if sum := half.Delivered + rest.Delivered; half.Shards != 300 || half.Delivered < 150 || sum < 300-underWay ||
		sum > 300 {
		t.Errorf("delivered %d and %d of %d shards", half.Delivered, rest.Delivered, half.Shards)
	}
	if half.StateBytes == 0 || rest.StateBytes == 0 {
		t.Errorf("%d and %d bytes of state", half.StateBytes, rest.StateBytes)
	}
}
