package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/phasegrid/phasegrid/results"
)

// readPatience bounds one live read.
const readPatience = 20 * time.Second

// chaosReader reads what the cluster has committed, again and again, as people would: by Arrow
// Flight, in merged files, and by asking for progress. Whatever it sees must be whole, in order, no
// less than before and no more than the truth.
type chaosReader struct {
	client *client.Client
	store  string

	mu     sync.Mutex
	sweeps []client.Sweep

	// The rest belongs to run's goroutine.
	seen       map[string]int64    // rows by sweep and way of reading
	files      map[string][32]byte // merged files and their content when they were first seen
	reads      map[string]int      // that succeeded
	failed     int                 // that did not: nobody leads, a stream broke
	violations []string
}

func newChaosReader(c *client.Client, store string) *chaosReader {
	return &chaosReader{
		client: c,
		store:  store,
		seen:   map[string]int64{},
		files:  map[string][32]byte{},
		reads:  map[string]int{},
	}
}

// add has a sweep read from now on.
func (r *chaosReader) add(v client.Sweep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweeps = append(r.sweeps, v)
}

func (r *chaosReader) all() []client.Sweep {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]client.Sweep(nil), r.sweeps...)
}

// run reads until ctx ends.
func (r *chaosReader) run(ctx context.Context) {
	for client.Pause(ctx, 200*time.Millisecond) {
		r.once(ctx)
	}
}

// once reads everything one time.
func (r *chaosReader) once(ctx context.Context) {
	for _, v := range r.all() {
		r.see(ctx, v, "progress", func(ctx context.Context) (int64, error) {
			now, err := r.client.Get(ctx, v.ID)
			return now.Progress.PointsDone, err
		})
		r.see(ctx, v, "flight", func(ctx context.Context) (int64, error) { return r.flight(ctx, v.ID, "points") })
		r.see(ctx, v, "merged points", func(ctx context.Context) (int64, error) {
			return countMerged(ctx, filepath.Join(r.store, v.ResultSet), results.Points)
		})
		r.see(ctx, v, "merged trajectories", func(ctx context.Context) (int64, error) {
			return countMerged(ctx, filepath.Join(r.store, v.ResultSet), results.Trajectories)
		})
		if err := r.whole(v); err != nil {
			r.violate("%v", err)
		}
	}
}

// errWrongRows is what a read fails with that has seen what must not be there.
var errWrongRows = errors.New("wrong rows")

// see reads once by one way and compares with what was seen before.
func (r *chaosReader) see(ctx context.Context, v client.Sweep, way string, read func(context.Context) (int64, error)) {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	rows, err := read(ctx)
	switch {
	case errors.Is(err, errWrongRows):
		r.violate("%s: %s: %v", v.Name, way, err)
		return
	case err != nil:
		r.failed++
		return
	}
	r.reads[way]++
	key := v.ID + " " + way
	if rows < r.seen[key] {
		r.violate("%s: %s: %d rows, after there were %d", v.Name, way, rows, r.seen[key])
	}
	if most := v.Progress.Indices; rows > most && way != "merged trajectories" {
		r.violate("%s: %s: %d rows of %d points", v.Name, way, rows, most)
	}
	r.seen[key] = max(r.seen[key], rows)
}

func (r *chaosReader) violate(format string, args ...any) {
	if len(r.violations) < 100 {
		r.violations = append(r.violations, fmt.Sprintf(format, args...))
	}
}

// flight counts the rows of a table and checks that points rise.
func (r *chaosReader) flight(ctx context.Context, sweep, table string) (rows int64, err error) {
	reader, err := r.client.Rows(ctx, sweep, table, "point")
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	last := int64(-1)
	for reader.Next() {
		points, ok := reader.Record().Column(0).(*array.Int64)
		if !ok {
			return 0, fmt.Errorf("%w: point is %s", errWrongRows, reader.Record().Column(0).DataType())
		}
		for _, p := range points.Int64Values() {
			if p <= last {
				return 0, fmt.Errorf("%w: point %d after point %d", errWrongRows, p, last)
			}
			last = p
			rows++
		}
	}
	if err := reader.Err(); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read %s: %w", table, err)
	}
	return rows, nil
}

// whole checks every Parquet file of a set that has come since: it opens, and its bytes never
// change.
func (r *chaosReader) whole(v client.Sweep) error {
	folder := filepath.Join(r.store, v.ResultSet)
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		_, known := r.files[name]
		switch {
		case errors.Is(err, fs.ErrNotExist): // not made yet, or a temporary file that is gone
			return nil
		case err != nil:
			return err
		case d.IsDir() || known || !strings.HasSuffix(name, ".parquet"):
			return nil
		}
		r.files[name], err = wholeParquet(name)
		return err
	})
}

// forget gives up what was seen of a sweep's files: some of them will be replaced. Nobody may be
// reading.
func (r *chaosReader) forget(v client.Sweep) {
	folder := filepath.Join(r.store, v.ResultSet) + string(filepath.Separator)
	maps.DeleteFunc(r.files, func(name string, _ [32]byte) bool { return strings.HasPrefix(name, folder) })
}

// unchanged compares all files with what they were when they were first seen.
func (r *chaosReader) unchanged() error {
	var errs []error
	for name := range maps.Keys(r.files) {
		now, err := wholeParquet(name)
		if err == nil && now != r.files[name] {
			err = fmt.Errorf("%s was changed after it had been published", name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// wholeParquet opens a file as results do and returns the hash of its bytes.
func wholeParquet(name string) (hash [32]byte, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return hash, fmt.Errorf("read a merged file: %w", err)
	}
	if _, err := results.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
		return hash, fmt.Errorf("%s is not a whole Parquet file: %w", name, err)
	}
	return sha256.Sum256(data), nil
}
