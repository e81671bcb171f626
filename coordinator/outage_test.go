package coordinator_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestFormerLeader: a leader whose session ends during a sweep, as after a long suspension, stops
// serving; the next one continues, and later the first may lead again.
func TestFormerLeader(t *testing.T) {
	t.Parallel()
	endpoint := etcdServer(t, nil)
	store, dir := fileStore(t)
	ctx := deadline(t)
	registry := prometheus.NewRegistry()
	first := start(
		t,
		coordinator.Config{
			Name:     "first",
			Etcd:     ledger.Etcd{Endpoints: []string{endpoint}},
			Store:    store,
			Registry: registry,
		},
	)
	first.leading(ctx)
	second := start(
		t,
		coordinator.Config{Name: "second", Etcd: ledger.Etcd{Endpoints: []string{endpoint}}, Store: store},
	)
	id := first.submit(ctx, smallSweep).GetSweep().GetId()
	node := &coordtest.Node{Name: "n1"}
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx, first.conn) }()
	first.expect(ctx, id, "some shards", func(s *pb.Sweep) bool { return s.GetProgress().GetShardsDone() >= 3 })

	endTerm(ctx, t, endpoint, first)
	second.leading(ctx)
	if err := <-ended; status.Code(err) != codes.Unavailable {
		t.Errorf("the former leader's node hears %v, want UNAVAILABLE", err)
	}
	for metricSum(t, registry, "phasegrid_leader") != 0 {
		time.Sleep(time.Millisecond) // a poll of another goroutine's progress
	}
	for _, gauge := range []string{"phasegrid_nodes", "phasegrid_nodes_fenced", "phasegrid_shards"} {
		if v := metricSum(t, registry, gauge); v != 0 {
			t.Errorf("the former leader still shows %s %v", gauge, v)
		}
	}
	if n := metricSum(t, registry, "phasegrid_lease_renew_failures_total"); n != 1 {
		t.Errorf("%v lost leases are counted", n)
	}
	defer second.serve(ctx, &coordtest.Node{Name: "n2"})()
	last := second.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
	second.stop()
	first.leading(ctx)
	checkHealth(ctx, t, first.conn, "phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_SERVING)
}

// metricSum is the sum of the series of a metric.
func metricSum(t *testing.T, registry *prometheus.Registry, name string) (total float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				total += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return total
}

// endTerm ends the session of a leader, as a long suspension does.
func endTerm(ctx context.Context, t *testing.T, endpoint string, c *cluster) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	leader, err := client.Get(ctx, "/phasegrid/v1/leader/", clientv3.WithFirstCreate()...)
	if err != nil || len(leader.Kvs) != 1 || string(leader.Kvs[0].Value) != c.address {
		t.Fatalf("the leader's key is %v, %v", leader, err)
	}
	if _, err := client.Revoke(ctx, clientv3.LeaseID(leader.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
}

// TestFollowerForgetsAnAlarm: once etcd is back, a follower clears its alarm as well as the leader.
func TestFollowerForgetsAnAlarm(t *testing.T) {
	t.Parallel()
	cfg := etcdConfig(t)
	server := startEtcd(t, cfg)
	way := newRelay(t, cfg)
	store, _ := fileStore(t)
	ctx := deadline(t)
	var probes []string
	for _, name := range []string{"first", "second"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		probes = append(probes, "http://"+listener.Addr().String()+"/readyz")
		c := start(t, coordinator.Config{Name: name, StatusListener: listener, Store: store, Etcd: etcdThrough(way)})
		defer c.stop() // etcd is gone by then: who leads and who follows both end nevertheless
	}
	// role is the first line of an answer, alarms are the others.
	await := func(what string, met func(answers []string) bool) {
		t.Helper()
		for {
			var answers []string
			for _, url := range probes {
				answers = append(answers, get(ctx, t, url))
			}
			if met(answers) {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("%s: %q", what, answers)
			}
			time.Sleep(20 * time.Millisecond) // a poll of another goroutine's progress
		}
	}
	quiet := func(answers []string) bool {
		slices.Sort(answers)
		return slices.Equal(answers, []string{"follower\n", "leader\n"})
	}
	await("one leads, one follows", quiet)
	way.Disturb(coordtest.Disturbance{Cut: true})
	server.Close()
	await("both tell that etcd is away", func(answers []string) bool {
		return !slices.ContainsFunc(answers, func(a string) bool { return !strings.HasPrefix(a, "follower\netcd: ") })
	})
	server = startEtcd(t, cfg)
	defer server.Close()
	way.Disturb(coordtest.Disturbance{})
	defer way.Disturb(coordtest.Disturbance{Cut: true})
	await("one leads, one follows, no alarm is left", quiet)
}

// get returns the body at url.
func get(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// alarmsIn returns the alarms in an error.
func alarmsIn(err error) (alarms []*errdetails.PreconditionFailure_Violation) {
	for _, detail := range status.Convert(err).Details() {
		if m, ok := detail.(*errdetails.PreconditionFailure); ok {
			alarms = append(alarms, m.GetViolations()...)
		}
	}
	return alarms
}

// TestLostEtcd: without etcd nothing is acknowledged and clients are told; when it is back,
// everything continues.
func TestLostEtcd(t *testing.T) {
	t.Parallel()
	cfg := etcdConfig(t)
	server := startEtcd(t, cfg)
	store, dir := fileStore(t)
	ctx := deadline(t)
	way := newRelay(t, cfg)
	c := start(t, coordinator.Config{Etcd: etcdThrough(way), Store: store})
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	var before, after seenShards
	node := &coordtest.Node{Name: "n", Computed: before.add}
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx, c.conn) }()
	c.expect(ctx, id, "some shards", func(s *pb.Sweep) bool { return s.GetProgress().GetShardsDone() >= 3 })
	way.Disturb(coordtest.Disturbance{Cut: true})
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
		if status.Code(err) == codes.Unavailable && strings.Contains(err.Error(), "etcd") && len(alarmsIn(err)) > 0 {
			if a := alarmsIn(err)[0]; a.GetType() != "ALARM" || a.GetSubject() != "etcd" || a.GetDescription() == "" {
				t.Errorf("the alarm in the error is %v", a)
			}
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
	way.Disturb(coordtest.Disturbance{})
	defer c.stop() // while etcd is there
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n", Computed: after.add})()
	last := c.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
	if computed := before.count() + after.count(); computed > int(last.GetProgress().GetShards())+1 {
		t.Errorf("%d shards were computed for %d", computed, last.GetProgress().GetShards())
	}
	if a := last.GetProgress().GetAlarms(); len(a) != 0 {
		t.Errorf("alarms after etcd is back: %v", a)
	}
}
