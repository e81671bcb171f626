package coordinator_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// stoppedStore blocks the first deletion of a file, as SIGSTOP does, until it is released, whoever
// leads by then.
type stoppedStore struct {
	store.Store
	at            string // how the file's name ends
	once          sync.Once
	reached, goOn chan struct{}
	ended         chan struct{}
}

func stopAt(s store.Store, at string) *stoppedStore {
	return &stoppedStore{
		Store:   s,
		at:      at,
		reached: make(chan struct{}),
		goOn:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
}

func (s *stoppedStore) DeleteVersion(ctx context.Context, name, version string) error {
	if strings.HasSuffix(name, s.at) {
		s.once.Do(func() {
			close(s.reached)
			<-s.goOn
			ctx = context.WithoutCancel(ctx)
			defer close(s.ended)
			_ = s.Store.DeleteVersion(ctx, name, version) // what it hears does not matter any more
		})
	}
	return s.Store.DeleteVersion(ctx, name, version)
}

// await waits until a channel is closed.
func await(ctx context.Context, t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-ctx.Done():
		t.Fatalf("%s: %v", what, ctx.Err())
	}
}

// contents returns all files of a folder except those that are being written, and marks of owners.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.Name() == ".owners" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// twoCoordinators are a leader that will be suspended, and the next one.
func twoCoordinators(
	ctx context.Context,
	t *testing.T,
	at string,
) (stopped *stoppedStore, first, second *cluster, endpoint, dir string) {
	t.Helper()
	endpoint = etcdServer(t, nil)
	store, dir := fileStore(t)
	spool, _ := fileStore(t)
	stopped = stopAt(store, at)
	etcd := ledger.Etcd{Endpoints: []string{endpoint}}
	first = start(
		t,
		coordinator.Config{
			Name:           "first",
			Etcd:           etcd,
			Store:          stopped,
			Spool:          spool,
			ReconnectGrace: 50 * time.Millisecond,
		},
	)
	first.leading(ctx)
	second = start(t, coordinator.Config{Name: "second", Etcd: etcd, Store: store, Spool: spool})
	return stopped, first, second, endpoint, dir
}

// TestZombieRemovesNothing: a leader is suspended while it removes the files of a sweep. Another
// one has removed them, and the sweep was submitted again, when the first continues.
func TestZombieRemovesNothing(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	stopped, first, second, endpoint, dir := twoCoordinators(ctx, t, "points/part-000000.parquet")
	stopNode := first.serve(ctx, &coordtest.Node{Name: "n"})
	id := first.submit(ctx, smallSweep).GetSweep().GetId()
	set := filepath.Join(dir, first.wait(ctx, id).GetResultSet())
	stopNode()
	removed := make(chan error, 1)
	go func() {
		_, err := first.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id})
		removed <- err
	}()
	await(ctx, t, stopped.reached, "the first leader deletes files")
	endTerm(ctx, t, endpoint, first)
	second.leading(ctx)
	if err := <-removed; err == nil {
		t.Error("the former leader says that the sweep is removed")
	}
	if _, err := second.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil &&
		status.Code(err) != codes.NotFound {
		t.Errorf("Delete = %v", err)
	}
	if !second.submit(ctx, smallSweep).GetCreated() {
		t.Error("the sweep is there still")
	}
	defer second.serve(ctx, &coordtest.Node{Name: "other"})()
	second.wait(ctx, id)
	checkSmallSet(t, set)
	want := contents(t, set)
	close(stopped.goOn)
	await(ctx, t, stopped.ended, "the first leader goes on")
	first.stop() // it has tried all of the files by then
	if got := contents(t, set); !maps.Equal(got, want) {
		t.Errorf("the former leader changed files: there are %d, were %d", len(got), len(want))
	}
}

// TestZombieReplacesNothing: a leader is suspended while it replaces a file of a retried sweep.
// Another one replaces it, then the first continues.
func TestZombieReplacesNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"points/part-000000.parquet", "shards/part-000000.parquet", "manifest.json"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			stopped, first, second, endpoint, dir := twoCoordinators(ctx, t, at)
			id := first.submit(ctx, smallSweep).GetSweep().GetId()
			first.quarantine(ctx, t, id)
			stopNode := first.serve(ctx, &coordtest.Node{Name: "healthy"})
			set := filepath.Join(dir, first.wait(ctx, id).GetResultSet())
			if _, err := first.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id}); err != nil {
				t.Fatal(err)
			}
			await(ctx, t, stopped.reached, "the first leader replaces "+at)
			endTerm(ctx, t, endpoint, first)
			stopNode()
			second.leading(ctx)
			defer second.serve(ctx, &coordtest.Node{Name: "other"})()
			second.wait(ctx, id)
			checkSmallSet(t, set)
			want := contents(t, set)
			close(stopped.goOn)
			await(ctx, t, stopped.ended, "the first leader goes on")
			if got := contents(t, set); !maps.Equal(got, want) {
				t.Errorf("the former leader changed files: there are %d, were %d", len(got), len(want))
			}
		})
	}
}
