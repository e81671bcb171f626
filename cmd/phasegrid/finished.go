package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
		return nil, fmt.Errorf(
			"result set %s is of another sweep, %s: move it away or choose another --out",
			folder,
			m.Sweep,
		)
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

// beginAgain removes the damaged files of a set that was finished before: the coordinator replaces
// no file that is there. Where there is state the set is being computed again already: its files
// may be newer than the manifest, and they stay. Only if the set has all of its files and is
// unreadable, which is why it is computed again, then the state is a left-over.
func beginAgain(ctx context.Context, o runOptions, folder, state string, m *results.Manifest, unreadable error) error {
	if unreadable == nil {
		if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	removed, err := removeDamaged(ctx, folder, m)
	if err != nil {
		return err
	}
	for _, name := range removed {
		fmt.Fprintf(o.stderr, "%s is damaged: it is computed again\n", filepath.Join(folder, name))
	}
	if unreadable == nil {
		return nil
	}
	if len(removed) == 0 {
		return unreadable
	}
	if err := os.RemoveAll(state); err != nil {
		return fmt.Errorf("remove the state of a finished sweep: %w", err)
	}
	return nil
}

// removeDamaged removes those of a set's files that are not what the manifest says, and returns
// their names.
func removeDamaged(ctx context.Context, folder string, m *results.Manifest) (removed []string, err error) {
	for _, f := range m.Files {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		sum, err := fileSum(path)
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

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}
