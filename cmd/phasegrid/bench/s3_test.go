package bench

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// BenchmarkScheduleS3 is BenchmarkSchedule with spool and result set in a bucket that an S3 server
// in this process keeps in memory: it adds the cost of the protocol, on a local socket.
func BenchmarkScheduleS3(b *testing.B) {
	const bucket = "bench"
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	url := "s3://" + bucket + "?region=us-east-1&use_path_style=true&disable_https=true&anonymous=true" +
		"&endpoint=" + server.URL
	for _, c := range []struct {
		name           string
		shards, points int
		rate           float64
	}{
		{"throughput", 20_000, 1, 0},
		{"latency", 5000, 1, offeredRate},
		{"points", 100, wideShard, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				scratch, err := scratchURL(url, c.name)
				if err != nil {
					b.Fatal(err)
				}
				sets, err := store.Open(b.Context(), scratch.String())
				if err != nil {
					b.Fatal(err)
				}
				r, err := schedule{
					Config: coordinator.Config{Embedded: b.TempDir(), Store: sets},
					Nodes:  simulatedNodes, Slots: simulatedSlots, Shards: c.shards, Points: c.points, Rate: c.rate,
				}.run(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if err := empty(b.Context(), sets, scratch); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(r.ShardsPerSecond, "shards/s")
				b.ReportMetric(r.PointsPerSecond, "points/s")
				b.ReportMetric(ms(r.P50), "p50-ms")
				b.ReportMetric(ms(r.P99), "p99-ms")
			}
		})
	}
}
