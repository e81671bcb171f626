package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// narrowerKernels run the program with CPU features switched off, and with different slots.
var narrowerKernels = []struct{ name, godebug, slots string }{
	{"avx2", "cpu.avx512f=off", "2"},
	{"scalar", "cpu.avx2=off", "1"},
}

// sameOnNarrowerKernels runs a sweep in processes with other kernels and compares their Parquet
// files with want. Under the race detector it does nothing: these kernels start no goroutines, and
// the scalar one takes minutes.
func sameOnNarrowerKernels(t *testing.T, text string, want map[string][]byte) {
	t.Helper()
	if raceDetector {
		return
	}
	for _, k := range narrowerKernels {
		out := filepath.Join(t.TempDir(), "results")
		cmd := exec.CommandContext(
			t.Context(),
			os.Args[0],
			"run",
			writeSweep(t, text),
			"--out",
			out,
			"--state",
			filepath.Join(t.TempDir(), "state"),
			"--slots",
			k.slots,
		)
		cmd.Env = append(os.Environ(), asProgram+"=1", "GODEBUG="+k.godebug)
		if message, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("kernel %s: %v\n%s", k.name, err, message)
		}
		sameParquet(t, "kernel "+k.name+", "+k.slots+" slots", parquet(t, openOnlySet(t, out).Dir()), want)
	}
}
