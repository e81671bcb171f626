package main

import (
	"fmt"
	"io"
	"os"

	"github.com/phasegrid/phasegrid/sweep"
)

// readSweepFile reads a sweep file; "-" is standard input.
func readSweepFile(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("read the sweep file: %w", err)}
		}
		defer f.Close()
		r = f
	}
	file, err := io.ReadAll(io.LimitReader(r, sweep.MaxFileBytes+1))
	if err != nil {
		return nil, usageError{fmt.Errorf("read the sweep file %s: %w", name, err)}
	}
	if len(file) > sweep.MaxFileBytes {
		return nil, usageError{
			fmt.Errorf(
				"read the sweep file %s: larger than %d MiB; write ranges instead of lists",
				name, sweep.MaxFileBytes>>20,
			),
		}
	}
	return file, nil
}
