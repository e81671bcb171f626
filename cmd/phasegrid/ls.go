package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

type lsOptions struct {
	Client client.Config
	Output output
	stdout io.Writer
}

func (m Main) lsCommand() *cobra.Command {
	o := lsOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List sweeps",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLs(cmd.Context(), o) },
	}
	addClientFlags(cmd.Flags(), &o.Client)
	o.Output.addFlag(cmd.Flags())
	return cmd
}

func runLs(ctx context.Context, o lsOptions) error {
	return o.Client.With(ctx, func(ctx context.Context, c *client.Client) error {
		views, err := c.List(ctx)
		if err != nil {
			return err
		}
		return o.Output.print(o.stdout, views, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tNAME\tPHASE\tDONE\tPOINTS\tNODES\tETA\tCREATED")
			for _, v := range views {
				p := v.Progress
				fmt.Fprintf(
					w,
					"%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n",
					client.ShortID(v.ID),
					v.Name,
					v.Phase,
					percent(p.ShardsDone, p.Shards),
					p.Indices,
					p.Nodes,
					duration(p.ETA),
					v.Created.Local().Format("2006-01-02 15:04"),
				)
			}
		})
	})
}
