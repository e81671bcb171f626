package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slowSweep has shards of a tenth of a second.
const slowSweep = `
name: slow
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.01, steps: 4000000}
grid:
  dimension: [20, 30]
  anisotropy: {linspace: {from: 1, to: 9, num: 36}}
record: {steps: [0, 100], coefficients: true}
`

// awaitCommit blocks until shards are committed: the spool below the state folder has grown twice, and its second group is
// written after the commit of the first.
func awaitCommit(ctx context.Context, state string) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for seen, last := 0, int64(0); ; {
		size := int64(0)
		filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.Contains(path, string(filepath.Separator)+"spool"+string(filepath.Separator)) {
				if info, err := d.Info(); err == nil {
					size += info.Size()
				}
			}
			return nil
		})
		if size > last {
			last = size
			if seen++; seen == 2 {
				return true
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// resumed runs the sweep to its end and checks that it went on from what was there, and ended as an undisturbed run does.
func resumed(t *testing.T, file, out, state string, want map[string][]byte) {
	t.Helper()
	again := time.Now()
	got := phasegrid(t, "run", file, "--out", out, "--state", state)
	if got.code != exitDone {
		t.Fatalf("the same command again: exit code %d\n%s", got.code, got.stderr)
	}
	set := openOnlySet(t, out)
	sameParquet(t, "resumed", parquet(t, set.Dir()), want)
	kept := 0
	for _, s := range collect(t, set.Shards(t.Context())) {
		if s.Finished < again.UnixMicro() {
			kept++
		}
	}
	if kept == 0 {
		t.Error("every shard was computed again")
	}
	if got := phasegrid(t, "verify", set.Dir()); got.code != exitDone {
		t.Errorf("verify: %s%s", got.stdout, got.stderr)
	}
}

func TestInterruptedRunGoesOn(t *testing.T) {
	want := parquet(t, runSweep(t, slowSweep).Dir())
	t.Run("Ctrl-C", func(t *testing.T) {
		file, out, state := writeSweep(t, slowSweep), t.TempDir(), t.TempDir()
		ctx, interrupt := context.WithCancel(t.Context())
		go func() {
			awaitCommit(ctx, state)
			interrupt()
		}()
		got := phasegridWith(ctx, nil, nil, "run", file, "--out", out, "--state", state)
		if got.code != exitInterrupted || !strings.Contains(got.stderr, "the same command goes on") {
			t.Fatalf("exit code %d\n%s", got.code, got.stderr)
		}
		resumed(t, file, out, state, want)
	})
	t.Run("kill -9", func(t *testing.T) {
		file, out, state := writeSweep(t, slowSweep), t.TempDir(), t.TempDir()
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var output bytes.Buffer
		cmd := exec.Command(program, "run", file, "--out", out, "--state", state)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if !awaitCommit(t.Context(), state) {
			t.Fatal("nothing was committed")
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("%v\n%s", err, &output)
		}
		<-ended
		resumed(t, file, out, state, want)
	})
}

func TestFinishedSweepAnswersAtOnce(t *testing.T) {
	file, out, state := writeSweep(t, manyShards), t.TempDir(), t.TempDir()
	first := phasegrid(t, "run", file, "--out", out, "--state", state)
	if first.code != exitDone {
		t.Fatal(first.stderr)
	}
	// Without a state folder there is nothing that could run.
	again := phasegrid(t, "run", file, "--out", out, "--state", "/dev/null")
	if again.code != exitDone || !strings.Contains(again.stdout, "finished before") {
		t.Errorf("code %d: %s%s", again.code, again.stdout, again.stderr)
	}
	set := openOnlySet(t, out)
	want := parquet(t, set.Dir())
	if err := os.Remove(filepath.Join(set.Dir(), "points", "part-000000.parquet")); err != nil {
		t.Fatal(err)
	}
	if got := phasegrid(t, "run", file, "--out", out, "--state", state); got.code != exitDone {
		t.Fatalf("with a part gone: code %d: %s", got.code, got.stderr)
	}
	sameParquet(t, "a part made again", parquet(t, set.Dir()), want)
}
