package coordinator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// simStore are the objects that all coordinators of a simulation share. Guarded by world.mu.
type simStore struct {
	objects  map[string]*simObject
	versions int
	logs     map[*simLog]bool // that are being appended to
}

// simObject is one object. Its bytes only grow.
type simObject struct {
	data    []byte
	version string
}

func newSimStore() *simStore {
	return &simStore{objects: map[string]*simObject{}, logs: map[*simLog]bool{}}
}

func (s *simStore) add(name string, data []byte) *simObject {
	s.versions++
	o := &simObject{slices.Clone(data), fmt.Sprint(s.versions)}
	s.objects[name] = o
	return o
}

// files returns the objects that are rows or descriptions of result sets and that are the same in
// every run.
func (s *simStore) files() map[string][]byte {
	files := map[string][]byte{}
	for name, o := range s.objects {
		if strings.HasPrefix(name, "spool/") || strings.HasPrefix(name, ".") ||
			strings.Contains(name, "/shards/part") || strings.HasSuffix(name, "manifest.json") {
			continue
		}
		files[name] = o.data
	}
	return files
}

// tear writes a part of what was being appended when a process crashed.
func (s *simStore) tear(random *rand.Rand) {
	for l := range s.logs {
		if l.view.process.dead && l.pending != nil {
			l.object.data = append(l.object.data, l.pending[:random.IntN(len(l.pending)+1)]...)
			l.pending = nil
		}
	}
}

// simView is the store as one process reaches it.
type simView struct {
	*simStore
	process *process
}

var (
	_ store.Store    = (*simView)(nil)
	_ store.Appender = (*simView)(nil)
)

func (v *simView) String() string { return "simulated store" }

func (v *simView) do(ctx context.Context, what, name string, effect func() error) error {
	return v.process.world.do(ctx, v.process, what+" "+name, effect)
}

func (v *simView) Create(_ context.Context, name string) (store.Writer, error) {
	return &simWriter{view: v, name: name}, nil
}

func (v *simView) Open(ctx context.Context, name string) (object store.Object, err error) {
	err = v.do(ctx, "open", name, func() error {
		o := v.objects[name]
		if o == nil {
			return fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		}
		object = &simReader{bytes.NewReader(slices.Clone(o.data)), o.version}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return object, nil
}

func (v *simView) List(ctx context.Context, prefix string, visit func(name string, size int64) error) error {
	sizes := map[string]int64{}
	err := v.do(ctx, "list", prefix, func() error {
		for name, o := range v.objects {
			if strings.HasPrefix(name, prefix) {
				sizes[name] = int64(len(o.data))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if err := visit(name, sizes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (v *simView) Delete(ctx context.Context, name string) error {
	return v.do(ctx, "delete", name, func() error { delete(v.objects, name); return nil })
}

func (v *simView) DeleteVersion(ctx context.Context, name, version string) error {
	return v.do(ctx, "delete version of", name, func() error {
		switch o := v.objects[name]; {
		case o == nil:
			return nil
		case o.version != version:
			return errors.New("object was replaced by another process")
		}
		delete(v.objects, name)
		return nil
	})
}

func (v *simView) CreateLog(ctx context.Context, name string) (store.Log, error) {
	l := &simLog{view: v, name: name}
	err := v.do(ctx, "create log", name, func() error {
		if v.objects[name] != nil {
			return fmt.Errorf("create %s: %w", name, fs.ErrExist)
		}
		l.object = v.add(name, nil)
		v.logs[l] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// simWriter writes one object.
type simWriter struct {
	bytes.Buffer
	view *simView
	name string
}

func (w *simWriter) Commit() error {
	return w.view.do(context.Background(), "publish", w.name, func() error {
		if w.view.objects[w.name] != nil {
			return fmt.Errorf("publish %s: %w", w.name, fs.ErrExist)
		}
		w.view.add(w.name, w.Bytes())
		return nil
	})
}

func (w *simWriter) Discard() {}

// simLog is a growing object.
type simLog struct {
	view    *simView
	name    string
	object  *simObject
	pending []byte
}

func (l *simLog) Append(ctx context.Context, chunks [][]byte) (offset int64, err error) {
	data := bytes.Join(chunks, nil)
	l.view.process.world.mu.Lock()
	l.pending = data
	l.view.process.world.mu.Unlock()
	err = l.view.do(ctx, "append to", l.name, func() error {
		offset = int64(len(l.object.data))
		l.object.data = append(l.object.data, data...)
		l.pending = nil
		return nil
	})
	return offset, err
}

func (l *simLog) Close() error { return nil }

// simReader is an object that is open for reading.
type simReader struct {
	*bytes.Reader
	version string
}

func (r *simReader) Close() error    { return nil }
func (r *simReader) Version() string { return r.version }
