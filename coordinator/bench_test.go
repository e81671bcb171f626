package coordinator_test

import (
	"context"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// BenchmarkSubmit measures the submission of a sweep of 10 million points.
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
