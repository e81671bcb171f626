package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/node"
)

// settlePatience bounds the time from the last fault to the end of all sweeps, beside as much as the faults lasted.
const settlePatience = 3 * time.Minute

// calmPatience bounds the time from the end of all sweeps to that of all alarms: some rounds of what is tried again each few seconds.
const calmPatience = 20 * time.Second

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
root on Linux). Meanwhile it reads what is committed. In the end everything heals, the sweeps finish, and their Parquet files
are compared with those of phasegrid run. It prints what was done to whom and what it came to, and exits with 1 and the
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

// chaosReport is what was done to a cluster, and what it came to.
type chaosReport struct {
	Seed       uint64         `json:"seed" yaml:"seed"`
	Duration   time.Duration  `json:"duration_ns" yaml:"duration"`
	Settled    time.Duration  `json:"settled_ns" yaml:"settled"` // from the last fault to the end of all sweeps
	Skipped    []string       `json:"skipped,omitempty" yaml:"skipped,omitempty"`
	Events     []chaosEvent   `json:"events" yaml:"events"`
	Sweeps     int            `json:"sweeps" yaml:"sweeps"`
	Points     int64          `json:"points" yaml:"points"`
	Shards     int64          `json:"shards" yaml:"shards"`
	Parts      int64          `json:"parts" yaml:"parts"`
	Files      int            `json:"files_compared" yaml:"files_compared"`
	Reads      map[string]int `json:"live_reads" yaml:"live_reads"`
	ReadsLost  int            `json:"live_reads_without_answer" yaml:"live_reads_without_answer"`
	Audit      chaosAudit     `json:"audit" yaml:"audit"`
	Violations []string       `json:"violations" yaml:"violations"`
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

// chaos runs a cluster through its faults. The error is about what it needs; promises that were broken are in the report.
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
	conn, err := node.Dial(cluster.address, sweepsService, insecure.NewCredentials())
	if err != nil {
		return report, err
	}
	defer conn.Close()
	run := &chaosRun{o: o, report: report, folder: folder, cluster: cluster, client: newSweepClient(conn), reader: newChaosReader(conn, cluster.disk.folder)}
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

func (r *chaosReport) violate(format string, args ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
}

// chaosRun is one run through its phases: storm, settle, check.
type chaosRun struct {
	o       chaosOptions
	report  *chaosReport
	folder  string
	cluster *chaosCluster
	client  *sweepClient
	reader  *chaosReader
}

// sweepFile is the k-th sweep: every point is a shard of its own, of about a third of a second and two megabytes, so that a
// part is full after 75 of them.
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

// storm submits sweeps one after the other while faults come and readers read, and returns when all faults are undone.
func (r *chaosRun) storm(ctx context.Context) error {
	if err := r.submit(ctx); err != nil { // before the first fault: a cluster that does not even start is another trouble
		return err
	}
	start := time.Now()
	storm, over := context.WithTimeout(ctx, r.o.Duration)
	defer over()
	monkey := newChaosMonkey(r.cluster, r.o.Seed, start, func(e chaosEvent) {
		fmt.Fprintf(r.o.stderr, "chaos: %6.1fs  %-20s %-24s %.1fs\n", e.At.Seconds(), e.Fault, e.Target, e.Lasted.Seconds())
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
	for pause(ctx, 300*time.Millisecond) {
		sweeps := r.reader.all()
		now, err := r.client.get(ctx, sweeps[len(sweeps)-1].ID)
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
		view, _, _, err := r.client.submit(ctx, filename, file, 0, 1)
		if err == nil {
			r.reader.add(view)
			return os.WriteFile(filepath.Join(r.folder, filename), file, 0o644)
		}
		if ctx.Err() == nil {
			last = err
		}
		if errors.As(err, new(usageError)) || !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("no sweep could be submitted for %v: %w", settlePatience, errors.Join(err, last))
		}
	}
}

// settle waits until all sweeps are done, while readers go on, and reads once more.
func (r *chaosRun) settle(ctx context.Context) error {
	healed := time.Now()
	bound, cancel := context.WithTimeout(ctx, settlePatience+r.o.Duration)
	defer cancel()
	reading, stop := context.WithCancel(bound)
	var reader sync.WaitGroup
	reader.Go(func() { r.reader.run(reading) })
	err := r.await(bound)
	stop()
	reader.Wait()
	r.report.Settled = time.Since(healed)
	if err == nil {
		r.reader.once(ctx)
	}
	return err
}

// await waits for each sweep's end.
func (r *chaosRun) await(ctx context.Context) error {
	for _, v := range r.reader.all() {
		var last error
		for {
			now, err := r.client.get(ctx, v.ID)
			if err == nil {
				v, last = now, nil
			} else if ctx.Err() == nil {
				last = err
			}
			if v.ended() {
				break
			}
			if !pause(ctx, 100*time.Millisecond) {
				return errors.Join(fmt.Errorf("%s is not done %v after the last fault: %+v", v.Name, settlePatience+r.o.Duration, v), last)
			}
		}
		r.report.Sweeps++
		r.report.Points += v.Progress.PointsDone
		r.report.Shards += v.Progress.ShardsDone
		r.report.Parts += v.Progress.PartsDone
		if v.Phase != phaseDone || v.Progress.ShardsQuarantined > 0 || v.Progress.PointsDone != v.Progress.Indices {
			r.report.violate("%s came to rest without all of its rows: %+v", v.Name, v)
		}
	}
	return r.awaitCalm(ctx)
}

// awaitCalm waits for the end of the alarms, which are the whole cluster's: while one sweep is not done, others show its alarm too.
func (r *chaosRun) awaitCalm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, calmPatience)
	defer cancel()
	for _, v := range r.reader.all() {
		for {
			now, err := r.client.get(ctx, v.ID)
			if err == nil && len(now.Progress.Alarms) == 0 {
				break
			}
			if !pause(ctx, 100*time.Millisecond) {
				return errors.Join(fmt.Errorf("%s is done and the alarms go on %v later: %q", v.Name, calmPatience, now.Progress.Alarms), err)
			}
		}
	}
	return nil
}

func (r *chaosReport) print(w io.Writer) {
	for _, e := range r.Events {
		fmt.Fprintf(w, "%.1fs\t%s\t%s\t%.1fs\n", e.At.Seconds(), e.Fault, e.Target, e.Lasted.Seconds())
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "seed\t%d\n", r.Seed)
	fmt.Fprintf(w, "faults\t%d in %v\n", len(r.Events), r.Duration)
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "skipped\t%s\n", s)
	}
	fmt.Fprintf(w, "sweeps\t%d: %d points, %d shards, %d parts\n", r.Sweeps, r.Points, r.Shards, r.Parts)
	fmt.Fprintf(w, "settled\t%v after the last fault\n", r.Settled.Round(100*time.Millisecond))
	fmt.Fprintf(w, "terms of leaders\t%d\n", r.Audit.Terms)
	fmt.Fprintf(w, "shards started\t%d, granted %d\n", r.Audit.Started, r.Audit.Granted)
	fmt.Fprintf(w, "acknowledged\t%d\n", r.Audit.Acked)
	fmt.Fprintf(w, "granted after ack\t%d\n", len(r.Audit.Recomputed))
	fmt.Fprintf(w, "late twins\t%d, begun after the ack by nodes that were granted them before it\n", r.Audit.LateTwins)
	fmt.Fprintf(w, "rejected\t%d deliveries\n", r.Audit.Rejected)
	for _, way := range slices.Sorted(maps.Keys(r.Reads)) {
		by := ""
		if strings.HasPrefix(way, "merged") {
			by = " by " + mergedBy
		}
		fmt.Fprintf(w, "live reads\t%d of %s%s\n", r.Reads[way], way, by)
	}
	fmt.Fprintf(w, "unanswered\t%d live reads\n", r.ReadsLost)
	fmt.Fprintf(w, "files compared\t%d\n", r.Files)
	fmt.Fprintf(w, "violations\t%d\n", len(r.Violations))
	for _, v := range r.Violations {
		fmt.Fprintf(w, "VIOLATION\t%s\n", v)
	}
}
