package coordinator_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

const storeID = ".phasegrid-store"

// rejected runs a coordinator that must not start, and returns the error.
func rejected(ctx context.Context, t *testing.T, cfg coordinator.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = listener
	c, err := coordinator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := c.Run(ctx); err != nil {
		return err.Error()
	}
	t.Error("a coordinator with another store started")
	return ""
}

// says checks that an error contains texts, and returns the id for --adopt-store, if it has one.
func says(t *testing.T, text string, words ...string) (adopt string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not tell %q", text, w)
		}
	}
	_, adopt, _ = strings.Cut(text, "--adopt-store=")
	return adopt
}

// again opens the store of a folder once more, as another process does.
func again(t *testing.T, folder string) store.Store {
	t.Helper()
	s, err := store.OpenFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForeignStore: of two coordinators of one etcd, the second must have the same store as the
// first.
func TestForeignStore(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	etcd := ledger.Etcd{Endpoints: []string{etcdServer(t, nil)}}
	store, folder := fileStore(t)
	other, otherFolder := fileStore(t)
	first := start(t, coordinator.Config{Name: "first", Etcd: etcd, Store: store})
	first.leading(ctx)
	second := coordinator.Config{Name: "second", Etcd: etcd, Store: other}
	says(t, rejected(ctx, t, second), folder, otherFolder, "result sets", "same --store")
	second.Store, second.Spool = store, other
	says(t, rejected(ctx, t, second), folder, otherFolder, "spool")
	if left, err := os.ReadDir(otherFolder); err != nil || len(left) != 0 {
		t.Errorf("the folder of the rejected coordinator has %v, %v", left, err)
	}

	second.Store, second.Spool = again(t, folder), nil
	follower := start(t, second)
	id := first.submit(ctx, smallSweep).GetSweep().GetId()
	first.stop()
	follower.leading(ctx)
	follower.stop()

	// The leader is gone, its sweep is not.
	second.Store = other
	says(t, rejected(ctx, t, second), "has no id", folder, otherFolder)
	restarted := start(t, coordinator.Config{Name: "first", Etcd: etcd, Store: again(t, folder)})
	restarted.leading(ctx)
	if _, err := restarted.sweeps.Get(ctx, &pb.GetRequest{Sweep: id}); err != nil {
		t.Errorf("Get after the restart = %v", err)
	}
	restarted.stop()

	// A store outlives its etcd: another one adopts it, and it keeps its id.
	before := readFile(t, filepath.Join(folder, storeID))
	etcd.Endpoints = []string{etcdServer(t, nil)}
	anew := coordinator.Config{Name: "anew", Etcd: etcd, Store: again(t, folder)}
	anew.AdoptStore = says(t, rejected(ctx, t, anew), folder, restarted.address, "--adopt-store=")
	start(t, anew).leading(ctx)
	if after := readFile(t, filepath.Join(folder, storeID)); after != before {
		t.Errorf("the store's id was %q, with another etcd it is %q", before, after)
	}
	second.Etcd = etcd
	says(t, rejected(ctx, t, second), folder, otherFolder)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestStoreWithoutSweeps: a cluster without sweeps and leader accepts another store.
func TestStoreWithoutSweeps(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	etcd := ledger.Etcd{Endpoints: []string{etcdServer(t, nil)}}
	for range 2 {
		store, _ := fileStore(t)
		c := start(t, coordinator.Config{Etcd: etcd, Store: store})
		c.leading(ctx)
		c.stop()
	}
}

// TestForeignStoreOfCandidate: candidates that started together learn whose store is the cluster's
// when one of them leads. The other does not lead until it has that store.
func TestForeignStoreOfCandidate(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	endpoint := etcdServer(t, nil)
	etcd := ledger.Etcd{Endpoints: []string{endpoint}}
	store, folder := fileStore(t)
	other, otherFolder := fileStore(t)
	leadership := campaign(ctx, t, dial(t, endpoint), "nobody:1")
	candidates := func(n int) {
		t.Helper()
		for len(load(ctx, t, leadership, "/phasegrid/v1/leader/")) != n {
			if ctx.Err() != nil {
				t.Fatalf("there are no %d candidates", n)
			}
			time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
		}
	}
	first := start(t, coordinator.Config{Name: "first", Etcd: etcd, Store: store})
	candidates(2)
	second := start(t, coordinator.Config{Name: "second", Etcd: etcd, Store: other})
	candidates(3)
	if err := leadership.Resign(ctx); err != nil {
		t.Fatal(err)
	}
	first.leading(ctx)
	first.submit(ctx, smallSweep)
	says(t, second.alarm(ctx, "store"), folder, otherFolder, "same --store")
	first.stop()
	says(t, second.alarm(ctx, "store"), folder, otherFolder)
	id := readFile(t, filepath.Join(folder, storeID))
	if err := os.WriteFile(filepath.Join(otherFolder, storeID), []byte(id), 0o600); err != nil {
		t.Fatal(err)
	}
	second.leading(ctx)
}

// alarm waits for an alarm of a coordinator that does not lead.
func (c *cluster) alarm(ctx context.Context, subject string) string {
	c.t.Helper()
	for {
		_, err := c.sweeps.List(ctx, &pb.ListRequest{})
		for _, a := range alarmsIn(err) {
			if a.GetSubject() == subject {
				return a.GetDescription()
			}
		}
		if err == nil || ctx.Err() != nil {
			c.t.Fatalf("there is no alarm about %s: %v", subject, err)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
}

// TestForeignStoreS3: the same in object storage.
func TestForeignStoreS3(t *testing.T) {
	ctx := deadline(t)
	etcd := ledger.Etcd{Endpoints: []string{etcdServer(t, nil)}}
	store, other := s3Store(t), s3Store(t)
	for range 2 {
		c := start(t, coordinator.Config{Etcd: etcd, Store: store})
		c.leading(ctx)
		c.submit(ctx, smallSweep)
		c.stop()
	}
	says(t, rejected(ctx, t, coordinator.Config{Etcd: etcd, Store: other}), "has no id")
}

// TestForeignSpoolOfEmbedded: a coordinator with an embedded etcd may write result sets to any
// store, where it leaves nothing else, but needs the spool of its state.
func TestForeignSpoolOfEmbedded(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	state := t.TempDir()
	spool, _ := fileStore(t)
	for range 2 {
		store, folder := fileStore(t)
		c := start(t, coordinator.Config{Embedded: state, Store: store, Spool: spool})
		c.leading(ctx)
		c.submit(ctx, smallSweep)
		c.stop()
		if left, err := filepath.Glob(filepath.Join(folder, ".*")); err != nil || len(left) != 0 {
			t.Errorf("there is %v among the result sets, %v", left, err)
		}
	}
	store, _ := fileStore(t)
	says(t, rejected(ctx, t, coordinator.Config{Embedded: state, Store: store}), "spool", "has no id")
}
