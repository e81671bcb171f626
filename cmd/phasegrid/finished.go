package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/phasegrid/phasegrid/results"
)

// finishedBefore reads the manifest of a sweep's result set: nil without one.
func finishedBefore(folder, id string) (*results.Manifest, error) {
	data, err := os.ReadFile(filepath.Join(folder, results.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the result set: %w", err)
	}
	m, err := results.ParseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("result set %s: %w; move it away or choose another --out", folder, err)
	}
	if m.Sweep != id {
		return nil, fmt.Errorf("result set %s is of another sweep, %s: move it away or choose another --out", folder, m.Sweep)
	}
	return &m, nil
}

// sameSizes tells whether a set has all of its files, those of the manifest in their sizes.
func sameSizes(folder string, m *results.Manifest) bool {
	for _, name := range []string{results.SweepName, results.ViewsName} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return false
		}
	}
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(f.Path)))
		if err != nil || info.Size() != f.Bytes {
			return false
		}
	}
	return true
}

// removeDamaged removes those of a set's files that are not what the manifest says, and returns their names. The coordinator
// replaces no file that is there.
func removeDamaged(ctx context.Context, folder string, m *results.Manifest) (removed []string, err error) {
	for _, f := range m.Files {
		if ctx.Err() != nil {
			return nil, errInterrupted
		}
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		sum, err := fileSHA256(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && sum == f.SHA256 {
			continue
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return nil, fmt.Errorf("look for damaged files in %s: %w", folder, err)
		}
		removed = append(removed, f.Path)
	}
	return removed, nil
}
