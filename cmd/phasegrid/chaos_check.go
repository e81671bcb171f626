package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"github.com/phasegrid/phasegrid/results"
)

// check compares what there is with what there should be.
func (r *chaosRun) check(ctx context.Context) error {
	r.report.Reads, r.report.ReadsLost = r.reader.reads, r.reader.failed
	r.report.Violations = append(r.report.Violations, r.reader.violations...)
	if err := r.reader.unchanged(); err != nil {
		r.report.violate("%v", err)
	}
	for _, p := range r.cluster.processes() {
		r.report.Violations = append(r.report.Violations, p.endedByItself()...)
	}
	var err error
	if r.report.Audit, err = auditLogs(r.cluster); err != nil {
		return err
	}
	if r.report.Audit.Acked == 0 || r.report.Audit.Granted == 0 || r.report.Reads["flight"] == 0 ||
		r.report.Reads["merged points"] == 0 {
		r.report.violate("nothing was granted, acknowledged or read by somebody: nothing was checked")
	}
	r.report.Violations = append(append(r.report.Violations, r.report.Audit.Recomputed...), r.report.Audit.Panics...)
	for k, v := range r.reader.all() {
		if err := r.compare(ctx, k, v); err != nil {
			return err
		}
	}
	return nil
}

// compare runs a sweep again on this machine, undisturbed, and compares the files.
func (r *chaosRun) compare(ctx context.Context, k int, v client.Sweep) error {
	filename, _ := r.sweepFile(k)
	out, state := filepath.Join(r.folder, "undisturbed"), filepath.Join(r.folder, "state")
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	run := exec.CommandContext(
		ctx,
		program,
		"run",
		filepath.Join(r.folder, filename),
		"--out",
		out,
		"--state",
		state,
		"--no-reuse",
	)
	if text, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s undisturbed: %w\n%s", filename, err, text)
	}
	set := filepath.Join(r.cluster.disk.folder, v.ResultSet)
	if verified, _, err := verifySet(ctx, set); err != nil {
		r.report.violate("%s: %v", v.Name, err)
	} else {
		for _, violation := range verified.Violations {
			r.report.violate("%s: %v", v.Name, violation)
		}
	}
	got, err := parquetHashes(set)
	if err != nil {
		return err
	}
	want, err := parquetHashes(filepath.Join(out, v.ResultSet))
	if err != nil {
		return err
	}
	r.report.Files += len(want)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			r.report.violate("%s: %s has other bytes than an undisturbed run's", v.Name, name)
		}
		delete(got, name)
	}
	for name := range got {
		r.report.violate("%s: %s is not in an undisturbed run", v.Name, name)
	}
	return nil
}

// parquetHashes are those of a set's files that are promised to be the same everywhere.
func parquetHashes(set string) (map[string][32]byte, error) {
	hashes := map[string][32]byte{}
	for _, t := range []results.Table{results.Points, results.Trajectories, results.Coefficients} {
		names, err := filepath.Glob(filepath.Join(set, t.String(), "*.parquet"))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", set, err)
		}
		for _, name := range names {
			if hashes[t.String()+"/"+filepath.Base(name)], err = wholeParquet(name); err != nil {
				return nil, err
			}
		}
	}
	return hashes, nil
}
