package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// bulky needs about a megabyte of Parquet.
const bulky = `
name: bulky
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.01, steps: 100}
grid:
  dimension: [20, 30]
  anisotropy: {linspace: {from: 1, to: 9, num: 50}}
record: {every: 1}
`

func TestFullDiskEndsClearlyAndTheSameCommandFinishesLater(t *testing.T) {
	out, state, file := t.TempDir(), t.TempDir(), writeSweep(t, bulky)
	if err := syscall.Mount("tmpfs", out, "tmpfs", 0, "size=200k"); err != nil {
		t.Skipf("a small disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(out, 0); err != nil {
			t.Error(err)
		}
	})
	run := func() outcomeOf { return phasegrid(t, "run", file, "--out", out, "--state", state) }
	got := run()
	if got.code != exitFailed || !strings.Contains(got.stderr, "no space left on device") || !strings.Contains(got.stderr, "the same command goes on") {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if parts, err := filepath.Glob(filepath.Join(out, "*", "*", "part-*.parquet")); err != nil || len(parts) > 0 {
		t.Errorf("half written: %v, %v", parts, err)
	}
	if err := syscall.Mount("tmpfs", out, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if got := run(); got.code != exitDone {
		t.Fatalf("with room: exit code %d\n%s", got.code, got.stderr)
	}
	if got := phasegrid(t, "verify", openOnlySet(t, out).Dir()); got.code != exitDone {
		t.Errorf("verify: %s%s", got.stdout, got.stderr)
	}
}
