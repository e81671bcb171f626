package main

import (
	"fmt"
	"os"
	"syscall"
)

// chaosDisk is a file system for the store that can be made full.
type chaosDisk struct {
	folder string
	reason string // why it cannot be made full; empty if it can
}

const (
	diskBytes = 4 << 30 // nothing is taken before it is used
	diskRoom  = 64 << 10
)

// mountChaosDisk mounts a file system in memory on a folder, where this process may.
func mountChaosDisk(folder string) (*chaosDisk, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the store: %w", err)
	}
	d := &chaosDisk{folder: folder}
	if err := syscall.Mount("phasegrid", folder, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		d.reason = fmt.Sprintf("a file system of its own for the store could not be mounted (%v); run as root", err)
	}
	return d, nil
}

// fill leaves next to no room.
func (d *chaosDisk) fill() error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.folder, &s); err != nil {
		return fmt.Errorf("room on the store: %w", err)
	}
	used := (int64(s.Blocks) - int64(s.Bfree)) * s.Bsize
	return d.resize(used + diskRoom)
}

// free gives the room back.
func (d *chaosDisk) free() error { return d.resize(diskBytes) }

func (d *chaosDisk) resize(bytes int64) error {
	if err := syscall.Mount("phasegrid", d.folder, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
		return fmt.Errorf("resize the store's file system: %w", err)
	}
	return nil
}

// close takes the file system away, with all that is on it.
func (d *chaosDisk) close() error {
	if d.reason != "" {
		return nil
	}
	if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", d.folder, err)
	}
	return nil
}
