package coordinator_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestDeposedLeader: a leader whose lease ends in the middle of a sweep, as after a long stop, serves no more; the next
// one goes on, and then the first may lead again.
func TestDeposedLeader(t *testing.T) {
	t.Parallel()
	endpoint := etcdServer(t, nil)
	store, dir := fileStore(t)
	ctx := deadline(t)
	first := start(t, coordinator.Config{Name: "first", Etcd: coordinator.Etcd{Endpoints: []string{endpoint}}, Store: store})
	first.leading(ctx)
	second := start(t, coordinator.Config{Name: "second", Etcd: coordinator.Etcd{Endpoints: []string{endpoint}}, Store: store})
	id := first.submit(ctx, smallSweep).GetSweep().GetId()
	node := &zeroNode{name: "n1", seen: map[int64]int{}}
	ended := make(chan error, 1)
	go func() { ended <- node.run(ctx, first.nodes) }()
	first.expect(ctx, id, "some shards", func(s *pb.Sweep) bool { return s.GetProgress().GetShardsDone() >= 3 })

	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	leader, err := client.Get(ctx, "/phasegrid/v1/leader/", clientv3.WithFirstCreate()...)
	if err != nil || len(leader.Kvs) != 1 || string(leader.Kvs[0].Value) != first.address {
		t.Fatalf("the leader's key is %v, %v", leader, err)
	}
	if _, err := client.Revoke(ctx, clientv3.LeaseID(leader.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	second.leading(ctx)
	if err := <-ended; status.Code(err) != codes.Unavailable {
		t.Errorf("the deposed leader's node hears %v, want UNAVAILABLE", err)
	}
	defer second.serve(ctx, &zeroNode{name: "n2"})()
	last := second.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
	second.stop()
	first.leading(ctx)
	checkHealth(ctx, t, first.conn, "phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_SERVING)
}

// TestLostEtcd: without etcd nothing is acknowledged and everyone is told; when it is back, everything goes on.
func TestLostEtcd(t *testing.T) {
	t.Parallel()
	cfg := etcdConfig(t)
	server := startEtcd(t, cfg)
	store, dir := fileStore(t)
	ctx := deadline(t)
	c := start(t, coordinator.Config{Etcd: coordinator.Etcd{Endpoints: []string{cfg.ListenClientUrls[0].String()}}, Store: store})
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	node := &zeroNode{name: "n", seen: map[int64]int{}}
	ended := make(chan error, 1)
	go func() { ended <- node.run(ctx, c.nodes) }()
	c.expect(ctx, id, "some shards", func(s *pb.Sweep) bool { return s.GetProgress().GetShardsDone() >= 3 })
	server.Close()
	if err := <-ended; err == nil {
		t.Error("the node's stream ended without an error")
	}
	conn, err := grpc.NewClient(c.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for {
		_, err := pb.NewSweepsClient(conn).List(ctx, &pb.ListRequest{}, grpc.WaitForReady(true))
		if status.Code(err) == codes.Unavailable && strings.Contains(err.Error(), "etcd") {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("without etcd List = %v", err)
		}
		time.Sleep(50 * time.Millisecond) // a poll of another goroutine's progress
	}
	checkHealth(ctx, t, conn, "phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_NOT_SERVING)
	checkHealth(ctx, t, conn, "", healthpb.HealthCheckResponse_SERVING)

	server = startEtcd(t, cfg)
	defer server.Close()
	defer c.stop() // while etcd is there
	c.leading(ctx)
	seen := len(node.seen)
	again := &zeroNode{name: "n", seen: map[int64]int{}}
	defer c.serve(ctx, again)()
	last := c.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
	if computed := seen + len(again.seen); computed > int(last.GetProgress().GetShards())+1 {
		t.Errorf("%d shards were computed for %d", computed, last.GetProgress().GetShards())
	}
	if a := last.GetProgress().GetAlarms(); len(a) != 0 {
		t.Errorf("alarms after etcd is back: %v", a)
	}
}
