package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// bulky needs about a megabyte of Parquet.
const bulky = `
name: bulky
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123,
  optimizer: gd, learning_rate: 0.01, steps: 100}
grid:
  dimension: [20, 30]
  anisotropy: {linspace: {from: 1, to: 9, num: 50}}
record: {every: 1}
`

func TestFullDiskEndsClearlyAndTheSameCommandFinishesLater(t *testing.T) {
	out, state, file := smallDisk(t, "200k"), t.TempDir(), writeSweep(t, bulky)
	run := func() outcomeOf { return phasegrid(t, "run", file, "--out", out, "--state", state) }
	got := run()
	if got.code != exitFailed || !strings.Contains(got.stderr, "no space left on device") ||
		!strings.Contains(got.stderr, "run the same command to resume") {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if parts, err := filepath.Glob(filepath.Join(out, "*", "*", "part-*.parquet")); err != nil || len(parts) > 0 {
		t.Errorf("half written: %v, %v", parts, err)
	}
	grow(t, out)
	if got := run(); got.code != exitDone {
		t.Fatalf("with room: exit code %d\n%s", got.code, got.stderr)
	}
	if got := phasegrid(t, "verify", openOnlySet(t, out).Dir()); got.code != exitDone {
		t.Errorf("verify: %s%s", got.stdout, got.stderr)
	}
}

// TestFullStateFolderEndsClearlyAndTheSameCommandFinishesLater: etcd reserves space for its log at
// start and panics without it. The test uses processes, as such an etcd leaks goroutines.
func TestFullStateFolderEndsClearlyAndTheSameCommandFinishesLater(t *testing.T) {
	out, state, file := t.TempDir(), smallDisk(t, "8m"), writeSweep(t, bulky)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func() (string, int) {
		cmd := exec.CommandContext(t.Context(), program, "run", file, "--out", out, "--state", state)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		text, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(text), cmd.ProcessState.ExitCode()
	}
	if text, code := run(); code != exitFailed || !strings.Contains(text, "no space left on device") ||
		strings.Contains(text, "goroutine") {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	grow(t, state)
	if text, code := run(); code != exitDone {
		t.Fatalf("with room: exit code %d\n%s", code, text)
	}
}

// smallDisk mounts a file system of a size until the test ends.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func grow(t *testing.T, disk string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=256m"); err != nil {
		t.Fatal(err)
	}
}
