package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// startPace hands out tokens at the rate, if there is one.
func (r *scheduleRun) startPace(ctx context.Context, g *errgroup.Group) {
	if r.options.Rate <= 0 {
		return
	}
	r.pace = make(chan struct{}, r.options.Nodes*r.options.Slots)
	g.Go(func() error {
		start, sent := time.Now(), 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			for due := int(time.Since(start).Seconds() * r.options.Rate); sent < due; sent++ {
				select {
				case r.pace <- struct{}{}:
				case <-ctx.Done():
					return nil
				}
			}
		}
	})
}

// sampled is how often a histogram was observed, and the mean.
func sampled(metrics prometheus.Gatherer, name string) (n int64, mean time.Duration, err error) {
	families, err := metrics.Gather()
	if err != nil {
		return 0, 0, fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		if f.GetName() != name || len(f.GetMetric()) != 1 {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		if h.GetSampleCount() == 0 {
			return 0, 0, nil
		}
		mean := h.GetSampleSum() / float64(h.GetSampleCount()) * float64(time.Second)
		return int64(h.GetSampleCount()), time.Duration(mean), nil
	}
	return 0, 0, fmt.Errorf("gather metrics: no histogram %s", name)
}
