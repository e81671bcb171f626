package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// children returns the child processes of this one.
func children(t *testing.T) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func TestKilledNodeProcessesCostOnlyTime(t *testing.T) {
	want := parquet(t, runSweep(t, slowSweep).Dir())
	tmp := shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	t.Setenv(asProgram, "1")
	out := t.TempDir()
	killed := make(chan int, 1)
	go func() {
		count := 0
		if awaitCommit(t.Context(), tmp) {
			for _, pid := range children(t) {
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					count++
				}
			}
		}
		killed <- count
	}()
	got := phasegrid(
		t,
		"run",
		writeSweep(t, slowSweep),
		"--out",
		out,
		"--state",
		t.TempDir(),
		"--nodes",
		"2",
		"--slots",
		"1",
	)
	if got.code != exitDone {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	if n := <-killed; n != 2 {
		t.Errorf("%d node processes were killed", n)
	}
	sameParquet(t, "after node processes were killed", parquet(t, openOnlySet(t, out).Dir()), want)
}
