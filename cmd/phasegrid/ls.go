package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type lsOptions struct {
	remote
	Output output
	stdout io.Writer
}

func (m Main) lsCommand() *cobra.Command {
	o := lsOptions{remote: remote{notes: m.Stderr}, stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the sweeps of a cluster",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLs(cmd.Context(), o) },
	}
	o.addFlags(cmd.Flags())
	o.Output.addFlag(cmd.Flags())
	return cmd
}

func runLs(ctx context.Context, o lsOptions) error {
	return o.with(ctx, func(ctx context.Context, c *sweepClient) error {
		views, err := c.list(ctx)
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
					shortID(v.ID),
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

// shortID is as much of an id as people need.
func shortID(id string) string { return id[:min(len(id), 8)] }
