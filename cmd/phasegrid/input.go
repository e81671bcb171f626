package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/rows"
	"github.com/phasegrid/phasegrid/sweep"
)

// openSet opens the result set in a directory that the user named.
func openSet(dir string) (*results.Set, error) {
	if err := checkDirectory(dir); err != nil {
		return nil, err
	}
	set, err := results.OpenSet(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; name a directory that phasegrid run or fetch wrote", err)
	}
	return set, nil
}

// copyLive copies the rows that a cluster has committed of a sweep, by id or name, to a temporary
// result set, which remove deletes.
func copyLive(ctx context.Context, c client.Config, sweep string) (folder string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "phasegrid-live-")
	if err != nil {
		return "", nil, fmt.Errorf("create a directory for the sweep's rows: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	err = c.With(ctx, func(ctx context.Context, c *client.Client) error {
		folder, err = c.CopyCommitted(ctx, sweep, dir)
		return err
	})
	if err != nil {
		remove()
		return "", nil, err
	}
	return folder, remove, nil
}

// checkDirectory gives every command the same words for a directory that is not there.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return usageError{fmt.Errorf("%s: no such directory", dir)}
	case err != nil:
		return usageError{fmt.Errorf("open the result set: %w", err)}
	case !info.IsDir():
		return usageError{fmt.Errorf("%s: not a directory", dir)}
	}
	return nil
}

// specOf reads the sweep of a result set.
func specOf(dir string) (*sweep.Spec, error) {
	if err := checkDirectory(dir); err != nil {
		return nil, err
	}
	canonical, err := os.ReadFile(filepath.Join(dir, results.SweepName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("%s is not a result set: it has no %s", dir, results.SweepName)}
	}
	if err != nil {
		return nil, fmt.Errorf("read the sweep of the result set: %w", err)
	}
	return sweep.Decode(canonical)
}

// parseSweepFile reads and checks a sweep file. It returns the file as a coordinator takes it, with
// the rows of other files written out.
func parseSweepFile(name string, stdin io.Reader, maxPointBytes int64) (*sweep.Spec, []byte, error) {
	file, err := readSweepFile(name, stdin)
	if err != nil {
		return nil, nil, err
	}
	return parseSweep(name, file, maxPointBytes)
}

// parseSweep is parseSweepFile for a file that has been read.
func parseSweep(name string, file []byte, maxPointBytes int64) (*sweep.Spec, []byte, error) {
	spec, err := sweep.Parse(name, file, sweep.Limits{PointBytes: maxPointBytes, Rows: rows.Beside(name)})
	if err != nil {
		return nil, nil, usageError{err}
	}
	if spec.HasRowFiles() {
		file = sweep.File(spec.Name(), spec.Canonical(), spec.Figures())
	}
	return spec, file, nil
}

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
