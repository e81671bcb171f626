package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

func (m Main) watchCommand() *cobra.Command {
	cmd := m.sweepCommand("watch", "Watch a sweep until it ends", runWatch)
	cmd.Long = "watch shows the progress of a sweep until it ends. Ctrl-C ends watch, not the sweep."
	return cmd
}

func runWatch(ctx context.Context, o sweepOptions) error {
	return o.Client.With(ctx, func(ctx context.Context, c *client.Client) error {
		return watchSweep(ctx, c, o.Sweep, o.Output, o.stderr, o.stdout)
	})
}

// watchSweep shows the progress of a sweep on stderr and, when it has ended, the sweep on stdout.
func watchSweep(ctx context.Context, c *client.Client, name string, format output, stderr, stdout io.Writer) error {
	bar := newProgress(stderr)
	view, err := c.Watch(ctx, name, bar.show)
	bar.close()
	if err != nil {
		return err
	}
	err = format.print(stdout, view, func(w io.Writer) {
		counts := byStatus(view.Progress.PointsByStatus)
		fmt.Fprintf(w, "%s  %s  %s  %s%s\n", client.ShortID(view.ID), view.Name, view.Phase, view.ResultSet, counts)
	})
	if err != nil {
		return err
	}
	return outcome(view)
}

// outcome returns an error unless the sweep is done without quarantined shards.
func outcome(v client.Sweep) error {
	switch {
	case v.Phase == client.PhaseFailed:
		return fmt.Errorf(
			"sweep %s failed: %s", client.ShortID(v.ID), cmp.Or(v.Progress.Waiting, "see the coordinator's log"),
		)
	case v.Phase == client.PhaseCancelled:
		return fmt.Errorf("sweep %s was cancelled; submit it again to resume", client.ShortID(v.ID))
	case v.Phase == client.PhaseRemoving:
		return fmt.Errorf("sweep %s is being removed", client.ShortID(v.ID))
	case v.Progress.ShardsQuarantined > 0:
		return fmt.Errorf(
			"%d of %d %w: their points have no rows; see `phasegrid status %s`, then run `phasegrid retry %s`",
			v.Progress.ShardsQuarantined,
			v.Progress.Shards,
			errQuarantined,
			client.ShortID(v.ID),
			client.ShortID(v.ID),
		)
	}
	return nil
}
