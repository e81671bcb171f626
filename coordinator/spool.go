package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// The spool keeps the bytes of committed shards until their part is merged. On a store that can
// append it is a log of segments with one sync for a group of shards; on any other each group is an
// object. Objects are called spool/<epoch>-<n>, so that a new leader never writes to an older
// one's.
//
// A frame is, all little endian:
//
//	magic "PGS1", uint32 header bytes, uint64 payload bytes, header, payload, uint32 CRC-32C of all before
const (
	spoolPrefix   = "spool/"
	segmentBytes  = 64 << 20
	frameMagic    = "PGS1"
	frameFixed    = 4 + 4 + 8
	frameTrailer  = 4
	maxFrameBytes = 512 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one committed shard as it lies in the spool.
type frame struct {
	header  []byte // DeliverHeader
	payload []byte
}

// chunks are the bytes of a frame, in order.
func (f frame) chunks() [][]byte {
	fixed := make([]byte, frameFixed, frameFixed+len(f.header))
	copy(fixed, frameMagic)
	binary.LittleEndian.PutUint32(fixed[4:], uint32(len(f.header)))
	binary.LittleEndian.PutUint64(fixed[8:], uint64(len(f.payload)))
	head := append(fixed, f.header...)
	sum := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, f.payload)
	return [][]byte{head, f.payload, binary.LittleEndian.AppendUint32(nil, sum)}
}

func (f frame) size() int64 { return int64(frameFixed + len(f.header) + len(f.payload) + frameTrailer) }

func parseFrame(b []byte) (frame, error) {
	if len(b) < frameFixed+frameTrailer || string(b[:4]) != frameMagic {
		return frame{}, errors.New("not a spool frame")
	}
	header, payload := uint64(binary.LittleEndian.Uint32(b[4:])), binary.LittleEndian.Uint64(b[8:])
	body := uint64(len(b) - frameFixed - frameTrailer)
	if header > body || payload != body-header {
		return frame{}, errors.New("spool frame of wrong length")
	}
	end := len(b) - frameTrailer
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return frame{}, errors.New("spool frame with a wrong checksum")
	}
	return frame{header: b[frameFixed : frameFixed+header], payload: b[frameFixed+header : end]}, nil
}

// location is where a frame lies.
type location struct {
	object string
	offset int64
	bytes  int64
}

// spool hands out locations and frees objects when nothing lies in them any more. Safe for
// concurrent use; append is for one goroutine.
type spool struct {
	store store.Store
	epoch uint64
	log   *slog.Logger

	segment store.Log // of append's goroutine
	seq     int
	written int64

	mu      sync.Mutex
	live    map[string]int // frames that are held, by object
	current string         // segment that is still written to
}

func newSpool(store store.Store, epoch uint64, log *slog.Logger) *spool {
	return &spool{store: store, epoch: epoch, log: log, live: map[string]int{}}
}

// append makes frames durable, with one sync, and holds each of them once.
func (s *spool) append(ctx context.Context, frames []frame) ([]location, error) {
	var chunks [][]byte
	locations := make([]location, len(frames))
	var size int64
	for i, f := range frames {
		locations[i] = location{offset: size, bytes: f.size()}
		size += f.size()
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
		locations[i].object = object
		locations[i].offset += base
	}
	s.written += size
	if s.segment != nil && s.written >= segmentBytes {
		s.seal(ctx)
	}
	return locations, nil
}

// write appends to the open segment, or writes an object.
func (s *spool) write(ctx context.Context, chunks [][]byte) (object string, offset int64, err error) {
	logs, ok := s.store.(store.Appender)
	if !ok {
		object := s.next()
		return object, 0, s.put(ctx, object, chunks)
	}
	if s.segment == nil {
		object := s.next()
		segment, err := logs.CreateLog(ctx, object)
		if err != nil {
			return "", 0, fmt.Errorf("begin spool segment: %w", err)
		}
		s.segment, s.written = segment, 0
		s.mu.Lock()
		s.current = object
		s.mu.Unlock()
	}
	offset, err = s.segment.Append(ctx, chunks)
	if err != nil {
		// After a failed sync nobody knows what is on disk: the rest of this segment is not used.
		s.seal(ctx)
		return "", 0, err
	}
	return s.current, offset, nil
}

func (s *spool) next() string {
	s.seq++
	return fmt.Sprintf("%s%016x-%06d", spoolPrefix, s.epoch, s.seq)
}

func (s *spool) put(ctx context.Context, object string, chunks [][]byte) error {
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

// seal ends the open segment; it goes as soon as nothing lies in it.
func (s *spool) seal(ctx context.Context) {
	if s.segment == nil {
		return
	}
	if err := s.segment.Close(); err != nil {
		s.log.Warn("close spool segment", "error", err)
	}
	s.segment = nil
	s.mu.Lock()
	object := s.current
	s.current = ""
	s.mu.Unlock()
	s.release(ctx, object, 0)
}

// hold notes n frames of an object that an earlier leader committed.
func (s *spool) hold(object string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[object] += n
}

// release gives n frames of an object up. The last one deletes it.
func (s *spool) release(ctx context.Context, object string, n int) {
	s.mu.Lock()
	s.live[object] -= n
	gone := s.live[object] <= 0 && object != s.current
	if gone {
		delete(s.live, object)
	}
	s.mu.Unlock()
	if gone {
		if err := s.store.Delete(ctx, object); err != nil {
			s.log.Warn("free spool object; it is removed at the next start", "object", object, "error", err)
		}
	}
}

// read returns a frame. Objects opened for it stay open in cache until the caller closes them.
func (s *spool) read(ctx context.Context, l location, cache map[string]store.Object) (frame, error) {
	if l.bytes < 0 || l.bytes > maxFrameBytes {
		return frame{}, fmt.Errorf("spool frame of %d bytes in %s", l.bytes, l.object)
	}
	o, err := s.object(ctx, l, cache)
	if err != nil {
		return frame{}, err
	}
	b := make([]byte, l.bytes)
	if _, err := io.ReadFull(io.NewSectionReader(o, l.offset, l.bytes), b); err != nil {
		return frame{}, fmt.Errorf("read %d bytes at %d of %s: %w", l.bytes, l.offset, l.object, err)
	}
	f, err := parseFrame(b)
	if err != nil {
		return frame{}, fmt.Errorf("at %d of %s: %w", l.offset, l.object, err)
	}
	return f, nil
}

// removeOrphans deletes objects of earlier leaders that hold no committed frame. Call it once
// everything is held.
func (s *spool) removeOrphans(ctx context.Context) error {
	mine := fmt.Sprintf("%s%016x-", spoolPrefix, s.epoch)
	var orphans []string
	err := s.store.List(ctx, spoolPrefix, func(name string, _ int64) error {
		s.mu.Lock()
		held := s.live[name] > 0
		s.mu.Unlock()
		if !held && !strings.HasPrefix(name, mine) && name < mine {
			orphans = append(orphans, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for old spool objects: %w", err)
	}
	for _, name := range orphans {
		if err := s.store.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove old spool object: %w", err)
		}
	}
	return nil
}

// header returns the header of a frame without its payload; the checksum is left to read.
func (s *spool) header(ctx context.Context, l location, cache map[string]store.Object) ([]byte, error) {
	if l.bytes < frameFixed+frameTrailer {
		return nil, fmt.Errorf("spool frame of %d bytes in %s", l.bytes, l.object)
	}
	o, err := s.object(ctx, l, cache)
	if err != nil {
		return nil, err
	}
	fixed := make([]byte, frameFixed)
	if _, err := o.ReadAt(fixed, l.offset); err != nil {
		return nil, fmt.Errorf("read a frame at %d of %s: %w", l.offset, l.object, err)
	}
	n := int64(binary.LittleEndian.Uint32(fixed[4:]))
	if string(fixed[:4]) != frameMagic || n > l.bytes-frameFixed-frameTrailer {
		return nil, fmt.Errorf("at %d of %s: not a spool frame", l.offset, l.object)
	}
	header := make([]byte, n)
	if _, err := o.ReadAt(header, l.offset+frameFixed); err != nil {
		return nil, fmt.Errorf("read a header at %d of %s: %w", l.offset, l.object, err)
	}
	return header, nil
}

// object opens an object, or finds it in cache. One that has grown since is opened again.
func (s *spool) object(ctx context.Context, l location, cache map[string]store.Object) (store.Object, error) {
	o := cache[l.object]
	if o != nil && l.offset+l.bytes <= o.Size() {
		return o, nil
	}
	opened, err := s.store.Open(ctx, l.object)
	if err != nil {
		return nil, fmt.Errorf("open spool object %s: %w", l.object, err)
	}
	if o != nil {
		o.Close()
	}
	cache[l.object] = opened
	return opened, nil
}
