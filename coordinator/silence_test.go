package coordinator_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
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
	return bucket.(interface {
		WithTimeout(d time.Duration) store.Store
	}).WithTimeout(timeout)
}

// TestSilentS3: a service that does not answer a request, as on a connection that is cut, does not
// block a sweep forever.
func TestSilentS3(t *testing.T) {
	for name, swallowed := range map[string]func(r *http.Request) bool{
		"spool": func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/spool/")
		},
		"frame": func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/spool/")
		},
		"part": func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/part-")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			store := silentStore(t, 2*time.Second, func(r *http.Request) bool { return swallowed(r) && n.Add(1) == 1 })
			testSweepRuns(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
			if n.Load() < 2 {
				t.Errorf("%d requests of this kind: none was made again", n.Load())
			}
		})
	}
}
