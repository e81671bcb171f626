package main

import (
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
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/node"
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
	stdin         io.Reader
	stdout        io.Writer
	stderr        io.Writer
	log           *slog.Logger
	logFormat     string       // of log, for the processes of --nodes
	logLevel      string       // likewise
	coordinator   *slog.Logger // of the local coordinator: its last words, as run shows its alarms itself
}

func (m Main) runCommand() *cobra.Command {
	o := runOptions{stdin: m.Stdin, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a sweep on this machine",
		Long: `run solves a sweep on this machine and writes its result set to a folder below --out. Ctrl-C, a crash or a full disk
lose nothing that is finished: the same command goes on where it was. A finished sweep answers at once. After an edit of
the file, points that a finished sweep of the same name below --out has already are not solved again.`,
		Example: `  phasegrid run sweep/examples/spiked-phase-diagram.yaml
  phasegrid run sweep.yaml --out /data/results --slots 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.File = args[0]
			if o.log, err = m.logger(cmd); err != nil {
				return err
			}
			o.logFormat, _ = cmd.Flags().GetString("log-format")
			o.logLevel, _ = cmd.Flags().GetString("log-level")
			o.coordinator = o.log
			if !cmd.Flags().Changed("log-level") {
				if o.coordinator, err = m.loggerFrom(ledger.LevelFatal, o.logFormat); err != nil {
					return err
				}
			}
			return runRun(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "results", "`folder` for result sets")
	flags.StringVar(&o.State, "state", ".phasegrid", "`folder` for what is not finished")
	flags.IntVar(&o.Nodes, "nodes", 0, "solve in that many separate processes; 0 solves in this one")
	flags.IntVar(
		&o.Slots,
		"slots",
		0,
		"shards solved at once, by each node (default the cores, shared among the nodes)",
	)
	flags.BoolVar(
		&o.NoReuse,
		"no-reuse",
		false,
		"solve points again that an earlier sweep of this name below --out has",
	)
	addPointBytesFlag(cmd, &o.MaxPointBytes)
	o.Output.addFlag(flags)
	return cmd
}

func runRun(ctx context.Context, o runOptions) error {
	if o.Nodes < 0 || o.Slots < 0 || o.Nodes > maxLocalNodes {
		return usageError{fmt.Errorf("--nodes goes from 0 to %d, --slots from 0", maxLocalNodes)}
	}
	if err := (node.Config{Name: "local", Slots: o.Slots}).Check(); err != nil { // no node would ever be taken
		return usageError{err}
	}
	if o.Slots == 0 {
		o.Slots = max(1, runtime.GOMAXPROCS(0)/max(1, o.Nodes))
	}
	if err := checkPointBytes(o.MaxPointBytes); err != nil {
		return err
	}
	file, err := readSweepFile(o.File, o.stdin)
	if err != nil {
		return err
	}
	spec, err := sweep.Parse(o.File, file, sweep.Limits{PointBytes: o.MaxPointBytes})
	if err != nil {
		return usageError{err}
	}
	for _, w := range spec.Warnings() {
		fmt.Fprintln(o.stderr, "warning:", w)
	}
	id := spec.ID(solver.Version)
	folder := filepath.Join(o.Out, spec.Name()+"-"+id[:8])
	m, err := finishedBefore(folder, id)
	if err != nil {
		return err
	}
	if m != nil && len(m.Missing) == 0 && sameSizes(folder, m) {
		if err = conclude(ctx, o, folder, "finished before"); err == nil || ctx.Err() != nil {
			return err
		}
	}
	unreadable := err
	unlock, err := lockFolder(o.State, "--state")
	if err != nil {
		return err
	}
	defer unlock()
	state, err := stateFolder(o, spec.Name(), id)
	if err != nil {
		return err
	}
	if m != nil {
		if err := beginAgain(ctx, o, folder, state, m, unreadable); err != nil {
			return err
		}
	}
	started := time.Now()
	var earlier *memo
	if !o.NoReuse {
		if earlier, err = memoOf(ctx, o, spec, id, filepath.Join(state, memoFolder)); err != nil {
			return err
		}
	}
	defer earlier.close()
	view, err := runLocal(ctx, o, state, file, earlier)
	if err != nil {
		return err
	}
	if err := sayReused(ctx, o, folder, earlier); err != nil {
		return err
	}
	if err := outcome(view); err != nil {
		if errors.Is(err, errQuarantined) {
			return errors.Join(conclude(ctx, o, folder, "not complete"), fmt.Errorf(
				"%d of %d %w: their points have no rows; the same command tries them again",
				view.Progress.ShardsQuarantined,
				view.Progress.Shards,
				errQuarantined,
			))
		}
		return err
	}
	if err := os.RemoveAll(state); err != nil {
		o.log.Warn("the state of a finished sweep stays", "folder", state, "error", err)
	}
	return conclude(ctx, o, folder, "in "+duration(time.Since(started)))
}

// stateFolder is where a sweep's state is kept until it is finished: one for each sweep and each
// folder that its result set may have. The name is in the latter and not in the id.
func stateFolder(o runOptions, name, id string) (string, error) {
	out, err := withoutLinks(o.Out)
	if err == nil {
		var state string
		if state, err = filepath.Abs(o.State); err == nil {
			sum := sha256.Sum256([]byte(filepath.Join(out, name)))
			return filepath.Join(state, id[:16]+"-"+hex.EncodeToString(sum[:4])), nil
		}
	}
	return "", fmt.Errorf("state folder: %w", err)
}

// withoutLinks is the one absolute path of a folder that may be reached by several, through
// symbolic links. It need not be there yet.
func withoutLinks(folder string) (string, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if there, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return there, err
	}
	parent, err := withoutLinks(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

// conclude prints the path of a result set and its table by optimizer.
func conclude(ctx context.Context, o runOptions, folder, how string) error {
	set, err := results.OpenSet(folder)
	var summaries []*optimizerSummary
	if err == nil {
		summaries, err = summarize(ctx, set)
	}
	if err != nil {
		return fmt.Errorf("%w; the same command computes again what is damaged", err)
	}
	return o.Output.print(o.stdout, viewRun(folder, summaries), func(w io.Writer) {
		fmt.Fprintf(w, "%s  (%s)\n\n", folder, how)
		printSummary(w, summaries)
	})
}
