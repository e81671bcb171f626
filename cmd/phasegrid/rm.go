package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

type rmOptions struct {
	Client client.Config
	Sweep  string
	Output output
	stdout io.Writer
}

// removedView is a sweep that was removed.
type removedView struct {
	ID        string `json:"id" yaml:"id"`
	Name      string `json:"name" yaml:"name"`
	ResultSet string `json:"result_set" yaml:"result_set"`
}

func (m Main) rmCommand() *cobra.Command {
	o := rmOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "rm SWEEP",
		Short: "Remove a sweep that has ended, and its result set",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runRm(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	o.Output.addFlag(cmd.Flags())
	return cmd
}

func runRm(ctx context.Context, o rmOptions) error {
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
