package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/credentials/insecure"
)

type chaosOptions struct {
	Seed     uint64
	Duration time.Duration
	Folder   string
	Keep     bool
	Output   output
	stdout   io.Writer
	stderr   io.Writer
}

func (m Main) chaosCommand() *cobra.Command {
	o := chaosOptions{stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Run sweeps on a cluster whose processes, network and disk fail all the time, and check every row",
		Long: `chaos starts 3 coordinators, 3 members of etcd and 4 nodes on this machine, and submits sweeps. At random it kills
processes, stops them past their leases, cuts and slows their links, and fills the store's disk (where it may mount one: as
root on Linux). Meanwhile it reads what is committed. In the end everything heals, shards that faults have put into quarantine
are retried, the sweeps finish, and their Parquet files are compared with those of phasegrid run. It prints what was done to whom and what it came to, and exits with 1 and the
evidence if a promise was broken. One seed draws the same faults each time.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runChaos(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.Seed, "seed", 1, "what the faults are drawn from")
	flags.DurationVar(&o.Duration, "duration", 3*time.Minute, "how long faults come")
	flags.StringVar(&o.Folder, "folder", "", "`folder` for state, logs and results (default a temporary one)")
	o.Output.addFlag(flags)
	flags.BoolVar(&o.Keep, "keep", false, "keep the folder; it is kept too where a promise was broken")
	return cmd
}

func runChaos(ctx context.Context, o chaosOptions) error {
	folder, err := chaosFolder(o.Folder)
	if err != nil {
		return err
	}
	report, err := chaos(ctx, o, folder)
	if err == nil && len(report.Violations) == 0 && !o.Keep {
		err = os.RemoveAll(folder)
	} else {
		fmt.Fprintln(o.stderr, "kept:", folder)
	}
	if err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return err
	}
	if err := o.Output.print(o.stdout, report, report.print); err != nil {
		return err
	}
	if n := len(report.Violations); n > 0 {
		return fmt.Errorf("chaos: %d violations; logs and results are in %s", n, folder)
	}
	return nil
}

// chaosFolder makes the folder, which must be new.
func chaosFolder(name string) (string, error) {
	if name == "" {
		folder, err := os.MkdirTemp("", "phasegrid-chaos-")
		if err != nil {
			return "", fmt.Errorf("folder for the cluster: %w; give another by --folder", err)
		}
		return folder, nil
	}
	if err := os.Mkdir(name, 0o755); err != nil {
		return "", usageError{fmt.Errorf("--folder: %w; give one that is not there yet", err)}
	}
	return filepath.Abs(name)
}

// chaos runs a cluster through its faults. The error is about what it needs; promises that were
// broken are in the report.
func chaos(ctx context.Context, o chaosOptions, folder string) (report *chaosReport, err error) {
	report = &chaosReport{Seed: o.Seed, Duration: o.Duration}
	cluster, err := startChaosCluster(folder, chaosLeaseTTL)
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
	run := &chaosRun{
		o:       o,
		report:  report,
		folder:  folder,
		cluster: cluster,
		client:  c,
		reader:  newChaosReader(c, cluster.disk.folder),
	}
	if err := run.storm(ctx); err != nil {
		return report, err
	}
	err = run.settle(ctx)
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	if err != nil {
		report.violate("%v", err)
	}
	if err := cluster.stop(ctx); err != nil {
		report.violate("%v", err)
	}
	if err := run.check(ctx); err != nil {
		return report, err
	}
	if o.Keep || len(report.Violations) > 0 {
		err = os.CopyFS(filepath.Join(folder, "kept-store"), os.DirFS(cluster.disk.folder))
	}
	return report, err
}

// chaosRun is one run through its phases: storm, settle, check.
type chaosRun struct {
	o       chaosOptions
	report  *chaosReport
	folder  string
	cluster *chaosCluster
	client  *client.Client
	reader  *chaosReader
}

// sweepFile is the k-th sweep: every point is a shard of its own, of about a third of a second and
// two megabytes, so that a part is full after 75 of them.
func (r *chaosRun) sweepFile(k int) (name string, file []byte) {
	points := max(16, min(160, int(r.o.Duration.Seconds())))
	name = fmt.Sprintf("chaos-%d", k)
	return name + ".yaml", fmt.Appendf(nil, `name: %s
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.0001, dimension: 20, steps: 16500000}
grid:
  anisotropy: {linspace: {from: %d, to: %d.9, num: %d}}
record: {every: 1000}
`, name, 2*k, 2*k+1, points)
}

// storm submits sweeps one after the other while faults come and readers read, and returns when all
// faults are undone.
func (r *chaosRun) storm(ctx context.Context) error {
	if err := r.submit(ctx); err != nil { // before the first fault: a cluster that does not even start is another trouble
		return err
	}
	start := time.Now()
	storm, over := context.WithTimeout(ctx, r.o.Duration)
	defer over()
	monkey := newChaosMonkey(r.cluster, r.o.Seed, start, func(e chaosEvent) {
		fmt.Fprintf(
			r.o.stderr,
			"chaos: %6.1fs  %-20s %-24s %.1fs\n",
			e.At.Seconds(),
			e.Fault,
			e.Target,
			e.Lasted.Seconds(),
		)
	})
	var group sync.WaitGroup
	var failed error
	group.Go(func() { failed = monkey.run(storm) })
	group.Go(func() { r.reader.run(storm) })
	err := r.feed(storm)
	group.Wait()
	r.report.Events = monkey.events
	return errors.Join(err, failed, ctx.Err())
}

// feed submits the next sweep when the last one is mostly done, until ctx ends.
func (r *chaosRun) feed(ctx context.Context) error {
	for client.Pause(ctx, 300*time.Millisecond) {
		sweeps := r.reader.all()
		now, err := r.client.Get(ctx, sweeps[len(sweeps)-1].ID)
		if err != nil || now.Progress.ShardsDone < now.Progress.Shards*2/3 {
			continue
		}
		if err := r.submit(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// submit submits the next sweep, as often as it takes.
func (r *chaosRun) submit(ctx context.Context) error {
	filename, file := r.sweepFile(len(r.reader.all()))
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	var last error
	for {
		view, _, _, err := r.client.Submit(ctx, filename, file, 0, 1)
		if err == nil {
			r.reader.add(view)
			return os.WriteFile(filepath.Join(r.folder, filename), file, 0o644)
		}
		if ctx.Err() == nil {
			last = err
		}
		if errors.As(err, new(client.InvalidError)) || !client.Pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("no sweep could be submitted for %v: %w", settlePatience, errors.Join(err, last))
		}
	}
}
