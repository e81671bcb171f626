package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// retryView is a sweep and how many of its shards are retried.
type retryView struct {
	Sweep   client.Sweep `json:"sweep" yaml:"sweep"`
	Retried int64        `json:"shards_retried" yaml:"shards_retried"`
}

func (m Main) retryCommand() *cobra.Command {
	watch := false
	cmd := m.sweepCommand("retry", "Retry the quarantined shards of a sweep",
		func(ctx context.Context, o sweepOptions) error { return runRetry(ctx, watch, o) })
	cmd.Flags().BoolVar(&watch, "watch", false, "watch the sweep until it ends")
	return cmd
}

func runRetry(ctx context.Context, watch bool, o sweepOptions) error {
	return o.Client.WithSweep(ctx, o.Sweep, func(ctx context.Context, c *client.Client, s client.Sweep) error {
		if s.Phase == client.PhaseCancelled {
			return outcome(s)
		}
		view, shards, err := c.Retry(ctx, s.ID)
		if err != nil {
			return err
		}
		if watch {
			fmt.Fprintln(o.stderr, "retrying", counted(shards, "shard"))
			return watchSweep(ctx, c, view.ID, o.Output, o.stderr, o.stdout)
		}
		return o.Output.print(o.stdout, retryView{view, shards}, func(w io.Writer) {
			fmt.Fprintf(w, "%s\t%s\tretrying %s\n", client.ShortID(view.ID), view.Name, counted(shards, "shard"))
		})
	})
}
