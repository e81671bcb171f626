package chaos

import (
	"fmt"
	"os"
	"syscall"
)

// disk is a file system for the store that can be filled.
type disk struct {
	folder string
	reason string // why it cannot be filled; empty if it can
}

const (
	diskBytes = 4 << 30  // memory is allocated when it is used
	diskRoom  = 64 << 10 // what a full disk has left
)

// mountDisk mounts a file system in memory on a folder, if this process may.
func mountDisk(folder string) (*disk, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("create the directory of the store: %w", err)
	}
	d := &disk{folder: folder}
	if err := syscall.Mount("phasegrid", folder, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		d.reason = fmt.Sprintf("cannot mount a file system for the store (%v); run as root", err)
	}
	return d, nil
}

// fill leaves almost no space.
func (d *disk) fill() error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.folder, &s); err != nil {
		return fmt.Errorf("measure the store's file system: %w", err)
	}
	used := (int64(s.Blocks) - int64(s.Bfree)) * s.Bsize
	return d.resize(used + diskRoom)
}

// free undoes fill.
func (d *disk) free() error { return d.resize(diskBytes) }

func (d *disk) resize(bytes int64) error {
	size := fmt.Sprintf("size=%d", bytes)
	if err := syscall.Mount("phasegrid", d.folder, "tmpfs", syscall.MS_REMOUNT, size); err != nil {
		return fmt.Errorf("resize the store's file system: %w", err)
	}
	return nil
}

// close unmounts the file system and loses its contents.
func (d *disk) close() error {
	if d.reason != "" {
		return nil
	}
	if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", d.folder, err)
	}
	return nil
}
