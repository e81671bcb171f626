package chaos

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

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/results"
)

// readTimeout bounds one read.
const readTimeout = 20 * time.Second

// reader reads what the cluster has committed, again and again, as users would: by Arrow Flight, in
// merged files, and as progress. What it reads must be complete and in order, at least as much as
// before, and at most what the sweep has.
type reader struct {
	client *client.Client
	store  string

	mu     sync.Mutex
	sweeps []client.Sweep

	// The rest belongs to the goroutine of run.
	seen       map[string]int64    // rows, by sweep and way of reading
	files      map[string][32]byte // merged files and their hashes when they were first seen
	reads      map[string]int      // that succeeded, by way of reading
	failed     int                 // that failed: no leader, a broken stream
	violations []string
}

func newReader(c *client.Client, store string) *reader {
	return &reader{
		client: c,
		store:  store,
		seen:   map[string]int64{},
		files:  map[string][32]byte{},
		reads:  map[string]int{},
	}
}

// add adds a sweep to those that are read.
func (r *reader) add(v client.Sweep) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweeps = append(r.sweeps, v)
}

// all returns the sweeps that are read, in the order in which they were added.
func (r *reader) all() []client.Sweep {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]client.Sweep(nil), r.sweeps...)
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) {
	for gax.Sleep(ctx, 200*time.Millisecond) == nil {
		r.once(ctx)
	}
}

// once reads every sweep in every way.
func (r *reader) once(ctx context.Context) {
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
		if err := r.checkNewFiles(v); err != nil {
			r.violate("%v", err)
		}
	}
}

// errWrongRows is returned by a read that succeeded and has rows that must not be there.
var errWrongRows = errors.New("wrong rows")

// see reads a sweep in one way and compares the number of rows with what was seen before.
func (r *reader) see(ctx context.Context, v client.Sweep, way string, read func(context.Context) (int64, error)) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
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

func (r *reader) violate(format string, args ...any) {
	if len(r.violations) < 100 {
		r.violations = append(r.violations, fmt.Sprintf(format, args...))
	}
}

// flight counts the committed rows of a table and checks that they are in order.
func (r *reader) flight(ctx context.Context, id, table string) (rows int64, err error) {
	reader, err := r.client.Rows(ctx, id, table, "point")
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

// checkNewFiles checks every new Parquet file of a set and remembers its hash.
func (r *reader) checkNewFiles(v client.Sweep) error {
	folder := filepath.Join(r.store, v.ResultSet)
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		_, known := r.files[name]
		switch {
		case errors.Is(err, fs.ErrNotExist): // not there yet, or a temporary file that is gone
			return nil
		case err != nil:
			return err
		case d.IsDir() || known || !strings.HasSuffix(name, ".parquet"):
			return nil
		}
		r.files[name], err = hashParquet(name)
		return err
	})
}

// forget forgets a sweep's files, some of which will be replaced. The reader must not run.
func (r *reader) forget(v client.Sweep) {
	folder := filepath.Join(r.store, v.ResultSet) + string(filepath.Separator)
	maps.DeleteFunc(r.files, func(name string, _ [32]byte) bool { return strings.HasPrefix(name, folder) })
}

// unchanged compares all files with their hashes when they were first seen.
func (r *reader) unchanged() error {
	var errs []error
	for name := range maps.Keys(r.files) {
		now, err := hashParquet(name)
		if err == nil && now != r.files[name] {
			err = fmt.Errorf("%s changed after it was published", name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// hashParquet checks that a Parquet file is complete, and returns the hash of its bytes.
func hashParquet(name string) (hash [32]byte, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return hash, fmt.Errorf("read a merged file: %w", err)
	}
	if _, err := results.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
		return hash, fmt.Errorf("%s is not a complete Parquet file: %w", name, err)
	}
	return sha256.Sum256(data), nil
}
