package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// slowSweep has shards of a tenth of a second.
const slowSweep = `
name: slow
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123,
  optimizer: gd, learning_rate: 0.01, steps: 4000000}
grid:
  dimension: [20, 30]
  anisotropy: {linspace: {from: 1, to: 9, num: 36}}
record: {steps: [0, 100], coefficients: true}
`

// awaitCommit waits until a run whose temporary files are below tmp has committed points, by asking
// its coordinator.
func awaitCommit(ctx context.Context, tmp string) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		sockets, _ := filepath.Glob(filepath.Join(tmp, "phasegrid-*", "grpc")) // the pattern is well formed
		for _, socket := range sockets {
			var sweeps []client.Sweep
			got := phasegridWith(ctx, nil, nil, "ls", "--coordinator", "unix:"+socket, "-o", "json")
			if json.Unmarshal([]byte(got.stdout), &sweeps) == nil && len(sweeps) > 0 &&
				sweeps[0].Progress.PointsDone > 0 {
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

// shortTemp is a directory for temporary files with a path short enough for sockets below it.
func shortTemp(t *testing.T) string {
	t.Helper()
	tmp, err := os.MkdirTemp("/tmp", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	return tmp
}

// resumed runs the sweep to its end and checks that finished shards were kept and that the result
// is that of an uninterrupted run.
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
	t.Run("Ctrl-C, then by another path to the same folder", func(t *testing.T) {
		file, disk, state := writeSweep(t, slowSweep), t.TempDir(), t.TempDir()
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(disk, link); err != nil {
			t.Fatal(err)
		}
		tmp := shortTemp(t)
		t.Setenv("TMPDIR", tmp)
		ctx, interrupt := context.WithCancel(t.Context())
		go func() {
			awaitCommit(ctx, tmp)
			interrupt()
		}()
		got := phasegridWith(ctx, nil, nil, "run", file, "--out", filepath.Join(link, "results"), "--state", state)
		if got.code != exitInterrupted || !strings.Contains(got.stderr, "run the same command to resume") {
			t.Fatalf("exit code %d\n%s", got.code, got.stderr)
		}
		resumed(t, file, filepath.Join(disk, "results"), state, want)
	})
	t.Run("kill -9", func(t *testing.T) {
		file, out, state := writeSweep(t, slowSweep), t.TempDir(), t.TempDir()
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		tmp := shortTemp(t)
		var output bytes.Buffer
		cmd := exec.Command(program, "run", file, "--out", out, "--state", state)
		cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+tmp)
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if !awaitCommit(t.Context(), tmp) {
			t.Fatal("nothing was committed")
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("%v\n%s", err, &output)
		}
		<-ended
		resumed(t, file, out, state, want)
	})
}

// TestRenamedSweepHasItsOwnFolder: a sweep that was interrupted and then renamed has its result set
// in the directory of the new name.
func TestRenamedSweepHasItsOwnFolder(t *testing.T) {
	out, state, tmp := t.TempDir(), t.TempDir(), shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		awaitCommit(ctx, tmp)
		interrupt()
	}()
	got := phasegridWith(ctx, nil, nil, "run", writeSweep(t, slowSweep), "--out", out, "--state", state)
	if got.code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	renamed := strings.Replace(slowSweep, "name: slow", "name: renamed", 1)
	got = phasegrid(t, "run", writeSweep(t, renamed), "--out", out, "--state", state)
	if got.code != exitDone || !strings.HasPrefix(got.stdout, filepath.Join(out, "renamed-")) {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestFinishedSweepAnswersAtOnce(t *testing.T) {
	file, out, state := writeSweep(t, manyShards), t.TempDir(), t.TempDir()
	first := phasegrid(t, "run", file, "--out", out, "--state", state)
	if first.code != exitDone {
		t.Fatal(first.stderr)
	}
	// Without a state directory, nothing can be solved.
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

// TestDamagedSetIsRepaired: the same command computes truncated and unreadable files again. Damage
// that only verify finds is repaired after the listed files were removed.
func TestDamagedSetIsRepaired(t *testing.T) {
	file, out, state := writeSweep(t, manyShards), t.TempDir(), t.TempDir()
	run := func() outcomeOf { return phasegrid(t, "run", file, "--out", out, "--state", state) }
	if got := run(); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	dir := openOnlySet(t, out).Dir()
	want := parquet(t, dir)
	cutShort := func(data []byte) []byte { return data[:len(data)/2] }
	noFooter := func(data []byte) []byte { return append(data[:len(data)-16], make([]byte, 16)...) }
	otherSweep := func(data []byte) []byte { return bytes.Replace(data, []byte("50"), []byte("51"), 1) }
	for _, c := range []struct {
		name, file string
		damage     func([]byte) []byte
		seen       bool // by run itself
	}{
		{"cut short", "points/part-000000.parquet", cutShort, true},
		{"without a footer", "points/part-000000.parquet", noFooter, true},
		{"schema without a footer", "points/schema.parquet", noFooter, true},
		{"trajectories without a footer", "trajectories/part-000000.parquet", noFooter, false},
		{"log without a footer", "shards/part-000000.parquet", noFooter, false},
		{"another sweep", "sweep.yaml", otherSweep, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, filepath.FromSlash(c.file))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(data), 0o644); err != nil {
				t.Fatal(err)
			}
			if !c.seen {
				got := phasegrid(t, "verify", dir)
				if got.code != exitFailed || !strings.Contains(got.stdout, c.file) ||
					!strings.Contains(got.stderr, "remove the listed files") {
					t.Errorf("verify: exit code %d: %s%s", got.code, got.stdout, got.stderr)
				}
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if got := run(); got.code != exitDone ||
				c.seen != strings.Contains(got.stderr, filepath.Base(c.file)+" is damaged") {
				t.Errorf("run: exit code %d: %s%s", got.code, got.stdout, got.stderr)
			}
			sameParquet(t, "mended", parquet(t, dir), want)
			if got := phasegrid(t, "verify", dir); got.code != exitDone {
				t.Errorf("verify: %s%s", got.stdout, got.stderr)
			}
		})
	}
}
