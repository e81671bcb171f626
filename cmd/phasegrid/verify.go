package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
)

type verifyOptions struct {
	Dir    string
	Output output
	stdout io.Writer
}

func (m Main) verifyCommand() *cobra.Command {
	o := verifyOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Verify a result set: checksums, schema, order, every point exactly once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = args[0]
			return runVerify(cmd.Context(), o)
		},
	}
	o.Output.addFlag(cmd.Flags())
	return cmd
}

type verifyView struct {
	Set        string          `json:"set" yaml:"set"`
	Finished   bool            `json:"finished" yaml:"finished"`
	Points     int64           `json:"points" yaml:"points"`
	Missing    int64           `json:"missing" yaml:"missing"` // points of quarantined shards, which the manifest lists
	Files      int             `json:"files" yaml:"files"`
	Violations []violationView `json:"violations" yaml:"violations"`
	Omitted    int64           `json:"omitted,omitempty" yaml:"omitted,omitempty"`
}

type violationView struct {
	Kind   string `json:"kind" yaml:"kind"`
	File   string `json:"file,omitempty" yaml:"file,omitempty"`
	Detail string `json:"detail" yaml:"detail"`
}

func runVerify(ctx context.Context, o verifyOptions) error {
	report, missing, err := verifySet(ctx, o.Dir)
	if err != nil {
		return err
	}
	view := verifyView{
		Set:      o.Dir,
		Finished: report.Finished,
		Points:   report.Points,
		Missing:  missing,
		Files:    report.Files,
		Omitted:  report.Omitted,

		Violations: []violationView{}, // an empty list, not null
	}
	for _, v := range report.Violations {
		view.Violations = append(view.Violations, violationView{string(v.Kind), v.File, v.Detail})
	}
	err = o.Output.print(o.stdout, view, func(w io.Writer) {
		for _, v := range report.Violations {
			fmt.Fprintln(w, v)
		}
		if report.Omitted > 0 {
			fmt.Fprintf(w, "and %d more\n", report.Omitted)
		}
		state := "finished"
		if !report.Finished {
			state = "not finished"
		}
		lacking := ""
		if missing > 0 {
			lacking = fmt.Sprintf(
				", %s missing because of quarantined shards; `phasegrid run` or `phasegrid retry` retries them",
				counted(missing, "point"),
			)
		}
		fmt.Fprintf(
			w,
			"%s: %s, %s in %s, %s%s\n",
			o.Dir,
			state,
			counted(report.Points, "point"),
			counted(int64(report.Files), "file"),
			counted(int64(len(report.Violations))+report.Omitted, "violation"),
			lacking,
		)
	})
	if err == nil && !report.OK() {
		err = fmt.Errorf(
			"%s is not a valid result set; remove the listed files, "+
				"then `phasegrid run` with the sweep file or `phasegrid fetch` restores them",
			o.Dir,
		)
	}
	return err
}

// verifySet checks a result set against its sweep, and the sweep against the manifest. It counts
// the points that are missing according to the manifest.
func verifySet(ctx context.Context, dir string) (report *results.Report, missing int64, err error) {
	spec, err := specOf(dir)
	if err != nil {
		return nil, 0, err
	}
	present := func(index int64) bool {
		_, ok := spec.Point(index)
		return ok
	}
	if report, err = results.Verify(ctx, dir, present, spec); err != nil {
		return nil, 0, err
	}
	m := report.Manifest
	if m == nil {
		return report, 0, nil
	}
	if m.Sweep != spec.ID(m.Solver) {
		report.Violations = append(
			report.Violations,
			results.Violation{Kind: results.BadManifest, File: results.SweepName,
				Detail: fmt.Sprintf("not the sweep of the manifest: got id %s, the manifest has %s",
					spec.ID(m.Solver), m.Sweep)},
		)
	}
	for _, r := range m.Missing {
		for i := r.First; i < min(r.End, spec.Size()); i++ {
			if present(i) {
				missing++
			}
		}
	}
	return report, missing, nil
}
