package spool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"sync"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

const (
	spoolPrefix  = "spool/"
	segmentBytes = 64 << 20
	readmeName   = spoolPrefix + "README.md"
)

// readme tells people who find the spool among result sets what it is.
const readme = `This directory holds finished shards of phasegrid sweeps until they are merged into the Parquet files
of a result set. A subdirectory is the spool of one cluster; "owners" records which cluster uses this
store. Coordinators delete what they no longer need.

Do not change, move or delete files here while a coordinator uses this store: shards whose bytes are
lost are computed again. "coordinator --spool URL" puts the spool elsewhere.
`

// ErrLost is the cause of an error about a frame whose object is gone, cut short or altered: it
// cannot be read later either, so its shard has to be computed again.
var ErrLost = errors.New("frame lost")

// Location is where a frame is.
type Location struct {
	Object string
	Offset int64
	Bytes  int64
}

// Spool writes and reads frames, and deletes objects of which no frame is needed. It is safe for
// concurrent use, but Append is for one goroutine.
type Spool struct {
	store  store.Store
	prefix string // of the cluster's objects
	epoch  uint64
	log    *slog.Logger

	segment store.Log // belongs to the goroutine of Append
	seq     int
	written int64

	mu      sync.Mutex
	live    map[string]int // frames in use, by object
	current string         // the open segment
	spoilt  string         // a segment that lost frames: nothing more is written to it
}

// New returns the spool of one term of leadership of a cluster.
func New(store store.Store, cluster string, epoch uint64, log *slog.Logger) *Spool {
	return &Spool{store: store, prefix: spoolPrefix + cluster + "/", epoch: epoch, log: log, live: map[string]int{}}
}

// Explain leaves a file in the spool that says what it is.
func (s *Spool) Explain(ctx context.Context) error {
	err := s.put(ctx, readmeName, [][]byte{[]byte(readme)})
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// Append makes frames durable with one sync, and holds each of them once.
func (s *Spool) Append(ctx context.Context, frames []Frame) ([]Location, error) {
	var chunks [][]byte
	locations := make([]Location, len(frames))
	var size int64
	for i, f := range frames {
		locations[i] = Location{Offset: size, Bytes: f.Size()}
		size += f.Size()
		chunks = append(chunks, f.chunks()...)
	}
	object, base, err := s.write(ctx, chunks)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.live[object] += len(frames)
	s.mu.Unlock()
	for i := range locations {
		locations[i].Object = object
		locations[i].Offset += base
	}
	s.written += size
	if s.segment != nil && s.written >= segmentBytes {
		s.seal(ctx)
	}
	return locations, nil
}

// write appends to the open segment, or writes an object.
func (s *Spool) write(ctx context.Context, chunks [][]byte) (object string, offset int64, err error) {
	logs, ok := s.store.(store.Appender)
	if !ok {
		object := s.next()
		return object, 0, s.put(ctx, object, chunks)
	}
	if s.mustSeal() {
		s.seal(ctx)
	}
	if s.segment == nil {
		object := s.next()
		segment, err := logs.CreateLog(ctx, object)
		if err != nil {
			return "", 0, fmt.Errorf("create spool segment: %w", err)
		}
		s.segment, s.written = segment, 0
		s.mu.Lock()
		s.current = object
		s.mu.Unlock()
	}
	offset, err = s.segment.Append(ctx, chunks)
	if err != nil {
		// After a failed sync it is unknown what is on disk: the rest of this segment is not used.
		s.seal(ctx)
		return "", 0, err
	}
	return s.current, offset, nil
}

// mustSeal reports whether the open segment has lost frames.
func (s *Spool) mustSeal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segment != nil && s.spoilt == s.current
}

func (s *Spool) next() string {
	s.seq++
	return fmt.Sprintf("%s%016x-%06d", s.prefix, s.epoch, s.seq)
}

func (s *Spool) put(ctx context.Context, object string, chunks [][]byte) error {
	w, err := s.store.Create(ctx, object)
	if err != nil {
		return err
	}
	defer w.Discard()
	for _, c := range chunks {
		if _, err := w.Write(c); err != nil {
			return err
		}
	}
	return w.Commit()
}

// seal closes the open segment, which is deleted once it holds no frame.
func (s *Spool) seal(ctx context.Context) {
	if s.segment == nil {
		return
	}
	if err := s.segment.Close(); err != nil {
		s.log.Warn("spool segment not closed", "error", err)
	}
	s.segment = nil
	s.mu.Lock()
	object := s.current
	s.current = ""
	s.mu.Unlock()
	s.Release(ctx, object, 0)
}

// Spoil says that frames of an object are lost: it is not written to any more.
func (s *Spool) Spoil(object string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if object == s.current {
		s.spoilt = object
	}
}

// Hold counts n frames of an object that an earlier leader committed.
func (s *Spool) Hold(object string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[object] += n
}

// owns reports whether an object is the cluster's: a ledger may also refer to objects of a cluster
// whose backup it was restored from. Objects of earlier releases have no cluster in their names.
func (s *Spool) owns(object string) bool {
	return strings.HasPrefix(object, s.prefix) || path.Dir(object)+"/" == spoolPrefix
}

// Release gives up n frames of an object, which is deleted with the last of them if the cluster
// owns it.
func (s *Spool) Release(ctx context.Context, object string, n int) {
	s.mu.Lock()
	s.live[object] -= n
	gone := s.live[object] <= 0 && object != s.current
	if gone {
		delete(s.live, object)
	}
	s.mu.Unlock()
	if gone && s.owns(object) {
		if err := s.store.Delete(ctx, object); err != nil {
			s.log.Warn("spool object not deleted; the next leader deletes it", "object", object, "error", err)
		}
	}
}

// Read returns a frame. Objects that it opens stay open in cache until the caller closes it.
func (s *Spool) Read(ctx context.Context, l Location, cache Cache) (Frame, error) {
	if l.Bytes < 0 || l.Bytes > maxFrameBytes {
		return Frame{}, fmt.Errorf(
			"read spool frame in %s: %w: got %d bytes, want at most %d", l.Object, ErrLost, l.Bytes, maxFrameBytes,
		)
	}
	o, err := s.object(ctx, l, cache)
	if err != nil {
		return Frame{}, err
	}
	b := make([]byte, l.Bytes)
	if _, err := io.ReadFull(io.NewSectionReader(o, l.Offset, l.Bytes), b); err != nil {
		return Frame{}, fmt.Errorf("read spool frame at %d of %s: %w", l.Offset, l.Object, err)
	}
	f, err := parseFrame(b)
	if err != nil {
		return Frame{}, fmt.Errorf("read spool frame at %d of %s: %w: %w", l.Offset, l.Object, ErrLost, err)
	}
	return f, nil
}

// RemoveOrphans deletes objects of the cluster's earlier epochs that hold no committed frame. Call
// it once every frame is held, and no other ledger can have one of them.
func (s *Spool) RemoveOrphans(ctx context.Context) error {
	first := fmt.Sprintf("%s%016x-", s.prefix, s.epoch) // below every name of this epoch
	var orphans []string
	err := s.store.List(ctx, s.prefix, func(name string, _ int64) error {
		s.mu.Lock()
		held := s.live[name] > 0
		s.mu.Unlock()
		if !held && name < first {
			orphans = append(orphans, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list spool objects: %w", err)
	}
	for _, name := range orphans {
		if err := s.store.Delete(ctx, name); err != nil {
			return fmt.Errorf("delete orphaned spool object: %w", err)
		}
	}
	return nil
}

// Header returns the header of a frame without its payload. The checksum is verified by Read only.
func (s *Spool) Header(ctx context.Context, l Location, cache Cache) ([]byte, error) {
	if l.Bytes < frameFixed+frameTrailer {
		return nil, fmt.Errorf(
			"read spool frame in %s: %w: got %d bytes, want at least %d",
			l.Object, ErrLost, l.Bytes, frameFixed+frameTrailer,
		)
	}
	o, err := s.object(ctx, l, cache)
	if err != nil {
		return nil, err
	}
	fixed := make([]byte, frameFixed)
	if _, err := o.ReadAt(fixed, l.Offset); err != nil {
		return nil, fmt.Errorf("read spool frame at %d of %s: %w", l.Offset, l.Object, err)
	}
	n := int64(binary.LittleEndian.Uint32(fixed[4:]))
	if string(fixed[:4]) != frameMagic || n > l.Bytes-frameFixed-frameTrailer {
		return nil, fmt.Errorf("read spool frame at %d of %s: %w: not a spool frame", l.Offset, l.Object, ErrLost)
	}
	header := make([]byte, n)
	if _, err := o.ReadAt(header, l.Offset+frameFixed); err != nil {
		return nil, fmt.Errorf("read header of spool frame at %d of %s: %w", l.Offset, l.Object, err)
	}
	return header, nil
}

// object returns an object from cache, or opens it. An object that has grown is opened again.
func (s *Spool) object(ctx context.Context, l Location, cache Cache) (store.Object, error) {
	o := cache[l.Object]
	if o != nil && l.Offset+l.Bytes <= o.Size() {
		return o, nil
	}
	opened, err := s.store.Open(ctx, l.Object)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open spool object %s: %w: %w", l.Object, ErrLost, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open spool object %s: %w", l.Object, err)
	}
	if o != nil {
		o.Close()
	}
	cache[l.Object] = opened
	if end := l.Offset + l.Bytes; end > opened.Size() {
		return nil, fmt.Errorf(
			"read spool object %s: %w: it ends at byte %d, its frame at %d", l.Object, ErrLost, opened.Size(), end,
		)
	}
	return opened, nil
}

// Cache has the objects that were opened to read frames, by name.
type Cache map[string]store.Object

// Close closes them.
func (c Cache) Close() {
	for _, o := range c {
		o.Close()
	}
}
