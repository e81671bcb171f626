package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/chaos"
)

type chaosOptions struct {
	Seed           uint64
	Duration       time.Duration
	Folder         string
	Keep           bool
	Output         output
	stdout, stderr io.Writer
}

func (m Main) chaosCommand() *cobra.Command {
	o := chaosOptions{stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Run a fault-injection test: processes, network and disk fail, every row is checked",
		Long: `chaos starts 3 etcd members, 3 coordinators and 4 nodes on this machine and submits sweeps. At
random it kills processes, suspends them past their leases, cuts, blackholes, delays and throttles
their connections, and fills the store's disk (on Linux as root, which may mount one). Meanwhile
it reads what is committed. Then all faults end, quarantined shards are retried, the sweeps
finish, and their Parquet files are compared with those of phasegrid run.

chaos prints the faults and what was found. If a promise was broken, it exits with 1 and keeps
logs and results. The same seed draws the same faults.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runChaos(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.Seed, "seed", 1, "`number` from which the faults are drawn")
	flags.DurationVar(&o.Duration, "duration", 3*time.Minute, "how long faults are injected")
	flags.StringVar(&o.Folder, "folder", "", "new `directory` for state, logs and results (default a temporary one)")
	o.Output.addFlag(flags)
	flags.BoolVar(&o.Keep, "keep", false, "keep the directory; it is always kept after a violation")
	return cmd
}

func runChaos(ctx context.Context, o chaosOptions) error {
	folder, err := newFolder(o.Folder)
	if err != nil {
		return err
	}
	report, err := chaos.Run(ctx, chaos.Config{
		Seed: o.Seed, Duration: o.Duration, Folder: folder, Keep: o.Keep, Progress: o.stderr,
	})
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
	if err := o.Output.print(o.stdout, report, report.Print); err != nil {
		return err
	}
	if n := len(report.Violations); n > 0 {
		return fmt.Errorf("chaos: %d violations; see logs and results in %s", n, folder)
	}
	return nil
}

// newFolder creates the directory of a name, or a temporary one.
func newFolder(name string) (string, error) {
	if name == "" {
		folder, err := os.MkdirTemp("", "phasegrid-chaos-")
		if err != nil {
			return "", fmt.Errorf("create a temporary directory: %w; name another one with --folder", err)
		}
		return folder, nil
	}
	if err := os.Mkdir(name, 0o755); err != nil {
		return "", usageError{fmt.Errorf("--folder: %w; name one that does not exist yet", err)}
	}
	return filepath.Abs(name)
}

// etcdCommand is an etcd server with etcd's own flags, of which chaos starts three. It is hidden:
// clusters are better served by a separate etcd.
func etcdCommand() *cobra.Command {
	return &cobra.Command{
		Use: "etcd", Short: "Run an etcd member, for bench chaos", Hidden: true,
		DisableFlagParsing: true,
		// etcd reads no PHASEGRID_* variables, and ends the process itself.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		Run:               func(_ *cobra.Command, args []string) { etcdmain.Main(append([]string{"etcd"}, args...)) },
	}
}
