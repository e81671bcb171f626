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

// folder is a store in a folder of a file system. An object is written under a temporary name in
// its own folder, synced, linked to its name unless that is taken, and the folder is synced: what
// is visible is complete and survives a power failure.
type folder struct {
	root string

	// cleaning excludes deletions while leftovers are removed: a file that a deletion has set aside
	// is not a leftover.
	cleaning sync.RWMutex

	mu     sync.Mutex
	synced map[string]bool // folders whose entries are known to be durable
}

var (
	_ Store    = (*folder)(nil)
	_ Appender = (*folder)(nil)
	_ Cleaner  = (*folder)(nil)
)

// Prefixes of files that are not objects. No glob over result sets matches them.
const (
	temporaryPrefix = ".writing-"
	asidePrefix     = ".deleting-"
)

// isObject reports whether a file of this name is an object.
func isObject(file string) bool {
	return !strings.HasPrefix(file, temporaryPrefix) && !strings.HasPrefix(file, asidePrefix)
}

// OpenFolder opens the store in a folder, and creates the folder if there is none.
func OpenFolder(path string) (Store, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store folder %q: %w", path, err)
	}
	s := &folder{root: root, synced: map[string]bool{}}
	if err := s.makeFolder(root); err != nil {
		return nil, fmt.Errorf("open store folder %s: %w; choose a writable one", root, err)
	}
	return s, nil
}

func (s *folder) String() string { return "file://" + s.root }

// path returns the file of an object. Names that lead out of the store are rejected.
func (s *folder) path(name string) (string, error) {
	if !filepath.IsLocal(name) || !isObject(filepath.Base(name)) {
		return "", fmt.Errorf("resolve object name %q: not a relative path below the store", name)
	}
	return filepath.Join(s.root, filepath.FromSlash(name)), nil
}

// makeFolder creates a folder and its parents, durably.
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
	// The lock ends with the process: an unlocked temporary file was left by a process that died.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return &folderWriter{File: f, path: path}, nil
}

// folderWriter is an object under its temporary name.
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
	_ = w.Close()           // synced before if it was committed
	_ = os.Remove(w.Name()) // the object has its own name, or is dropped
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
		err = fmt.Errorf("open %s: not a regular file: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &folderObject{f, info}, nil
}

// folderObject is an open file, with its attributes at the time it was opened.
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
