package main

import (
	"fmt"
	"io"
	"os"
)

// maxSweepFile bounds a sweep file; its points are ranges, not lists, so real ones are a few
// kilobytes.
const maxSweepFile = 4 << 20

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
	file, err := io.ReadAll(io.LimitReader(r, maxSweepFile+1))
	if err != nil {
		return nil, usageError{fmt.Errorf("read the sweep file %s: %w", name, err)}
	}
	if len(file) > maxSweepFile {
		return nil, usageError{
			fmt.Errorf(
				"%s is larger than %d MiB, too large for a sweep file: write ranges instead of lists",
				name,
				maxSweepFile>>20,
			),
		}
	}
	return file, nil
}
