package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

const sweepWithRows = `name: with-rows
fixed: {covariance: spiked, model: population, init_scale: 0.1, learning_rate: 0.01, steps: 5}
points: {file: table.csv}
record: none
`

// TestRowsOfAFile: run and submit read the file beside the sweep file, wherever they are started; a
// cluster and the result set have the rows, so that the set's sweep file is the same sweep.
func TestRowsOfAFile(t *testing.T) {
	table := []byte("dimension,anisotropy,optimizer\n100,0.1,gd\n100,3,specgd\n")
	folder, out := t.TempDir(), t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file, rows := write("sweep.yaml", []byte(sweepWithRows)), write("table.csv", table)
	if got := phasegrid(t, "run", file, "--out", out, "--state", t.TempDir()); got.code != exitDone {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	set := openOnlySet(t, out)
	if n := len(collect(t, set.Points(t.Context()))); n != 2 {
		t.Errorf("got %d points, want 2", n)
	}
	again, err := os.ReadFile(filepath.Join(set.Dir(), "sweep.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if sweep.ReadsFiles(again) {
		t.Errorf("the set's sweep file names a file:\n%s", again)
	}
	if got := phasegrid(t, "run", "--out", filepath.Dir(set.Dir()), filepath.Join(set.Dir(), "sweep.yaml")); got.code !=
		exitDone || !strings.Contains(got.stdout, "finished before") {
		t.Errorf("the set's sweep file is another sweep: %s%s", got.stdout, got.stderr)
	}

	address := freeAddress(t)
	background(t, "coordinator", "--listen", address, "--embedded-etcd", t.TempDir(), "--store", "file://"+t.TempDir())
	awaitLeader(t, address)
	if err := os.Remove(rows); err != nil {
		t.Fatal(err)
	}
	if got := phasegrid(t, "submit", file, "--coordinator", address); got.code != exitUsage ||
		!strings.Contains(got.stderr, "sweep.yaml:3:16: points: read rows: open "+rows) {
		t.Errorf("without the file: exit code %d, %s", got.code, got.stderr)
	}
	write("table.csv", table)
	got := phasegrid(t, "submit", file, "--coordinator", address)
	if id, _, _ := strings.Cut(got.stdout, "  "); got.code != exitDone ||
		!strings.HasSuffix(set.Dir(), "with-rows-"+id[:8]) {
		t.Errorf("submit: exit code %d, %s%s; want the sweep of %s", got.code, got.stdout, got.stderr, set.Dir())
	}
}
