package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/local"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/reuse"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

type runOptions struct {
	File          string
	Out           string
	State         string
	Nodes         int
	Slots         int
	NoReuse       bool
	Output        output
	MaxPointBytes int64

	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
	// coordinatorLog is the local coordinator's: by default only why the process ends, as run
	// shows alarms itself.
	coordinatorLog *slog.Logger
	nodeFlags      []string // flags of node processes, so that they log as this process does
}

func (m Main) runCommand() *cobra.Command {
	o := runOptions{stdin: m.Stdin, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a sweep on this machine",
		Long: `run solves a sweep on this machine and writes its result set to a directory below --out. Finished
work survives Ctrl-C, crashes and full disks; run the same command to resume. A finished sweep is
not computed again. After the file was edited, points that a finished sweep of the same name below
--out already has are reused.`,
		Example: `  phasegrid run sweep/examples/spiked-phase-diagram.yaml
  phasegrid run sweep.yaml --out /data/results --slots 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.File = args[0]
			if o.log, err = m.logger(cmd); err != nil {
				return err
			}
			format, _ := cmd.Flags().GetString("log-format")
			level, _ := cmd.Flags().GetString("log-level")
			o.nodeFlags = []string{"--log-level", level, "--log-format", format}
			o.coordinatorLog = o.log
			if !cmd.Flags().Changed("log-level") {
				if o.coordinatorLog, err = m.loggerFrom(ledger.LevelFatal, format); err != nil {
					return err
				}
			}
			return runRun(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "results", "`directory` for result sets")
	flags.StringVar(&o.State, "state", ".phasegrid", "`directory` for in-progress state")
	flags.IntVar(&o.Nodes, "nodes", 0, "number of node processes; 0 solves in this process")
	flags.IntVar(&o.Slots, "slots", 0, "shards that each node solves at once (default the cores divided by the nodes)")
	flags.BoolVar(
		&o.NoReuse, "no-reuse", false, "solve all points, even those of earlier sweeps of this name below --out",
	)
	addPointBytesFlag(cmd, &o.MaxPointBytes)
	o.Output.addFlag(flags)
	return cmd
}

func runRun(ctx context.Context, o runOptions) error {
	if err := (local.Config{Nodes: o.Nodes, Slots: o.Slots}).Check(); err != nil {
		return usageError{err}
	}
	if o.Slots == 0 {
		o.Slots = max(1, runtime.GOMAXPROCS(0)/max(1, o.Nodes))
	}
	if err := checkPointBytes(o.MaxPointBytes); err != nil {
		return err
	}
	spec, file, err := parseSweepFile(o.File, o.stdin, o.MaxPointBytes)
	if err != nil {
		return err
	}
	for _, w := range spec.Warnings() {
		fmt.Fprintln(o.stderr, "warning:", w)
	}
	id := spec.ID(sweep.BuiltinSolver(solver.Version))
	folder := filepath.Join(o.Out, spec.Name()+"-"+id[:8])
	finished, err := reuse.OpenFinished(folder, id)
	if err != nil {
		return err
	}
	var unreadable error
	if finished != nil && finished.Complete() {
		if err := redraw(folder, spec); err != nil {
			return err
		}
		unreadable = conclude(ctx, o, folder, "finished before")
		if unreadable == nil || ctx.Err() != nil {
			return unreadable
		}
	}
	unlock, err := ledger.LockFolder(o.State, "--state")
	if err != nil {
		return err
	}
	defer unlock()
	state, err := stateFolder(o, spec.Name(), id)
	if err != nil {
		return err
	}
	if finished != nil {
		damaged, err := finished.RemoveDamaged(ctx, state, unreadable)
		for _, path := range damaged {
			fmt.Fprintf(o.stderr, "%s is damaged; computing it again\n", path)
		}
		if err != nil {
			return err
		}
	}
	return o.solve(ctx, spec, id, file, folder, state)
}

// redraw gives a finished set the figures of the sweep file, which may have been edited since.
func redraw(folder string, spec *sweep.Spec) error {
	if len(spec.Figures()) == 0 {
		return nil
	}
	name, file := filepath.Join(folder, results.SweepName), sweep.File(spec.Name(), spec.Canonical(), spec.Figures())
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, file) {
		return nil
	}
	err := replaceFile(name, func(w io.Writer) error { _, err := w.Write(file); return err })
	if err != nil {
		return fmt.Errorf("write the figures of the result set: %w", err)
	}
	return nil
}

// memoFolder is the directory of the memo below the state.
const memoFolder = "memo"

// solve runs the sweep on a local cluster and prints its result set.
func (o runOptions) solve(
	ctx context.Context,
	spec *sweep.Spec,
	id string,
	file []byte,
	folder, state string,
) (err error) {
	started := time.Now()
	var memo *reuse.Memo
	if !o.NoReuse {
		memo, err = reuse.Collect(ctx, spec, id, o.Out, filepath.Join(state, memoFolder), o.stderr)
		if err != nil {
			return err
		}
	}
	defer memo.Close()
	s, err := o.runLocal(ctx, state, file, memo)
	if err != nil {
		return err
	}
	if err := printReused(ctx, o, folder, memo); err != nil {
		return err
	}
	if err := outcome(s); err != nil {
		if errors.Is(err, errQuarantined) {
			return errors.Join(conclude(ctx, o, folder, "incomplete"), fmt.Errorf(
				"%d of %d %w: their points have no rows; run the same command to retry them",
				s.Progress.ShardsQuarantined, s.Progress.Shards, errQuarantined,
			))
		}
		return err
	}
	if err := os.RemoveAll(state); err != nil {
		o.log.Warn("state of a finished sweep not removed", "directory", state, "error", err)
	}
	return conclude(ctx, o, folder, "in "+duration(time.Since(started)))
}

// runLocal runs the sweep on a local cluster and shows its progress.
func (o runOptions) runLocal(
	ctx context.Context,
	state string,
	file []byte,
	memo *reuse.Memo,
) (client.Sweep, error) {
	version := currentVersion()
	owner, err := local.Owner(o.State)
	if err != nil {
		return client.Sweep{}, err
	}
	cfg := local.Config{
		Out: o.Out, State: state, Owner: owner, Nodes: o.Nodes, Slots: o.Slots, MaxPointBytes: o.MaxPointBytes,
		Version: version.Version, Revision: version.Revision,
		Log: o.log, CoordinatorLog: o.coordinatorLog,
		Environ: withoutNodeFlags(os.Environ()), NodeFlags: o.nodeFlags, Stderr: o.stderr,
	}
	if memo != nil {
		cfg.Memo, cfg.MemoFolder = memo, memo.Folder()
	}
	bar := newProgress(o.stderr)
	s, err := local.Run(ctx, cfg, o.File, file, bar.show)
	bar.close()
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w; finished work is kept; run the same command to resume", errInterrupted)
	}
	return s, err
}

// withoutNodeFlags removes the variables of node's own flags from an environment: they are meant
// for nodes of a cluster, whose certificates and ports a local node does not use.
func withoutNodeFlags(environ []string) []string {
	variables := map[string]bool{}
	Main{}.nodeCommand().Flags().VisitAll(func(f *pflag.Flag) { variables[variableOf(f)] = true })
	return slices.DeleteFunc(environ, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return variables[name]
	})
}

// stateFolder returns the directory of a sweep's state until the sweep is finished: one for each
// sweep and each directory that its result set may have. The name is in the latter and not in the
// id.
func stateFolder(o runOptions, name, id string) (string, error) {
	out, err := withoutLinks(o.Out)
	if err == nil {
		var state string
		if state, err = filepath.Abs(o.State); err == nil {
			sum := sha256.Sum256([]byte(filepath.Join(out, name)))
			return filepath.Join(state, id[:16]+"-"+hex.EncodeToString(sum[:4])), nil
		}
	}
	return "", fmt.Errorf("find the state directory: %w", err)
}

// withoutLinks returns the absolute path, without symbolic links, of a directory that may not exist
// yet.
func withoutLinks(folder string) (string, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return resolved, err
	}
	parent, err := withoutLinks(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

// printReused prints how many points were reused; nothing without a memo.
func printReused(ctx context.Context, o runOptions, folder string, memo *reuse.Memo) error {
	if memo == nil {
		return nil
	}
	set, err := results.OpenSet(folder)
	if err != nil {
		return err
	}
	count, points, err := memo.Count(ctx, set)
	if err != nil {
		return err
	}
	fmt.Fprintf(
		o.stderr,
		"reused %s of %s points from earlier sweeps of this name (--no-reuse solves all)\n",
		humanize.Comma(count),
		humanize.Comma(points),
	)
	return nil
}

// conclude prints the path of a result set and its summary by optimizer.
func conclude(ctx context.Context, o runOptions, folder, how string) error {
	set, err := results.OpenSet(folder)
	var summaries []*optimizerSummary
	if err == nil {
		summaries, err = summarize(ctx, set)
	}
	if err != nil {
		return fmt.Errorf("%w; run the same command to compute damaged files again", err)
	}
	return o.Output.print(o.stdout, viewRun(folder, summaries), func(w io.Writer) {
		fmt.Fprintf(w, "%s  (%s)\n\n", folder, how)
		printSummary(w, summaries)
	})
}
