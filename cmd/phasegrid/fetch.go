package main

import (
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

type fetchOptions struct {
	Client         client.Config
	Sweep          string
	Out            string
	Output         output
	stdout, stderr io.Writer
}

// fetchView is a downloaded result set.
type fetchView struct {
	Folder string       `json:"folder" yaml:"folder"`
	Files  int          `json:"files" yaml:"files"`
	Sweep  client.Sweep `json:"sweep" yaml:"sweep"`
}

func (m Main) fetchCommand() *cobra.Command {
	o := fetchOptions{Client: client.Config{Notes: m.Stderr}, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "fetch SWEEP",
		Short: "Download a result set and verify its checksums",
		Long: `fetch downloads a sweep's result set into a directory below --out. Existing files with the right
checksum are kept, interrupted downloads are resumed, and unfinished files of other downloads are
removed at the end. While a sweep runs, fetch downloads the parts that are written.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runFetch(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	o.Output.addFlag(cmd.Flags())
	cmd.Flags().StringVar(&o.Out, "out", "results", "`directory` for result sets")
	return cmd
}

func runFetch(ctx context.Context, o fetchOptions) error {
	return o.Client.WithSweep(ctx, o.Sweep, func(ctx context.Context, c *client.Client, s client.Sweep) error {
		folder, files, err := c.Download(ctx, s, o.Out, func(f client.File) {
			fmt.Fprintf(o.stderr, "%s  %s\n", f.Path, humanize.IBytes(uint64(f.Bytes)))
		})
		if err != nil {
			return err
		}
		if p := s.Progress; p.PartsDone < p.Parts {
			fmt.Fprintf(
				o.stderr,
				"the result set is incomplete: %d of %s written, and the sweep is %s\n",
				p.PartsDone,
				counted(p.Parts, "part"),
				s.Phase,
			)
		}
		return o.Output.print(o.stdout, fetchView{folder, files, s}, func(w io.Writer) { fmt.Fprintln(w, folder) })
	})
}
