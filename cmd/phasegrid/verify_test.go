package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

func TestVerifyFindsAnotherSweepFile(t *testing.T) {
	out := t.TempDir()
	file := writeSweep(t, `
name: small
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123,
  optimizer: gd, learning_rate: 0.01, dimension: 20, steps: 40}
grid: {anisotropy: [1, 2]}
`)
	if got := phasegrid(t, "run", file, "--out", out, "--state", t.TempDir()); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	dir := openOnlySet(t, out).Dir()
	if got := phasegrid(t, "verify", dir); got.code != exitDone {
		t.Fatalf("%s%s", got.stdout, got.stderr)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got := phasegrid(t, "verify", link); got.code != exitDone {
		t.Errorf("by a symbolic link: %s%s", got.stdout, got.stderr)
	}
	path := filepath.Join(dir, results.SweepName)
	spec, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(spec, []byte("40"), []byte("41"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := phasegrid(t, "verify", dir); got.code != exitFailed ||
		!strings.Contains(got.stdout, "sweep.yaml: manifest: not the sweep") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestVerifyOfNothing(t *testing.T) {
	for dir, want := range map[string]string{
		filepath.Join(t.TempDir(), "none"): "none: no such directory",
		t.TempDir():                        "not a result set: it has no sweep.yaml",
	} {
		if got := phasegrid(t, "verify", dir); got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("exit code %d: %s", got.code, got.stderr)
		}
	}
}

// A finished set of plan version 1 is verified by the axis entries of that version: its where
// leaves out points by them.
func TestVerifyFinishedSetsOfPlanVersion1(t *testing.T) {
	got := phasegrid(t, "verify", filepath.Join("testdata", "plan-version-1-b07e9579"))
	if got.code != exitDone || !strings.Contains(got.stdout, "finished, 27 points in 7 files, 0 violations") {
		t.Errorf("%s%s", got.stdout, got.stderr)
	}
}

// A set of an earlier solver version, which lacks columns of this one, is read like any other.
func TestSetsOfEarlierVersionsCanBeUsed(t *testing.T) {
	const set = "../../results/testdata/version-3"
	for _, args := range [][]string{
		{"verify", set},
		{"explain", set, "3"},
		{"plot", set, "--to", filepath.Join(t.TempDir(), "figure.svg")},
		{"diff", set, set},
	} {
		if got := phasegrid(t, args...); got.code != exitDone {
			t.Errorf("%v: exit code %d\n%s", args, got.code, got.stderr)
		}
	}
}
