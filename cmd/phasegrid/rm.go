package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// removedView is a sweep that was removed.
type removedView struct {
	ID        string `json:"id" yaml:"id"`
	Name      string `json:"name" yaml:"name"`
	ResultSet string `json:"result_set" yaml:"result_set"`
}

func (m Main) rmCommand() *cobra.Command {
	return m.sweepCommand("rm", "Remove a sweep that has ended, and its result set", runRm)
}

func runRm(ctx context.Context, o sweepOptions) error {
	return o.Client.WithSweep(ctx, o.Sweep, func(ctx context.Context, c *client.Client, s client.Sweep) error {
		if err := c.Remove(ctx, s.ID); err != nil {
			return err
		}
		removed := removedView{s.ID, s.Name, s.ResultSet}
		return o.Output.print(
			o.stdout,
			removed,
			func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\tremoved\n", client.ShortID(s.ID), s.Name) },
		)
	})
}
