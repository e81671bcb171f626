package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

func (m Main) statusCommand() *cobra.Command {
	cmd := m.sweepCommand("status",
		"Show a sweep: progress, alarms, lease failures, quarantined shards and fenced nodes", runStatus)
	cmd.Long = `SWEEP is an id, its first four or more characters, or a name, which means the newest sweep
of that name.`
	return cmd
}

func runStatus(ctx context.Context, o sweepOptions) error {
	return o.Client.With(ctx, func(ctx context.Context, c *client.Client) error {
		view, err := c.Get(ctx, o.Sweep)
		if err != nil {
			return err
		}
		if view.Fenced, err = c.FencedNodes(ctx); err != nil {
			return err
		}
		return o.Output.print(o.stdout, view, func(w io.Writer) { printStatus(w, view) })
	})
}

func printStatus(w io.Writer, v client.Sweep) {
	p := v.Progress
	fmt.Fprintf(w, "sweep\t%s\n", v.ID)
	fmt.Fprintf(w, "name\t%s\n", v.Name)
	fmt.Fprintf(w, "phase\t%s\n", v.Phase)
	if p.Waiting != "" {
		fmt.Fprintf(w, "waiting\t%s\n", p.Waiting)
	}
	for _, alarm := range p.Alarms {
		fmt.Fprintf(w, "alarm\t%s\n", alarm)
	}
	fmt.Fprintf(w, "points\t%d of %d%s\n", p.PointsDone, p.Indices, byStatus(p.PointsByStatus))
	fmt.Fprintf(
		w,
		"shards\t%d of %d done, %d leased, %d quarantined\n",
		p.ShardsDone,
		p.Shards,
		p.ShardsLeased,
		p.ShardsQuarantined,
	)
	if p.ShardsLost > 0 {
		fmt.Fprintf(
			w, "lost\t%s in the spool, gone or damaged; computed again\n", counted(p.ShardsLost, "finished shard"),
		)
	}
	fmt.Fprintf(w, "parts\t%d of %d written\n", p.PartsDone, p.Parts)
	fmt.Fprintf(w, "working nodes\t%d\n", p.Nodes)
	for _, f := range v.Fenced {
		fmt.Fprintf(w, "node %s\t%s\n", f.Node, f.Reason)
	}
	if p.ETA > 0 {
		fmt.Fprintf(w, "eta\t%s\n", duration(p.ETA))
	}
	fmt.Fprintf(w, "result set\t%s\n", v.ResultSet)
	for _, l := range p.Suspects {
		state := "suspect"
		if l.Quarantined {
			state = "quarantined"
		}
		fmt.Fprintf(w, "shard %d\t%s after %s\n", l.Shard, state, counted(int64(l.Attempts), "attempt"))
		for _, c := range l.Causes {
			fmt.Fprintf(w, "\t%s  %s: %s\n", c.Time.Local().Format("2006-01-02 15:04:05"), c.Node, c.Cause)
		}
	}
	if p.ShardsQuarantined > 0 {
		fmt.Fprintf(w, "next\tphasegrid retry %s\tretries the quarantined shards\n", client.ShortID(v.ID))
	}
}

// byStatus formats counts of rows, ordered by status: " (2 diverged, 98 ok)".
func byStatus(counts map[string]int64) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if texts == nil {
		return ""
	}
	return " (" + strings.Join(texts, ", ") + ")"
}
