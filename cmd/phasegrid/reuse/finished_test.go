package reuse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// TestFilesBeingComputedAgainStay: while there is state, a file that differs from the manifest is
// newer than the manifest.
func TestFilesBeingComputedAgainStay(t *testing.T) {
	folder, state, file := t.TempDir(), t.TempDir(), filepath.Join("shards", "part-000000.parquet")
	if err := os.Mkdir(filepath.Join(folder, "shards"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file), []byte("newer"), 0o644); err != nil {
		t.Fatal(err)
	}
	finished := &Finished{folder, results.Manifest{
		Files: []results.ManifestFile{{Path: filepath.ToSlash(file), Bytes: 3, SHA256: "older"}},
	}}
	for _, c := range []struct {
		state string
		stays bool
	}{{state, true}, {filepath.Join(state, "none"), false}} {
		if _, err := finished.RemoveDamaged(t.Context(), c.state, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(folder, file)); (err == nil) != c.stays {
			t.Errorf("stays %v: %v", c.stays, err)
		}
	}
}
