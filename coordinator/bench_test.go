package coordinator_test

import (
	"context"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// TestSchedule runs a small measurement with many nodes: what it counts must be right, how fast it
// is is for bench.
func TestSchedule(t *testing.T) {
	store, _ := fileStore(t)
	r, err := coordinator.Schedule(t.Context(), coordinator.Bench{
		Config: coordinator.Config{
			Ledger: ledger.NewMemory(),
			Store:  store,
		}, Nodes: 20, Slots: 2, Shards: 200, Points: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Shards != 200 || r.Delivered != 200 || r.Points != 600 || r.Transactions == 0 || r.P99 < r.P50 ||
		r.ShardsPerSecond <= 0 {
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
				r, err := coordinator.Schedule(
					b.Context(),
					coordinator.Bench{
						Config: cfg,
						Nodes:  c.nodes,
						Slots:  2,
						Shards: shards,
						Points: c.points,
						Rate:   c.rate,
					},
				)
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

// BenchmarkSubmit is a sweep of 10 million points from the request to the answer.
func BenchmarkSubmit(b *testing.B) {
	for b.Loop() {
		sets, err := store.OpenFolder(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		c := start(b, coordinator.Config{Embedded: b.TempDir(), Store: sets})
		c.leading(ctx)
		began := time.Now()
		m := c.submit(ctx, `
name: ten-million
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.01, learning_rate: 0.001, dimension: 100}
grid:
  optimizer: [gd, specgd]
  anisotropy: {linspace: {from: 0, to: 100, num: 1000}}
  steps: {range: {from: 1000, to: 2000, step: 1}}
  label_noise: {values: [0, 0.1, 0.2, 0.3, 0.4]}
record: none
`)
		b.ReportMetric(time.Since(began).Seconds(), "submit-s")
		b.ReportMetric(float64(m.GetSweep().GetProgress().GetShards()), "shards")
		c.stop()
		cancel()
	}
}

// TestScheduleGoesOn stops a measurement half-way; the next one finds what was committed and does
// the rest.
func TestScheduleGoesOn(t *testing.T) {
	store, _ := fileStore(t)
	b := coordinator.Bench{
		Config: coordinator.Config{
			Embedded: t.TempDir(),
			Store:    store,
		}, Nodes: 2, Slots: 2, Shards: 300, Points: 2, StopAfter: 150,
	}
	half, err := coordinator.Schedule(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	b.StopAfter = 0
	rest, err := coordinator.Schedule(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	const underWay = 4 // may be committed without that their nodes heard of it
	if sum := half.Delivered + rest.Delivered; half.Shards != 300 || half.Delivered < 150 || sum < 300-underWay ||
		sum > 300 {
		t.Errorf("delivered %d and %d of %d shards", half.Delivered, rest.Delivered, half.Shards)
	}
	if half.StateBytes == 0 || rest.StateBytes == 0 {
		t.Errorf("%d and %d bytes of state", half.StateBytes, rest.StateBytes)
	}
}
