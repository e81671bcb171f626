package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/results"
)

// check compares what there is with what there should be.
func (t *trial) check(ctx context.Context) error {
	t.report.Reads, t.report.ReadsLost = t.reader.reads, t.reader.failed
	t.report.Violations = append(t.report.Violations, t.reader.violations...)
	if err := t.reader.unchanged(); err != nil {
		t.report.violate("%v", err)
	}
	for _, p := range t.cluster.processes() {
		t.report.Violations = append(t.report.Violations, p.unexpectedExits()...)
	}
	var err error
	if t.report.Audit, err = auditLogs(t.cluster); err != nil {
		return err
	}
	if t.report.Audit.Acked == 0 || t.report.Audit.Granted == 0 || t.report.Reads["flight"] == 0 ||
		t.report.Reads["merged points"] == 0 {
		t.report.violate("nothing was checked: no shard was granted, acknowledged or read")
	}
	t.report.Violations = append(append(t.report.Violations, t.report.Audit.Recomputed...), t.report.Audit.Panics...)
	for k, s := range t.reader.all() {
		if err := t.compare(ctx, k, s); err != nil {
			return err
		}
	}
	return nil
}

// compare verifies a sweep's result set, runs the sweep again undisturbed, and compares the files.
func (t *trial) compare(ctx context.Context, k int, s client.Sweep) error {
	set := filepath.Join(t.cluster.disk.folder, s.ResultSet)
	if err := t.verify(ctx, s.Name, set); err != nil {
		return err
	}
	filename, _ := t.sweepFile(k)
	out, state := filepath.Join(t.cfg.Folder, "undisturbed"), filepath.Join(t.cfg.Folder, "state")
	program, err := program()
	if err != nil {
		return err
	}
	file := filepath.Join(t.cfg.Folder, filename)
	run := exec.CommandContext(ctx, program, "run", file, "--out", out, "--state", state, "--no-reuse")
	if text, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s undisturbed: %w\n%s", filename, err, text)
	}
	got, err := parquetHashes(set)
	if err != nil {
		return err
	}
	want, err := parquetHashes(filepath.Join(out, s.ResultSet))
	if err != nil {
		return err
	}
	t.report.Files += len(want)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.report.violate("%s: %s differs from an undisturbed run's", s.Name, name)
		}
		delete(got, name)
	}
	for name := range got {
		t.report.violate("%s: %s is not in an undisturbed run", s.Name, name)
	}
	return nil
}

// verify runs `phasegrid verify` on a result set.
func (t *trial) verify(ctx context.Context, name, set string) error {
	program, err := program()
	if err != nil {
		return err
	}
	text, failed := exec.CommandContext(ctx, program, "verify", set, "-o", "json").Output()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var view struct {
		Violations []struct{ Kind, File, Detail string }
	}
	if err := json.Unmarshal(text, &view); err != nil || failed != nil && len(view.Violations) == 0 {
		t.report.violate("%s: phasegrid verify: %v", name, failed)
	}
	for _, v := range view.Violations {
		t.report.violate("%s: %s: %s: %s", name, v.File, v.Kind, v.Detail)
	}
	return nil
}

// parquetHashes returns the hashes of a set's files whose bytes are promised to be reproducible.
func parquetHashes(set string) (map[string][32]byte, error) {
	hashes := map[string][32]byte{}
	for _, t := range []results.Table{results.Points, results.Trajectories, results.Coefficients} {
		names, err := filepath.Glob(filepath.Join(set, t.String(), "*.parquet"))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", set, err)
		}
		for _, name := range names {
			if hashes[t.String()+"/"+filepath.Base(name)], err = hashParquet(name); err != nil {
				return nil, err
			}
		}
	}
	return hashes, nil
}
