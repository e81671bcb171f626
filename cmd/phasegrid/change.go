package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

func (m Main) pauseCommand() *cobra.Command {
	return m.changeCommand(client.ChangePause, "Pause a sweep: no new leases, leased shards are finished")
}

func (m Main) resumeCommand() *cobra.Command {
	return m.changeCommand(client.ChangeResume, "Resume a paused sweep")
}

func (m Main) cancelCommand() *cobra.Command {
	return m.changeCommand(client.ChangeCancel, "Cancel a sweep: leases are revoked, finished shards are kept")
}

// changeCommand changes the phase of one sweep.
func (m Main) changeCommand(change client.Change, short string) *cobra.Command {
	return m.sweepCommand(string(change), short, func(ctx context.Context, o sweepOptions) error {
		return runChange(ctx, change, o)
	})
}

func runChange(ctx context.Context, change client.Change, o sweepOptions) error {
	return o.Client.WithSweep(ctx, o.Sweep, func(ctx context.Context, c *client.Client, s client.Sweep) error {
		view, err := c.Change(ctx, change, s.ID)
		if err != nil {
			return err
		}
		return o.Output.print(o.stdout, view, func(w io.Writer) {
			fmt.Fprintf(w, "%s\t%s\t%s\n", client.ShortID(view.ID), view.Name, view.Phase)
		})
	})
}
