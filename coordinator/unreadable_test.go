package coordinator_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestOrphanKeys: keys of an unknown sweep are ignored, and do not become part of a sweep that is
// submitted later.
func TestOrphanKeys(t *testing.T) {
	t.Parallel()
	store, dir := fileStore(t)
	memory := ledger.NewMemory()
	ctx := deadline(t)
	c := start(t, coordinator.Config{Ledger: memory, Store: store})
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	c.stop()
	leadership := campaign(ctx, t, memory, "between")
	key := "/phasegrid/v1/sweeps/" + id
	commit(
		ctx,
		t,
		leadership,
		ledger.Write{Key: key, Delete: true},
		put(key+"/removing", ""),
		put(key+"/class", "another"),
		put("/phasegrid/v1/sweeps/dead/phase", "running"),
	)
	if err := leadership.Resign(ctx); err != nil {
		t.Fatal(err)
	}
	for _, created := range []bool{true, false} {
		c = start(t, coordinator.Config{Ledger: memory, Store: store})
		c.leading(ctx)
		m := c.submit(ctx, smallSweep)
		if m.GetCreated() != created || m.GetSweep().GetPhase() != pb.Phase_PHASE_RUNNING {
			t.Errorf("created %v: Submit = %v", created, m)
		}
		if !created {
			break
		}
		c.stop()
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	checkSmallSet(t, filepath.Join(dir, c.wait(ctx, id).GetResultSet()))
}

// TestUnreadableState: a key that no release can read prevents leadership. An alarm is active until
// it is gone.
func TestUnreadableState(t *testing.T) {
	t.Parallel()
	endpoint := etcdServer(t, nil)
	ctx := deadline(t)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const key = "/phasegrid/v1/sweeps/dead"
	if _, err := client.Put(ctx, key, "\xff"); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := "http://" + listener.Addr().String() + "/readyz"
	store, _ := fileStore(t)
	c := start(
		t,
		coordinator.Config{
			StatusListener: listener,
			Store:          store,
			Etcd:           ledger.Etcd{Endpoints: []string{endpoint}},
		},
	)
	for {
		answer := get(ctx, t, ready)
		if strings.Contains(answer, "etcd: ") && strings.Contains(answer, key) {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("no alarm: %q", answer)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
	if _, err := client.Delete(ctx, key); err != nil {
		t.Fatal(err)
	}
	c.leading(ctx)
	if answer := get(ctx, t, ready); answer != "leader\n" {
		t.Errorf("with the key gone: %q", answer)
	}
}
