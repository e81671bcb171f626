package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// CreateLog creates a log: a file that has its name from the start and is synced by each append.
func (s *folder) CreateLog(_ context.Context, name string) (Log, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	if err := s.makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		f.Close()
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	return &folderLog{file: f}, nil
}

// folderLog is a log in a file. A failed append leaves bytes that nothing refers to; the next
// append overwrites them.
type folderLog struct {
	file *os.File
	end  int64 // of what is durable
}

func (l *folderLog) Append(_ context.Context, chunks [][]byte) (int64, error) {
	at := l.end
	for _, c := range chunks {
		n, err := l.file.WriteAt(c, at)
		if err != nil {
			return 0, fmt.Errorf("append to %s: %w", l.file.Name(), err)
		}
		at += int64(n)
	}
	if err := l.file.Sync(); err != nil {
		return 0, fmt.Errorf("sync %s: %w", l.file.Name(), err)
	}
	offset := l.end
	l.end = at
	return offset, nil
}

func (l *folderLog) Close() error { return l.file.Close() }
