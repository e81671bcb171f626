package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/sweep"
)

type submitOptions struct {
	Client   client.Config
	File     string
	Priority int32
	Weight   int32
	ranked   bool // priority or weight is set
	Watch    bool
	Output   output
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
}

func (m Main) submitCommand() *cobra.Command {
	o := submitOptions{Client: client.Config{Notes: m.Stderr}, stdin: m.Stdin, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "submit FILE",
		Short: "Submit a sweep to a cluster",
		Long: `submit sends a sweep file to the coordinator; - reads it from standard input. Submitting a sweep
again does not run it again. A cancelled or failed sweep is reopened, and its finished shards are
kept.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.File = args[0]
			o.ranked = cmd.Flags().Changed("priority") || cmd.Flags().Changed("weight")
			return runSubmit(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	cmd.Flags().Int32Var(&o.Priority, "priority", 0, "sweeps of higher priority get leases first")
	cmd.Flags().Int32Var(&o.Weight, "weight", 1, "share of the leases among sweeps of equal priority")
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "watch the sweep until it ends")
	o.Output.addFlag(cmd.Flags())
	return cmd
}

func runSubmit(ctx context.Context, o submitOptions) error {
	file, err := readSweepFile(o.File, o.stdin)
	if err != nil {
		return err
	}
	var written *sweep.Spec // of rows that the coordinator gets written out
	if sweep.ReadsFiles(file) {
		if written, file, err = parseSweep(o.File, file, 0); err != nil {
			return err
		}
	}
	return o.Client.With(ctx, func(ctx context.Context, c *client.Client) error {
		view, created, warnings, err := c.Submit(ctx, o.File, file, o.Priority, o.Weight)
		if err != nil {
			return err
		}
		if written != nil { // their places are those of the files that were read
			warnings = written.Warnings()
		}
		for _, w := range warnings {
			fmt.Fprintln(o.stderr, "warning:", w)
		}
		if !created && o.ranked && (view.Priority != o.Priority || view.Weight != o.Weight) {
			fmt.Fprintf(
				o.stderr,
				"warning: the sweep exists and keeps priority %d and weight %d\n",
				view.Priority,
				view.Weight,
			)
		}
		if o.Watch {
			return watchSweep(ctx, c, view.ID, o.Output, o.stderr, o.stdout)
		}
		return o.Output.print(o.stdout, view, func(w io.Writer) {
			verb := "submitted"
			if !created {
				verb = "already submitted; " + view.Phase // it may have been reopened
			}
			fmt.Fprintf(
				w,
				"%s\t%s\t%s\t%s, %s\n",
				view.ID,
				view.Name,
				verb,
				counted(view.Progress.Indices, "point"),
				counted(view.Progress.Shards, "shard"),
			)
		})
	})
}
