package store_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// silentService is an S3 service that does not answer requests for which silent returns true.
type silentService struct {
	http.Handler
	silent func(r *http.Request) bool
	ended  chan struct{}
}

func (s *silentService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.silent(r) {
		s.Handler.ServeHTTP(w, r)
		return
	}
	select {
	case <-s.ended:
	case <-r.Context().Done():
	}
}

// silentStore is a bucket of a silentService.
func silentStore(t *testing.T, timeout time.Duration, silent func(r *http.Request) bool) store.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s := &silentService{
		gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server(),
		silent,
		make(chan struct{}),
	}
	bucket := s3At(t, s)
	t.Cleanup(func() { close(s.ended) })
	return withTimeout(bucket, timeout)
}

// TestSilentS3Calls: every call ends with an error that names the cause, and not the deadline of
// the caller.
func TestSilentS3Calls(t *testing.T) {
	var silent atomic.Bool
	s := silentStore(t, 50*time.Millisecond, func(*http.Request) bool { return silent.Load() })
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	patient := withTimeout(s, time.Minute)
	if err := write(t, patient, "x", []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	o, err := patient.Open(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	version := o.Version()
	if o, err = s.Open(ctx, "x"); err != nil {
		t.Skipf("this machine is too slow: %v", err)
	}
	silent.Store(true)
	_, opened := s.Open(ctx, "x")
	_, read := o.ReadAt(make([]byte, 1), 0)
	listed := s.List(ctx, "", func(string, int64) error { return nil })
	w, err := s.Create(ctx, "y")
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // what is written is buffered at first
		_, err = w.Write(make([]byte, 1<<20))
	}
	w.Discard()
	for call, err := range map[string]error{
		"Open": opened, "ReadAt": read, "List": listed, "Write": err, "Commit": write(t, s, "z", []byte("bytes")),
		"Delete": s.Delete(ctx, "x"), "DeleteVersion": s.DeleteVersion(ctx, "x", version),
	} {
		if err == nil || errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "does not answer") ||
			ctx.Err() != nil {
			t.Errorf("%s = %v", call, err)
		}
	}
}

// withTimeout is a bucket that waits so long for the answer to a request.
func withTimeout(s store.Store, d time.Duration) store.Store {
	return s.(interface {
		WithTimeout(d time.Duration) store.Store
	}).WithTimeout(d)
}
