//go:build !linux

package main

import (
	"fmt"
	"os"
)

// chaosDisk is the folder of the store, which cannot be made full on this system.
type chaosDisk struct{ folder, reason string }

func mountChaosDisk(folder string) (*chaosDisk, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the store: %w", err)
	}
	return &chaosDisk{folder, "only on Linux can the store's file system be made full"}, nil
}

func (d *chaosDisk) fill() error  { return nil }
func (d *chaosDisk) free() error  { return nil }
func (d *chaosDisk) close() error { return nil }
