package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// ScheduleConfig configures the measurements of a coordinator.
type ScheduleConfig struct {
	Nodes    int           // simulated ones, in the measurement with many of them
	Shards   int           // in the measurement of throughput
	Duration time.Duration // for which shards are offered at offeredRate
	Store    string        // URL for spool and result sets; empty is a temporary directory
}

const (
	simulatedNodes = 8 // simulated nodes where their number does not matter
	simulatedSlots = 2
	mebibyte       = 1 << 20

	// The sizes that targets are set for: a restart after so many shards, and a sweep of so many
	// points.
	doneShards = 100_000
	manyPoints = 10_000_000

	offeredRate = 1000   // shards a second
	wideShard   = 16_000 // points of a large shard

	failoverTarget = ledger.DefaultSessionTTL + 2*time.Second
	failoverWays   = 3
)

// check returns an error about values that are out of range.
func (c ScheduleConfig) check() error {
	switch {
	case c.Nodes < 1 || c.Nodes > 10_000:
		return fmt.Errorf("--nodes: got %d, want 1..10000", c.Nodes)
	case c.Shards < 1 || c.Shards > 500_000:
		return fmt.Errorf("--shards: got %d, want 1..500000", c.Shards)
	case c.Duration < 10*time.Millisecond || c.Duration > 10*time.Minute:
		return fmt.Errorf("--duration: got %v, want 10ms..10m", c.Duration)
	case c.Store != "":
		_, err := scratchURL(c.Store, "")
		return err
	}
	return nil
}

// scheduling measures a coordinator.
type scheduling struct {
	cfg    ScheduleConfig
	log    *slog.Logger
	report *Report
	// folder has the state of all measurements, and is removed after the last: a disk that frees
	// space is slow to sync.
	folder string
}

func measureSchedule(ctx context.Context, cfg Config, report *Report) error {
	folder, remove, err := tempFolder("")
	if err != nil {
		return err
	}
	defer remove()
	s := scheduling{cfg.Schedule, cfg.Log, report, folder}
	done, many, wide, long, ways := doneShards, manyPoints, 100*wideShard, nodesPoints, failoverWays
	if cfg.Short {
		s.cfg.Nodes, s.cfg.Shards, s.cfg.Duration = 20, 50, 50*time.Millisecond
		done, many, wide, long, ways = 100, 10_000, 4000, 4, 1
	}
	for _, measure := range []func() error{
		func() error { return s.throughput(ctx) },
		func() error { return s.latency(ctx) },
		func() error { return s.points(ctx, wide) },
		func() error { return s.manyNodes(ctx) },
		func() error { return s.restart(ctx, done) },
		func() error { return s.submit(ctx, many) },
		func() error { return s.nodeProcesses(ctx, long) },
		func() error { return s.failovers(ctx, cfg, ways) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// throughput offers shards of one point as fast as they are taken.
func (s scheduling) throughput(ctx context.Context) error {
	s.report.begin("%d shards as fast as possible", s.cfg.Shards)
	r, err := s.run(ctx, schedule{Nodes: simulatedNodes, Slots: simulatedSlots, Shards: s.cfg.Shards, Points: 1})
	if err != nil {
		return err
	}
	s.report.add(Figure{Name: "shards committed", Value: r.ShardsPerSecond, Unit: "shards/s"}, atLeast(2000))
	s.report.add(Figure{
		Name: "processor time of a shard", Value: r.CPU.Seconds() * 1e6 / float64(r.Delivered), Unit: "us",
		Note: "simulated nodes included",
	})
	s.report.add(
		Figure{Name: "etcd transactions", Value: float64(r.Transactions) / float64(r.Delivered), Unit: "a shard"},
		atMost(2),
	)
	return nil
}

// latency offers shards at a steady rate.
func (s scheduling) latency(ctx context.Context) error {
	s.report.begin("%d shards a second for %v", offeredRate, s.cfg.Duration)
	r, err := s.run(ctx, schedule{
		Nodes:  simulatedNodes,
		Slots:  8, // so many that a slow answer does not lower the rate
		Shards: max(1, int(s.cfg.Duration.Seconds()*offeredRate)),
		Points: 1,
		Rate:   offeredRate,
	})
	if err != nil {
		return err
	}
	s.report.add(Figure{
		Name: "delivery to ack, p99, 1,000 shards/s offered", Value: ms(r.P99), Unit: "ms",
		Note: fmt.Sprintf("%s shards/s came", significant(r.ShardsPerSecond)),
	}, atMost(20))
	s.report.add(Figure{Name: "delivery to ack, median, 1,000 shards/s offered", Value: ms(r.P50), Unit: "ms"})
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// points runs large shards from the sweep file to Parquet.
func (s scheduling) points(ctx context.Context, points int) error {
	s.report.begin("%d points in large shards", points)
	perShard := min(wideShard, points)
	r, err := s.run(ctx, schedule{Nodes: 2, Slots: 1, Shards: points / perShard, Points: perShard})
	if err != nil {
		return err
	}
	s.report.add(Figure{
		Name: "points from sweep file to Parquet", Value: r.PointsPerSecond, Unit: "points/s",
		Note: "rows are made in this process, too",
	}, atLeast(100_000))
	s.report.add(Figure{
		Name: "processor time of a point", Value: r.CPU.Seconds() * 1e6 / float64(r.Points), Unit: "us",
		Note: "making its row included",
	})
	return nil
}

// manyNodes has many streams open.
func (s scheduling) manyNodes(ctx context.Context) error {
	n := s.cfg.Nodes
	s.report.begin("%d nodes", n)
	r, err := s.run(ctx, schedule{Nodes: n, Slots: 1, Shards: max(s.cfg.Shards, n), Points: 1})
	if err != nil {
		return err
	}
	s.report.add(Figure{
		Name: fmt.Sprintf("heap at %d nodes", n), Value: float64(r.HeapBytes) / mebibyte, Unit: "MiB",
		Note: "simulated nodes included",
	}, atMost(300))
	s.report.add(Figure{
		Name: fmt.Sprintf("shards committed, %d nodes", n), Value: r.ShardsPerSecond, Unit: "shards/s",
	})
	s.report.add(Figure{
		Name: fmt.Sprintf("delivery to ack, p99, %d nodes at once", n), Value: ms(r.P99), Unit: "ms",
	})
	return nil
}

// restart stops a coordinator with many shards done and starts another one on the same state.
func (s scheduling) restart(ctx context.Context, done int) error {
	s.report.begin("%d shards, then a restart", done)
	return s.with(ctx, func(cfg coordinator.Config) error {
		b := schedule{
			Config:    cfg,
			Nodes:     simulatedNodes,
			Slots:     simulatedSlots,
			Shards:    done + simulatedNodes*simulatedSlots + 100,
			Points:    1,
			StopAfter: done,
		}
		first, err := b.run(ctx)
		if err != nil {
			return err
		}
		b.StopAfter = 1
		second, err := b.run(ctx)
		if err != nil {
			return err
		}
		s.report.add(Figure{
			Name:  fmt.Sprintf("restart to first lease, %d shards done", done),
			Value: second.FirstLease.Seconds(),
			Unit:  "s",
		}, atMost(3))
		s.report.add(Figure{
			Name:  fmt.Sprintf("etcd, keys and values, up to %d shards done", done),
			Value: float64(max(first.StateBytes, second.StateBytes)) / mebibyte,
			Unit:  "MiB",
		}, atMost(10))
		return nil
	})
}

// submit submits a large sweep and leaves it there.
func (s scheduling) submit(ctx context.Context, points int) error {
	s.report.begin("a sweep of %d points", points)
	const perShard = 100
	r, err := s.run(ctx, schedule{Nodes: 1, Slots: 1, Shards: points / perShard, Points: perShard, StopAfter: 1})
	if err != nil {
		return err
	}
	s.report.add(Figure{
		Name:  fmt.Sprintf("submit, %d points in %d shards", points, r.Shards),
		Value: r.Submit.Seconds(),
		Unit:  "s",
	}, atMost(2))
	return nil
}

// failovers takes leaders away from a cluster of processes.
func (s scheduling) failovers(ctx context.Context, cfg Config, max int) error {
	folder, _, err := tempFolder(s.folder)
	if err != nil {
		return err
	}
	s.report.begin("failover between coordinator processes")
	return cfg.Failovers(ctx, folder, max, func(way string, took time.Duration) {
		s.report.add(Figure{
			Name: "failover to the first acknowledgement, leader " + way, Value: took.Seconds(), Unit: "s",
			Note: "a cluster of processes",
		}, atMost(failoverTarget.Seconds()))
	})
}

// run takes one measurement, with the processor time of this process.
func (s scheduling) run(ctx context.Context, b schedule) (r scheduleResult, err error) {
	err = s.with(ctx, func(cfg coordinator.Config) error {
		b.Config = cfg
		start, err := processorTime()
		if err != nil {
			return err
		}
		if r, err = b.run(ctx); err != nil {
			return err
		}
		end, err := processorTime()
		r.CPU = end - start
		return err
	})
	return r, err
}

// with calls measure with new state and a new store.
func (s scheduling) with(ctx context.Context, measure func(coordinator.Config) error) (err error) {
	folder, _, err := tempFolder(s.folder)
	if err != nil {
		return err
	}
	cfg := coordinator.Config{Name: "bench", Embedded: filepath.Join(folder, "etcd"), Logger: s.log}
	if s.cfg.Store == "" {
		if cfg.Store, err = store.OpenFolder(filepath.Join(folder, "store")); err != nil {
			return err
		}
		return measure(cfg)
	}
	scratch, err := scratchURL(s.cfg.Store, filepath.Base(folder))
	if err != nil {
		return err
	}
	if cfg.Store, err = store.Open(ctx, scratch.String()); err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	defer func() { err = errors.Join(err, empty(context.WithoutCancel(ctx), cfg.Store, scratch)) }()
	return measure(cfg)
}
