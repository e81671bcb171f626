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

// Delete removes an object, and its folder if that is empty then.
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

// removeEmpty removes the folders above a file that has gone, as far as they are empty.
func (s *folder) removeEmpty(path string) {
	for folder := filepath.Dir(path); folder != s.root; folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			break
		}
	}
}

// fileVersion is the file itself, and when its bytes were written: that of a file which gets its
// name back is the same.
func fileVersion(info fs.FileInfo) string {
	inode := uint64(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = stat.Ino
	}
	return fmt.Sprintf("%d %d %d", inode, info.Size(), info.ModTime().UnixNano())
}

// DeleteVersion looks twice: no system call compares and deletes at once.
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
		err = ErrChanged
	}
	if err == nil {
		s.tidying.RLock()
		err = deleteAside(path, version)
		s.tidying.RUnlock()
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", path, err)
	}
	s.removeEmpty(path)
	return nil
}

// deleteAside gives a file a private name and deletes it there, where nobody puts another one in
// its place. One that was put there before gets its name back.
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
		return errors.Join(ErrChanged, putBack(aside))
	}
	return os.Remove(aside)
}

// putBack gives a file that was set aside its name back, unless another one has it by now.
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

// removeLeftovers tidies up below a folder after processes that died: what they were writing is
// deleted, what they were deleting gets its name back. Who wants it gone deletes it again.
func (s *folder) RemoveLeftovers(_ context.Context, folder string) error {
	root, err := s.path(folder)
	if err != nil {
		return err
	}
	s.tidying.Lock()
	defer s.tidying.Unlock()
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
			return nil // gone meanwhile, or not ours
		}
		defer f.Close()
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return nil // somebody is writing it
		}
		return os.Remove(path)
	})
}
