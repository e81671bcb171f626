package coordinator

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFileReplacedBetweenTheLooks: another process puts a file in the place of the one that was looked at.
func TestFileReplacedBetweenTheLooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := deleteAside(path, "of the old one"); !errors.Is(err, ErrChanged) {
		t.Errorf("deleteAside = %v, want ErrChanged", err)
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
