package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type retryOptions struct {
	remote
	Sweep  string
	Watch  bool
	stdout io.Writer
	stderr io.Writer
}

func (m Main) retryCommand() *cobra.Command {
	o := retryOptions{remote: remote{notes: m.Stderr}, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "retry SWEEP",
		Short: "Run a sweep's quarantined shards again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runRetry(cmd.Context(), o)
		},
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "watch the sweep until it ends")
	return cmd
}

func runRetry(ctx context.Context, o retryOptions) error {
	return o.withSweep(ctx, o.Sweep, func(ctx context.Context, c *sweepClient, s sweepView) error {
		if s.Phase == phaseCancelled {
			return outcome(s)
		}
		view, shards, err := c.retry(ctx, s.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(o.stdout, "%s  %s  to run again: %s\n", shortID(view.ID), view.Name, counted(shards, "shard"))
		if o.Watch {
			return watchSweep(ctx, c, view.ID, "table", o.stderr, o.stdout)
		}
		return nil
	})
}
