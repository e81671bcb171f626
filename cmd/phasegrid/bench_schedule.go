package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/bench"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

type benchScheduleOptions struct {
	Nodes    int
	Shards   int
	Duration time.Duration
	Store    string
	log      *slog.Logger
	folder   string // for what is measured with, until all is measured: a disk that frees space syncs late
	label    string // before the names of figures: what differs from the measurement that has the targets
}

func (o *benchScheduleOptions) addFlags(cmd *cobra.Command) {
	cmd.Long = `schedule runs a real coordinator with embedded etcd, which syncs to disk, and simulated nodes in this process that solve
nothing and deliver rows as wide as a solver's over real sockets. What is left is the cluster's own share of a sweep. Then it
runs a sweep that does compute with one and with two node processes, and ends leaders of a cluster of processes. Unless --store
says otherwise it also measures over S3, against a server of its own. State and, unless --store says otherwise, result sets go
below TMPDIR.`
	flags := cmd.Flags()
	flags.IntVar(&o.Nodes, "nodes", 1000, "simulated `nodes` of the measurement with many of them")
	flags.IntVar(&o.Shards, "shards", 20_000, "`shards` of the measurement of throughput")
	flags.DurationVar(&o.Duration, "duration", 5*time.Second, "how long shards are offered at 1,000 a second")
	flags.StringVar(
		&o.Store,
		"store",
		"",
		"`URL` for spool and result sets, which are removed again (default a folder below TMPDIR)",
	)
}

const (
	benchNodes = 8 // simulated ones where their number does not matter
	benchSlots = 2
	mebibyte   = 1 << 20

	// What the limits are for: a coordinator that was restarted after so many shards, and sweeps of
	// so many points.
	benchDoneShards = 100_000
	benchManyPoints = 10_000_000
	benchOffered    = 1000 // shards a second
	benchWideShard  = 16_000
)

func benchSchedule(ctx context.Context, o benchOptions, report *benchReport) error {
	s := o.Schedule
	s.log = o.log
	done, many, wide, long, ends := benchDoneShards, benchManyPoints, 100*benchWideShard, benchNodesPoints, leaderEnds
	switch {
	case s.Nodes == 0 && s.Shards == 0: // bench all
		s.Nodes, s.Shards, s.Duration = 1000, 20_000, 5*time.Second
	case s.Nodes < 1 || s.Nodes > 10_000 || s.Shards < 1 || s.Shards > 500_000 || s.Duration < 10*time.Millisecond || s.Duration > 10*time.Minute:
		return usageError{
			errors.New("--nodes goes from 1 to 10000, --shards from 1 to 500000, --duration from 10ms to 10m"),
		}
	}
	if o.short {
		s.Nodes, s.Shards, s.Duration = 20, 50, 50*time.Millisecond
		done, many, wide, long, ends = 100, 10_000, 4000, 4, leaderEnds[:1]
	}
	folder, remove, err := benchFolder("")
	if err != nil {
		return err
	}
	defer remove()
	s.folder = folder
	for _, measure := range []func() error{
		func() error { return s.throughput(ctx, report) },
		func() error { return s.latency(ctx, report) },
		func() error { return s.points(ctx, report, wide) },
		func() error { return s.manyNodes(ctx, report) },
		func() error { return s.restart(ctx, report, done) },
		func() error { return s.submit(ctx, report, many) },
		// Later than what looks at the heap: this server keeps its bucket there.
		func() error { return s.overS3(ctx, report, wide) },
		func() error { return s.nodeProcesses(ctx, report, long) },
		func() error { return s.failover(ctx, report, ends) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// overS3 measures the same again with spool and result set behind an S3 server; no targets are set
// for it.
func (s benchScheduleOptions) overS3(ctx context.Context, report *benchReport, points int) (err error) {
	if s.Store != "" {
		return nil
	}
	server, err := startBenchS3()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	s.Store, s.label = server.url, "S3: "
	if err := s.throughput(ctx, report); err != nil {
		return err
	}
	if err := s.latency(ctx, report); err != nil {
		return err
	}
	return s.points(ctx, report, points)
}

// add adds a figure, with its targets where they are meant for this store.
func (s benchScheduleOptions) add(report *benchReport, f benchFigure, targets ...benchTarget) {
	f.Name = s.label + f.Name
	if s.label != "" {
		targets = nil
		f.Note = strings.TrimPrefix(f.Note+"; an S3 server in memory, in this process", "; ")
	}
	report.add(f, targets...)
}

// throughput offers shards of one point as fast as they are taken.
func (s benchScheduleOptions) throughput(ctx context.Context, report *benchReport) error {
	report.begin(s.label+"%d shards as fast as they go", s.Shards)
	r, err := s.run(ctx, bench.Schedule{Nodes: benchNodes, Slots: benchSlots, Shards: s.Shards, Points: 1})
	if err != nil {
		return err
	}
	s.add(report, benchFigure{Name: "shards committed", Value: r.ShardsPerSecond, Unit: "shards/s"}, atLeast(2000))
	s.add(
		report,
		benchFigure{
			Name:  "processor time of a shard",
			Value: r.cpu.Seconds() * 1e6 / float64(r.Delivered),
			Unit:  "us",
			Note:  "simulated nodes included",
		},
	)
	s.add(
		report,
		benchFigure{Name: "etcd transactions", Value: float64(r.Transactions) / float64(r.Delivered), Unit: "a shard"},
		atMost(2),
	)
	return nil
}

// latency offers a steady stream.
func (s benchScheduleOptions) latency(ctx context.Context, report *benchReport) error {
	report.begin(s.label+"%d shards a second for %v", benchOffered, s.Duration)
	// Enough slots that a slow answer does not slow the offer down.
	r, err := s.run(
		ctx,
		bench.Schedule{
			Nodes:  benchNodes,
			Slots:  8,
			Shards: max(1, int(s.Duration.Seconds()*benchOffered)),
			Points: 1,
			Rate:   benchOffered,
		},
	)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%s shards/s came", significant(r.ShardsPerSecond))
	s.add(
		report,
		benchFigure{Name: "delivery to ack, p99, 1,000 shards/s offered", Value: ms(r.P99), Unit: "ms", Note: note},
		atMost(20),
	)
	s.add(report, benchFigure{Name: "delivery to ack, median, 1,000 shards/s offered", Value: ms(r.P50), Unit: "ms"})
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// points runs large shards from the sweep file to Parquet.
func (s benchScheduleOptions) points(ctx context.Context, report *benchReport, points int) error {
	report.begin(s.label+"%d points in large shards", points)
	perShard := min(benchWideShard, points)
	r, err := s.run(ctx, bench.Schedule{Nodes: 2, Slots: 1, Shards: points / perShard, Points: perShard})
	if err != nil {
		return err
	}
	s.add(report, benchFigure{Name: "points from sweep file to Parquet", Value: r.PointsPerSecond, Unit: "points/s",
		Note: "rows are made in this process too"}, atLeast(100_000))
	s.add(
		report,
		benchFigure{
			Name:  "processor time of a point",
			Value: r.cpu.Seconds() * 1e6 / float64(r.Points),
			Unit:  "us",
			Note:  "making its row included",
		},
	)
	return nil
}

// manyNodes has many streams open.
func (s benchScheduleOptions) manyNodes(ctx context.Context, report *benchReport) error {
	report.begin("%d nodes", s.Nodes)
	r, err := s.run(ctx, bench.Schedule{Nodes: s.Nodes, Slots: 1, Shards: max(s.Shards, s.Nodes), Points: 1})
	if err != nil {
		return err
	}
	report.add(
		benchFigure{Name: fmt.Sprintf("heap at %d nodes", s.Nodes), Value: float64(r.HeapBytes) / mebibyte, Unit: "MiB",
			Note: "simulated nodes included"},
		atMost(300),
	)
	report.add(
		benchFigure{
			Name:  fmt.Sprintf("shards committed, %d nodes", s.Nodes),
			Value: r.ShardsPerSecond,
			Unit:  "shards/s",
		},
	)
	report.add(
		benchFigure{Name: fmt.Sprintf("delivery to ack, p99, %d nodes at once", s.Nodes), Value: ms(r.P99), Unit: "ms"},
	)
	return nil
}

// restart stops a coordinator with many shards done and starts another on the same state.
func (s benchScheduleOptions) restart(ctx context.Context, report *benchReport, done int) error {
	report.begin("%d shards, then a restart", done)
	return s.with(ctx, func(cfg coordinator.Config) error {
		b := bench.Schedule{
			Config:    cfg,
			Nodes:     benchNodes,
			Slots:     benchSlots,
			Shards:    done + benchNodes*benchSlots + 100,
			Points:    1,
			StopAfter: done,
		}
		first, err := b.Run(ctx)
		if err != nil {
			return err
		}
		b.StopAfter = 1
		second, err := b.Run(ctx)
		if err != nil {
			return err
		}
		report.add(
			benchFigure{
				Name:  fmt.Sprintf("restart to first lease, %d shards done", done),
				Value: second.FirstLease.Seconds(),
				Unit:  "s",
			},
			atMost(3),
		)
		report.add(benchFigure{Name: fmt.Sprintf("etcd, keys and values, up to %d shards done", done),
			Value: float64(max(first.StateBytes, second.StateBytes)) / mebibyte, Unit: "MiB"}, atMost(10))
		return nil
	})
}

// submit submits a large sweep and leaves it there.
func (s benchScheduleOptions) submit(ctx context.Context, report *benchReport, points int) error {
	report.begin("a sweep of %d points", points)
	const perShard = 100
	r, err := s.run(
		ctx,
		bench.Schedule{Nodes: 1, Slots: 1, Shards: points / perShard, Points: perShard, StopAfter: 1},
	)
	if err != nil {
		return err
	}
	report.add(
		benchFigure{
			Name:  fmt.Sprintf("submit, %d points in %d shards", points, r.Shards),
			Value: r.Submit.Seconds(),
			Unit:  "s",
		},
		atMost(2),
	)
	return nil
}

// scheduled is a measurement and the processor time of this process in it, simulated nodes
// included.
type scheduled struct {
	bench.ScheduleResult
	cpu time.Duration
}

func (s benchScheduleOptions) run(ctx context.Context, b bench.Schedule) (r scheduled, err error) {
	err = s.with(ctx, func(cfg coordinator.Config) error {
		b.Config = cfg
		start, err := processorTime()
		if err != nil {
			return err
		}
		if r.ScheduleResult, err = b.Run(ctx); err != nil {
			return err
		}
		end, err := processorTime()
		r.cpu = end - start
		return err
	})
	return r, err
}

// with calls measure with state and stores of its own.
func (s benchScheduleOptions) with(ctx context.Context, measure func(coordinator.Config) error) (err error) {
	folder, _, err := benchFolder(s.folder)
	if err != nil {
		return err
	}
	cfg := coordinator.Config{Name: "bench", Embedded: filepath.Join(folder, "etcd"), Logger: s.log}
	if s.Store == "" {
		if cfg.Store, err = store.OpenFolder(filepath.Join(folder, "store")); err != nil {
			return err
		}
		return measure(cfg)
	}
	scratch, err := benchStoreURL(s.Store, filepath.Base(folder))
	if err != nil {
		return usageError{err}
	}
	if cfg.Store, err = store.Open(ctx, scratch.String()); err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	defer func() { err = errors.Join(err, emptyStore(context.WithoutCancel(ctx), cfg.Store, scratch)) }()
	return measure(cfg)
}

// benchStoreURL is a place of its own in the store.
func benchStoreURL(raw, name string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	if u.Scheme == "file" {
		return u.JoinPath(name), nil
	}
	query := u.Query()
	query.Set("prefix", query.Get("prefix")+name+"/")
	u.RawQuery = query.Encode()
	return u, nil
}

// emptyStore removes what was measured with.
func emptyStore(ctx context.Context, s store.Store, u *url.URL) error {
	if u.Scheme == "file" {
		return os.RemoveAll(u.Path)
	}
	var names []string
	if err := s.List(ctx, "", func(name string, _ int64) error { names = append(names, name); return nil }); err != nil {
		return fmt.Errorf("remove what was measured with from %s: %w", u, err)
	}
	for _, name := range names {
		if err := s.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}
