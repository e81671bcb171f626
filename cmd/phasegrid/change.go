package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type changeOptions struct {
	remote
	Sweep  string
	Output output
	stdout io.Writer
}

func (m Main) pauseCommand() *cobra.Command {
	return m.changeCommand(changePause, "Pause a sweep: no new leases; what runs is finished")
}

func (m Main) resumeCommand() *cobra.Command {
	return m.changeCommand(changeResume, "Resume a paused sweep")
}

func (m Main) cancelCommand() *cobra.Command {
	return m.changeCommand(changeCancel, "Cancel a sweep: what runs is stopped, finished shards are kept")
}

// changeCommand is a verb on one sweep.
func (m Main) changeCommand(verb change, short string) *cobra.Command {
	o := changeOptions{remote: remote{notes: m.Stderr}, stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   string(verb) + " SWEEP",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runChange(cmd.Context(), verb, o)
		},
	}
	o.addFlags(cmd.Flags())
	o.Output.addFlag(cmd.Flags())
	return cmd
}

func runChange(ctx context.Context, verb change, o changeOptions) error {
	return o.withSweep(ctx, o.Sweep, func(ctx context.Context, c *sweepClient, s sweepView) error {
		view, err := c.change(ctx, verb, s.ID)
		if err != nil {
			return err
		}
		return o.Output.print(o.stdout, view, func(w io.Writer) {
			fmt.Fprintf(w, "%s\t%s\t%s\n", shortID(view.ID), view.Name, view.Phase)
		})
	})
}
