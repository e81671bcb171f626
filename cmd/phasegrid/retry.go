package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

type retryOptions struct {
	Client client.Config
	Sweep  string
	Watch  bool
	Output output
	stdout io.Writer
	stderr io.Writer
}

// retryView is a sweep and how many of its shards are retried.
type retryView struct {
	Sweep   client.Sweep `json:"sweep" yaml:"sweep"`
	Retried int64        `json:"shards_retried" yaml:"shards_retried"`
}

func (m Main) retryCommand() *cobra.Command {
	o := retryOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "retry SWEEP",
		Short: "Retry the quarantined shards of a sweep",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runRetry(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	o.Output.addFlag(cmd.Flags())
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "watch the sweep until it ends")
	return cmd
}

func runRetry(ctx context.Context, o retryOptions) error {
	return o.Client.WithSweep(ctx, o.Sweep, func(ctx context.Context, c *client.Client, s client.Sweep) error {
		if s.Phase == client.PhaseCancelled {
			return outcome(s)
		}
		view, shards, err := c.Retry(ctx, s.ID)
		if err != nil {
			return err
		}
		if o.Watch {
			fmt.Fprintln(o.stderr, "retrying", counted(shards, "shard"))
			return watchSweep(ctx, c, view.ID, o.Output, o.stderr, o.stdout)
		}
		return o.Output.print(o.stdout, retryView{view, shards}, func(w io.Writer) {
			fmt.Fprintf(w, "%s\t%s\tretrying %s\n", client.ShortID(view.ID), view.Name, counted(shards, "shard"))
		})
	})
}
