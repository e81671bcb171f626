package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// edited is manyShards with one more momentum and other anisotropies: 5 of the 9 old ones are among
// the 11 new ones.
func edited() string {
	s := strings.Replace(manyShards, "[gd, {", "[gd, {name: momentum, momentum: 0.7}, {", 1)
	return strings.Replace(
		s,
		"{linspace: {from: 1, to: 9, num: 9}}",
		"[1, 1.5, 2, 2.5, 3, 4, 4.5, 5, 5.5, 6.5, 7.5]",
		1,
	)
}

func TestEditedSweepReusesPoints(t *testing.T) {
	t.Setenv(asProgram, "1")
	want := parquet(t, runSweep(t, edited()).Dir())
	first, second := writeSweep(t, manyShards), writeSweep(t, edited())
	for name, flags := range map[string][]string{
		"one process": nil, "two node processes": {"--nodes", "2"}, "no reuse": {"--no-reuse"},
	} {
		t.Run(name, func(t *testing.T) {
			out, state := t.TempDir(), t.TempDir()
			run := func(file string, more ...string) outcomeOf {
				got := phasegrid(t, append([]string{"run", file, "--out", out, "--state", state}, more...)...)
				if got.code != exitDone {
					t.Fatalf("exit code %d\n%s", got.code, got.stderr)
				}
				return got
			}
			run(first)
			before, err := filepath.Glob(filepath.Join(out, "*"))
			if err != nil || len(before) != 1 {
				t.Fatal(before, err)
			}
			if name == "two node processes" { // and the set was moved to another disk
				moved := filepath.Join(t.TempDir(), "moved")
				if err := os.Rename(before[0], moved); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(moved, before[0]); err != nil {
					t.Fatal(err)
				}
			}
			got := run(second, flags...)
			// 2 optimizers x 3 steps x 5 anisotropies.
			if says := strings.Contains(got.stderr, "reused 30 of 99 points"); says != (name != "no reuse") {
				t.Errorf("it says: %s", got.stderr)
			}
			sets, err := filepath.Glob(filepath.Join(out, "*"))
			if err != nil || len(sets) != 2 {
				t.Fatal(sets, err)
			}
			for _, set := range sets {
				if set != before[0] {
					sameParquet(t, "with reuse", parquet(t, set), want)
				}
			}
		})
	}
}

func TestOnlySoundSetsAreReused(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, set string) string{
		"a part is damaged": func(t *testing.T, set string) string {
			path := filepath.Join(set, "points", "part-000000.parquet")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			return edited()
		},
		"it is not finished": func(t *testing.T, set string) string {
			if err := os.Remove(filepath.Join(set, results.ManifestName)); err != nil {
				t.Fatal(err)
			}
			return edited()
		},
		"it records other steps": func(*testing.T, string) string {
			return strings.Replace(edited(), "[0, 1, 3, 50]", "[0, 1, 4, 50]", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, state := t.TempDir(), t.TempDir()
			got := phasegrid(t, "run", writeSweep(t, manyShards), "--out", out, "--state", state)
			if got.code != exitDone {
				t.Fatal(got.stderr)
			}
			set := openOnlySet(t, out).Dir()
			second := spoil(t, set)
			got = phasegrid(t, "run", writeSweep(t, second), "--out", out, "--state", state)
			if got.code != exitDone || strings.Contains(got.stderr, "reused ") {
				t.Errorf("exit code %d, %s", got.code, got.stderr)
			}
			if says := "not reusing points of " + set + ": "; !strings.Contains(got.stderr, says) {
				t.Errorf("it does not print why nothing is reused: %s", got.stderr)
			}
		})
	}
}

// TestNoSpaceForTheMemo: earlier results are copied below --state first, which may need much space;
// --no-reuse needs none.
func TestNoSpaceForTheMemo(t *testing.T) {
	out, state := t.TempDir(), t.TempDir()
	if got := phasegrid(t, "run", writeSweep(t, manyShards), "--out", out, "--state", state); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	spec, err := sweep.Parse("sweep.yaml", []byte(edited()), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := stateFolder(runOptions{Out: out, State: state}, spec.Name(), spec.ID(currentVersion().Solver))
	if err == nil {
		err = os.WriteFile(folder, nil, 0o644) // makes the copy fail, as a full disk does
	}
	if err != nil {
		t.Fatal(err)
	}
	got := phasegrid(t, "run", writeSweep(t, edited()), "--out", out, "--state", state)
	if got.code != exitFailed || !strings.Contains(got.stderr, "--no-reuse") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}
