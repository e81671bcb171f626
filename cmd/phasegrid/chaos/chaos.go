package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc/credentials/insecure"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// Config configures Run.
type Config struct {
	Seed     uint64        // faults are drawn from it
	Duration time.Duration // faults are injected for so long
	Folder   string        // existing, for state, logs and results
	Keep     bool          // keep a copy of the store in the folder; it is kept after a violation, too
	Progress io.Writer     // one line for each fault
}

// Run runs a cluster through its faults and checks it. An error is about the test; promises that
// were broken are violations in the report.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	report = &Report{Seed: cfg.Seed, Duration: cfg.Duration}
	cluster, err := startCluster(cfg.Folder, faultLeaseTTL)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, cluster.close()) }()
	if cluster.disk.reason != "" {
		report.Skipped = append(report.Skipped, "full disk: "+cluster.disk.reason)
	}
	c, conn, err := client.Dial(cluster.address, insecure.NewCredentials())
	if err != nil {
		return report, err
	}
	defer conn.Close()
	t := &trial{cfg: cfg, report: report, cluster: cluster, client: c, reader: newReader(c, cluster.disk.folder)}
	if err := t.disturb(ctx); err != nil {
		return report, err
	}
	err = t.settle(ctx)
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	if err != nil {
		report.violate("%v", err)
	}
	if err := cluster.stop(ctx); err != nil {
		report.violate("%v", err)
	}
	if err := t.check(ctx); err != nil {
		return report, err
	}
	if cfg.Keep || len(report.Violations) > 0 {
		err = os.CopyFS(filepath.Join(cfg.Folder, "kept-store"), os.DirFS(cluster.disk.folder))
	}
	return report, err
}

// trial is one cluster on its way through the phases disturb, settle and check.
type trial struct {
	cfg     Config
	report  *Report
	cluster *cluster
	client  *client.Client
	reader  *reader
}

// disturb submits sweeps one after the other while faults are injected and the reader reads. It
// returns when all faults are undone.
func (t *trial) disturb(ctx context.Context) error {
	if err := t.submit(ctx); err != nil { // before the first fault: the cluster must work without any
		return err
	}
	start := time.Now()
	faulty, cancel := context.WithTimeout(ctx, t.cfg.Duration)
	defer cancel()
	injector := newInjector(t.cluster.faults(), t.cfg.Seed, start, func(e Event) {
		fmt.Fprintf(t.cfg.Progress, "chaos: %6.1fs  %-20s %-24s %.1fs\n",
			e.At.Seconds(), e.Fault, e.Target, e.Lasted.Seconds())
	})
	var group sync.WaitGroup
	var failed error
	group.Go(func() { failed = injector.run(faulty) })
	group.Go(func() { t.reader.run(faulty) })
	err := t.feed(faulty)
	group.Wait()
	t.report.Events = injector.events
	return errors.Join(err, failed, ctx.Err())
}

// feed submits the next sweep when the last one is mostly done, until ctx ends.
func (t *trial) feed(ctx context.Context) error {
	for gax.Sleep(ctx, 300*time.Millisecond) == nil {
		sweeps := t.reader.all()
		now, err := t.client.Get(ctx, sweeps[len(sweeps)-1].ID)
		if err != nil || now.Progress.ShardsDone < now.Progress.Shards*2/3 {
			continue
		}
		if err := t.submit(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// submit submits the next sweep, as often as it takes.
func (t *trial) submit(ctx context.Context) error {
	filename, file := t.sweepFile(len(t.reader.all()))
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	var last error
	for {
		s, _, _, err := t.client.Submit(ctx, filename, file, 0, 1)
		if err == nil {
			t.reader.add(s)
			return os.WriteFile(filepath.Join(t.cfg.Folder, filename), file, 0o644)
		}
		if ctx.Err() == nil {
			last = err
		}
		if errors.As(err, new(client.InvalidError)) || gax.Sleep(ctx, 100*time.Millisecond) != nil {
			return fmt.Errorf("submit %s: no success within %v: %w", filename, settleTimeout, errors.Join(err, last))
		}
	}
}

// sweepFile is the k-th sweep: every point is a shard of about a third of a second and two
// megabytes, so that 75 of them are a part.
func (t *trial) sweepFile(k int) (name string, file []byte) {
	points := max(16, min(160, int(t.cfg.Duration.Seconds())))
	name = fmt.Sprintf("chaos-%d", k)
	return name + ".yaml", fmt.Appendf(nil, `name: %s
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.0001,
  dimension: 20, steps: 16500000}
grid:
  anisotropy: {linspace: {from: %d, to: %d.9, num: %d}}
record: {every: 1000}
`, name, 2*k, 2*k+1, points)
}
