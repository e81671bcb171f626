package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// fileStore is a store in a folder. Every object is written under a temporary name in its own
// folder, synced, linked to its name unless there is one, and the folder synced: what is visible is
// complete and survives a power cut.
type folder struct {
	root string

	// tidying keeps tidying up and deletions apart: what a deletion has set aside is not left over.
	tidying sync.RWMutex

	mu     sync.Mutex
	synced map[string]bool // folders known to be durable
}

var (
	_ Store    = (*folder)(nil)
	_ Appender = (*folder)(nil)
	_ Cleaner  = (*folder)(nil)
)

// These mark files that are no objects, not yet or no more; no glob over results matches them.
const (
	temporaryPrefix = ".writing-"
	asidePrefix     = ".deleting-"
)

func isObject(file string) bool {
	return !strings.HasPrefix(file, temporaryPrefix) && !strings.HasPrefix(file, asidePrefix)
}

// OpenFolder opens the store in a folder, which is made if it is not there.
func OpenFolder(path string) (Store, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store folder %q: %w", path, err)
	}
	s := &folder{root: root, synced: map[string]bool{}}
	if err := s.makeFolder(root); err != nil {
		return nil, fmt.Errorf("store folder %s: %w; choose one that can be written", root, err)
	}
	return s, nil
}

func (s *folder) String() string { return "file://" + s.root }

// path is the file of an object; names that lead out of the store are refused.
func (s *folder) path(name string) (string, error) {
	if !filepath.IsLocal(name) || !isObject(filepath.Base(name)) {
		return "", fmt.Errorf("object name %q: not a plain relative path", name)
	}
	return filepath.Join(s.root, filepath.FromSlash(name)), nil
}

// makeFolder makes a folder and those above it, durably.
func (s *folder) makeFolder(path string) error {
	s.mu.Lock()
	known := s.synced[path]
	s.mu.Unlock()
	if known {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	if parent := filepath.Dir(path); parent != path {
		if _, err := os.Stat(path); err != nil {
			if err := s.makeFolder(parent); err != nil {
				return err
			}
			if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if err := syncFolder(parent); err != nil {
				return err
			}
		}
	}
	s.mu.Lock()
	s.synced[path] = true
	s.mu.Unlock()
	return nil
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (s *folder) Create(_ context.Context, name string) (Writer, error) {
	return s.create(name)
}

func (s *folder) create(name string) (*folderWriter, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	if err := s.makeFolder(folder); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f, err := os.CreateTemp(folder, temporaryPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	// The lock ends with the process: what is not locked was left behind by one that died.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return &folderWriter{File: f, path: path}, nil
}

// fileWriter is an object under its temporary name.
type folderWriter struct {
	*os.File
	path  string
	ended bool
}

// Commit syncs the file, links it to its name, and syncs the folder.
func (w *folderWriter) Commit() error {
	defer w.Discard()
	if err := w.Chmod(0o644); err != nil {
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	if err := w.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", w.path, err)
	}
	if err := os.Link(w.Name(), w.path); err != nil {
		return fmt.Errorf("publish %s: %w", w.path, err)
	}
	return syncFolder(filepath.Dir(w.path))
}

func (w *folderWriter) Discard() {
	if w.ended {
		return
	}
	w.ended = true
	_ = w.Close()           // it is synced where that matters
	_ = os.Remove(w.Name()) // it has its own name, or none
}

func (s *folder) Open(_ context.Context, name string) (Object, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &folderObject{f, info}, nil
}

type folderObject struct {
	*os.File
	info fs.FileInfo
}

func (o *folderObject) Size() int64     { return o.info.Size() }
func (o *folderObject) Version() string { return fileVersion(o.info) }

func (s *folder) List(ctx context.Context, prefix string, visit func(name string, size int64) error) error {
	type entry struct {
		name string
		size int64
	}
	var found []entry
	folder := s.root
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		path, err := s.path(prefix[:i])
		if err != nil {
			return err
		}
		folder = path
	}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || !isObject(d.Name()) {
			return err
		}
		name, err := filepath.Rel(s.root, path)
		if err != nil || !strings.HasPrefix(filepath.ToSlash(name), prefix) {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			found = append(found, entry{filepath.ToSlash(name), info.Size()})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", folder, err)
	}
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range found {
		if err := visit(e.name, e.size); err != nil {
			return err
		}
	}
	return ctx.Err()
}
