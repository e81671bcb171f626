package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Delete deletes an object, and the folders above it that are empty then.
func (s *folder) Delete(_ context.Context, name string) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.removeEmpty(path)
	return nil
}

// removeEmpty removes the folders above a deleted file, up to the first that is not empty.
func (s *folder) removeEmpty(path string) {
	for folder := filepath.Dir(path); folder != s.root; folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			break
		}
	}
}

// fileVersion identifies a file and its contents by inode, size and modification time. A file that
// was renamed and renamed back keeps its version.
func fileVersion(info fs.FileInfo) string {
	inode := uint64(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = stat.Ino
	}
	return fmt.Sprintf("%d %d %d", inode, info.Size(), info.ModTime().UnixNano())
}

// DeleteVersion compares the version before and after the file is set aside: no system call
// compares and deletes atomically.
func (s *folder) DeleteVersion(_ context.Context, name, version string) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && fileVersion(info) != version {
		err = errChanged
	}
	if err == nil {
		s.cleaning.RLock()
		err = deleteAside(path, version)
		s.cleaning.RUnlock()
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", path, err)
	}
	s.removeEmpty(path)
	return nil
}

// deleteAside renames a file to a private name and deletes it there, where no other process
// replaces it. A file of another version gets its name back.
func deleteAside(path, version string) error {
	aside := filepath.Join(filepath.Dir(path), asidePrefix+rand.Text()+"-"+filepath.Base(path))
	if err := os.Rename(path, aside); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	info, err := os.Stat(aside)
	if err != nil {
		return err
	}
	if fileVersion(info) != version {
		return errors.Join(errChanged, putBack(aside))
	}
	return os.Remove(aside)
}

// putBack gives a file that was set aside its name back, unless the name is taken.
func putBack(aside string) error {
	folder, name := filepath.Split(aside)
	_, name, _ = strings.Cut(strings.TrimPrefix(name, asidePrefix), "-")
	if err := os.Link(aside, filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Remove(aside); err != nil {
		return err
	}
	return syncFolder(folder)
}

// RemoveLeftovers cleans a folder up after processes that died: what they were writing is deleted,
// what they were deleting gets its name back.
func (s *folder) RemoveLeftovers(_ context.Context, folder string) error {
	root, err := s.path(folder)
	if err != nil {
		return err
	}
	s.cleaning.Lock()
	defer s.cleaning.Unlock()
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || isObject(d.Name()) {
			return err
		}
		if strings.HasPrefix(d.Name(), asidePrefix) {
			return putBack(path)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil // deleted meanwhile, or not readable
		}
		defer f.Close()
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return nil // a live process is writing it
		}
		return os.Remove(path)
	})
}
