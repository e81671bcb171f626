package main

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/bench"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/chaos"
)

type benchOptions struct {
	Config         bench.Config
	Output         output
	stdout, stderr io.Writer
}

func (m Main) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure solver, scheduling, merge and plan on this machine, or test a cluster under faults",
		Long: `bench measures this machine. A ratio compares two measurements taken in turns in one run, and is
above 1 where phasegrid is faster: it means something on a busy machine, too. The solver is
measured by processor time, and the fastest of several rounds counts; the rest is measured by the
clock. Figures with a target show it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		m.measureCommand("all", "Measure everything", "", addPythonFlag),
		m.measureCommand(
			bench.Solver,
			"Measure the solver against scalar kernels, gonum and NumPy",
			"",
			addPythonFlag,
			bench.Solver,
		),
		m.measureCommand(
			bench.Scheduling,
			"Measure a coordinator with nodes that solve nothing",
			scheduleLong,
			addScheduleFlags,
			bench.Scheduling,
		),
		m.measureCommand(
			bench.Merging,
			"Measure the merge of trajectories into Parquet against DuckDB's COPY",
			mergeLong,
			addMergeFlags,
			bench.Merging,
		),
		m.benchPlanCommand(),
		m.chaosCommand(),
	)
	return cmd
}

func (m Main) benchPlanCommand() *cobra.Command {
	none := func(*pflag.FlagSet, *bench.Config) {}
	cmd := m.measureCommand(
		"plan [FILE...]",
		"Compare the times that plan predicts with those that run takes",
		planLong,
		none,
		bench.Planning,
	)
	cmd.Args = cobra.ArbitraryArgs
	return cmd
}

const planLong = `plan predicts the time of each sweep file as phasegrid plan does, runs the file, and compares; without
files, of sweeps of every kind of work. A sweep is run up to three times while it takes longer than
predicted, and the fastest time counts. The command fails if a measured time is not within a factor
of two of the predicted one.`

const scheduleLong = `schedule runs a coordinator with embedded etcd, which syncs to disk, and simulated nodes in this
process that solve nothing and deliver rows as wide as a solver's over sockets: what is measured
is the cluster's own share of a sweep. It also runs a compute-bound sweep with one and with two
node processes, and takes leaders away from a cluster of processes.

State and result sets go below TMPDIR. To measure over S3, name an existing bucket, as for
phasegrid coordinator: --store 's3://bucket?region=eu-central-1'. The objects of the measurement
are removed.`

const mergeLong = `merge writes the trajectories of many shards, which are on disk as in a coordinator's spool, into
Parquet parts, one part a core at a time. DuckDB copies the same rows to Parquet with the same
codec, row groups and cores, in turns with it.`

// measureCommand takes measurements; all if none is named.
func (m Main) measureCommand(
	name, short, long string,
	addFlags func(*pflag.FlagSet, *bench.Config),
	measurements ...string,
) *cobra.Command {
	o := benchOptions{Config: bench.Defaults(), stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Config.Log, err = m.logger(cmd); err != nil {
				return err
			}
			o.Config.Sweeps = args
			return runBench(cmd.Context(), o, measurements...)
		},
	}
	addFlags(cmd.Flags(), &o.Config)
	o.Output.addFlag(cmd.Flags())
	cmd.Flags().BoolVar(&o.Config.Short, "short", false, "measure next to nothing, to show that everything works")
	cobra.CheckErr(cmd.Flags().MarkHidden("short"))
	return cmd
}

func addPythonFlag(flags *pflag.FlagSet, o *bench.Config) {
	flags.StringVar(&o.Python, "python", o.Python, "Python `interpreter` with NumPy, to compare with")
}

func addScheduleFlags(flags *pflag.FlagSet, o *bench.Config) {
	s := &o.Schedule
	flags.IntVar(&s.Nodes, "nodes", s.Nodes, "simulated `nodes` in the measurement with many of them")
	flags.IntVar(&s.Shards, "shards", s.Shards, "`shards` in the measurement of throughput")
	flags.DurationVar(&s.Duration, "duration", s.Duration, "how long shards are offered at 1,000 a second")
	flags.StringVar(&s.Store, "store", s.Store, "`URL` for spool and result sets (default a directory below TMPDIR)")
}

func addMergeFlags(flags *pflag.FlagSet, o *bench.Config) {
	flags.Int64Var(&o.Merge.Rows, "rows", o.Merge.Rows, "`rows` of trajectories")
}

func runBench(ctx context.Context, o benchOptions, measurements ...string) error {
	if err := o.Config.Check(); err != nil {
		return usageError{err}
	}
	o.Config.Revision = currentVersion().Revision
	o.Config.Progress = o.stderr
	o.Config.Failovers = chaos.Failovers
	report, err := bench.Run(ctx, o.Config, measurements...)
	if err != nil {
		return err
	}
	if err := o.Output.print(o.stdout, report, report.Print); err != nil {
		return err
	}
	if slices.Equal(measurements, []string{bench.Planning}) {
		return report.CheckPlan()
	}
	return nil
}
