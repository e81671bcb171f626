package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestOwnersOfOneFolder: a cluster and two runs of different users write to one folder at once, two
// of them the same sweep. A second cluster is refused. Every set is whole, and where the cluster
// removes its sweep, the set of the user who ran it too is left.
func TestOwnersOfOneFolder(t *testing.T) {
	want := parquet(t, runSweep(t, manyShards).Dir())
	folder, address := t.TempDir(), freeAddress(t)
	coordinator := func(address string, more ...string) []string {
		return append([]string{
			"coordinator", "--listen", address, "--store", "file://" + folder, "--status-listen", freeAddress(t),
			"--embedded-etcd", t.TempDir(),
		}, more...)
	}
	background(t, coordinator(address)...)
	awaitLeader(t, address)
	background(t, "node", "--coordinator", address)

	// Another cluster, without and with a wrong --adopt-store.
	for _, more := range [][]string{nil, {"--adopt-store", "NOBODY"}} {
		got := phasegrid(t, coordinator(freeAddress(t), more...)...)
		if got.code != exitFailed || !strings.Contains(got.stderr, "--adopt-store=") ||
			!strings.Contains(got.stderr, address) {
			t.Errorf("a second cluster: exit code %d\n%s", got.code, got.stderr)
		}
	}

	file := writeSweep(t, manyShards)
	var users sync.WaitGroup
	for range 2 {
		state := filepath.Join(t.TempDir(), ".phasegrid")
		users.Go(func() {
			got := phasegrid(t, "run", file, "--out", folder, "--state", state)
			if got.code != exitDone {
				t.Errorf("run: exit code %d\n%s", got.code, got.stderr)
			}
			if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the state is %v, %v", info, err)
			}
		})
	}
	do := func(args ...string) {
		t.Helper()
		if got := phasegrid(t, append(args, "--coordinator", address)...); got.code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
	do("submit", file, "--watch")
	users.Wait()
	sets, err := filepath.Glob(filepath.Join(folder, "many-shards-*"))
	if err != nil || len(sets) != 1 {
		t.Fatalf("sets %v, %v", sets, err)
	}
	do("rm", "many-shards")
	sameParquet(t, "of several owners", parquet(t, sets[0]), want)
	if got := phasegrid(t, "verify", sets[0]); got.code != exitDone {
		t.Errorf("verify: %s%s", got.stdout, got.stderr)
	}
}

// TestDamagedStateOfRun: a run whose etcd cannot read its log names the directory to remove, and
// says what is kept. Without it the same command ends with the same rows.
func TestDamagedStateOfRun(t *testing.T) {
	want := parquet(t, runSweep(t, slowSweep).Dir())
	file, out, state, tmp := writeSweep(t, slowSweep), t.TempDir(), t.TempDir(), shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		awaitCommit(ctx, tmp)
		interrupt()
	}()
	if got := phasegridWith(ctx, nil, nil, "run", file, "--out", out, "--state", state); got.code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	logs, err := filepath.Glob(filepath.Join(state, "*", "etcd", "etcd", "member", "wal", "*.wal"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %v, %v", logs, err)
	}
	data, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	sweep := filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(logs[0])))))
	for what, damaged := range map[string][]byte{
		"flipped": append(append(bytes.Clone(data[:900]), data[900]^0xff), data[901:]...),
		"empty":   nil,
	} {
		if err := os.WriteFile(logs[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		// In a process of its own: an etcd that panics leaves its files locked.
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "run", file, "--out", out, "--state", state)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		output, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(output), sweep+":") ||
			!strings.Contains(string(output), "remove that directory") ||
			!strings.Contains(string(output), "are kept") {
			t.Errorf("%s: %v\n%s", what, err, output)
		}
	}
	if err := os.RemoveAll(sweep); err != nil {
		t.Fatal(err)
	}
	if got := phasegrid(t, "run", file, "--out", out, "--state", state); got.code != exitDone {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	sameParquet(t, "after the state was removed", parquet(t, openOnlySet(t, out).Dir()), want)
}
