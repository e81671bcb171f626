//go:build !linux

package chaos

import (
	"fmt"
	"os"
)

// disk is the folder of the store, which cannot be filled on this system.
type disk struct{ folder, reason string }

func mountDisk(folder string) (*disk, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("create the directory of the store: %w", err)
	}
	return &disk{folder, "the store's file system can be filled on Linux only"}, nil
}

func (d *disk) fill() error  { return nil }
func (d *disk) free() error  { return nil }
func (d *disk) close() error { return nil }
