package reuse

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

// Finished is the result set of a sweep that was done before.
type Finished struct {
	folder   string
	manifest results.Manifest
}

// OpenFinished reads the manifest of a sweep's result set; nil if there is none.
func OpenFinished(folder, id string) (*Finished, error) {
	data, err := os.ReadFile(filepath.Join(folder, results.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the result set: %w", err)
	}
	m, err := results.ParseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("read the result set %s: %w; move it away or choose another --out", folder, err)
	}
	if m.Sweep != id {
		return nil, fmt.Errorf(
			"result set %s belongs to another sweep, %s; move it away or choose another --out", folder, m.Sweep,
		)
	}
	return &Finished{folder, m}, nil
}

// Complete reports whether no shard is missing and the set has all of its files, those of the
// manifest in their sizes.
func (f *Finished) Complete() bool {
	if len(f.manifest.Missing) > 0 {
		return false
	}
	for _, name := range []string{results.SweepName, results.ViewsName} {
		if _, err := os.Stat(filepath.Join(f.folder, name)); err != nil {
			return false
		}
	}
	for _, file := range f.manifest.Files {
		info, err := os.Stat(filepath.Join(f.folder, filepath.FromSlash(file.Path)))
		if err != nil || info.Size() != file.Bytes {
			return false
		}
	}
	return true
}

// RemoveDamaged removes the files of the set that differ from its manifest, so that they are
// computed again: the coordinator replaces no file that exists. It returns their paths.
//
// While there is state, the set is being computed again already: its files may be newer than the
// manifest, and stay. If the set is complete and unreadable, which is why it is computed again, the
// state is a leftover and is removed; if no file is damaged then, unreadable is returned.
func (f *Finished) RemoveDamaged(ctx context.Context, state string, unreadable error) (removed []string, err error) {
	if unreadable == nil {
		if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if removed, err = f.removeDamaged(ctx); err != nil || unreadable == nil {
		return removed, err
	}
	if len(removed) == 0 {
		return nil, unreadable
	}
	if err := os.RemoveAll(state); err != nil {
		return removed, fmt.Errorf("remove the state of a finished sweep: %w", err)
	}
	return removed, nil
}

func (f *Finished) removeDamaged(ctx context.Context) (removed []string, err error) {
	for _, file := range f.manifest.Files {
		if ctx.Err() != nil {
			return removed, ctx.Err()
		}
		path := filepath.Join(f.folder, filepath.FromSlash(file.Path))
		same, err := hasSHA256(path, file.SHA256)
		if errors.Is(err, fs.ErrNotExist) || err == nil && same {
			continue
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return removed, fmt.Errorf("look for damaged files in %s: %w", f.folder, err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

func hasSHA256(path, sum string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)) == sum, err
}
