package main

import (
	"bytes"
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// outcomeOf is the outcome of a command line.
type outcomeOf struct {
	code           int
	stdout, stderr string
}

// sharedText collects what several goroutines write. Like a file, it keeps each Write whole.
type sharedText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sharedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// phasegrid runs a command line in this process.
func phasegrid(t *testing.T, args ...string) outcomeOf {
	t.Helper()
	return phasegridWith(t.Context(), nil, nil, args...)
}

func phasegridWith(ctx context.Context, stdin io.Reader, env map[string]string, args ...string) outcomeOf {
	var stdout, stderr sharedText
	code := Main{
		Args:   args,
		Stdin:  stdin,
		Stdout: &stdout,
		Stderr: &stderr,
		LookupEnv: func(name string) (string, bool) {
			value, ok := env[name]
			return value, ok
		},
	}.Run(
		ctx,
	)
	return outcomeOf{code, stdout.String(), stderr.String()}
}

// writeSweep writes a sweep file into a new directory.
func writeSweep(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sweep.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// runSweep runs a sweep to its end and opens its set.
func runSweep(t *testing.T, text string, args ...string) *results.Set {
	t.Helper()
	out := filepath.Join(t.TempDir(), "results")
	got := phasegrid(
		t,
		append(
			[]string{"run", writeSweep(t, text), "--out", out, "--state", filepath.Join(t.TempDir(), "state")},
			args...)...)
	if got.code != exitDone {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	return openOnlySet(t, out)
}

func openOnlySet(t *testing.T, out string) *results.Set {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("result sets %v, %v", folders, err)
	}
	set, err := results.OpenSet(folders[0])
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// collect reads all rows.
func collect[T any](t *testing.T, rows iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func TestEveryCommandIsThereOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range (Main{}).command().Commands() {
		if c.GroupID == "" && !c.Hidden {
			t.Errorf("command %s has no group", c.Name())
		}
		if seen[c.Name()] {
			t.Errorf("command %s is there twice", c.Name())
		}
		seen[c.Name()] = true
	}
}
