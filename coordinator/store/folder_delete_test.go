package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestFileReplacedBetweenTheLooks: another process replaces a file between the two comparisons of
// its version.
func TestFileReplacedBetweenTheLooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := deleteAside(path, "of the old one"); !errors.Is(err, errChanged) {
		t.Errorf("deleteAside = %v, want errChanged", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "new" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := deleteAside(path, fileVersion(info)); err != nil {
		t.Errorf("deleteAside = %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("there are %v, %v", left, err)
	}
}

// TestCleanupLeavesDeletionsAlone: leftovers are removed while files are deleted. The deleted files
// do not come back.
func TestCleanupLeavesDeletionsAlone(t *testing.T) {
	root := t.TempDir()
	opened, err := OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*folder)
	for range 500 {
		if err := os.MkdirAll(filepath.Join(root, "set"), 0o755); err != nil {
			t.Fatal(err)
		}
		versions := map[string]string{}
		for _, name := range []string{"set/a", "set/b", "set/c", "set/d"} {
			path := filepath.Join(root, name)
			if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			versions[name] = fileVersion(info)
		}
		var all sync.WaitGroup
		for name, version := range versions {
			all.Go(func() {
				if err := s.DeleteVersion(t.Context(), name, version); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := s.RemoveLeftovers(t.Context(), "set"); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if left, err := os.ReadDir(filepath.Join(root, "set")); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("there are %v, %v", left, err)
		}
	}
}
