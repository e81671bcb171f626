package coordinator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// serve runs a node until stop is called.
func (c *cluster) serve(ctx context.Context, node *coordtest.Node) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx, c.conn) }()
	return func() {
		cancel()
		<-ended
	}
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// expect watches a sweep until ok returns true.
func (c *cluster) expect(ctx context.Context, id, what string, ok func(*pb.Sweep) bool) *pb.Sweep {
	c.t.Helper()
	stream, err := c.sweeps.Watch(ctx, &pb.WatchRequest{Sweep: id})
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(m.GetSweep()) {
			return m.GetSweep()
		}
	}
}

func TestCancelPauseResume(t *testing.T) {
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	stream, err := c.nodes.Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hello := &pb.Hello{Info: (&coordtest.Node{Name: "slow"}).Info(), Capacity: 4}
	if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: hello}}); err != nil {
		t.Fatal(err)
	}
	run := awaitGrant(t, stream)
	if _, err := c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id[:8]}); err != nil {
		t.Fatal(err)
	}
	header, payload, err := (&coordtest.Node{Name: "slow"}).Solve(ctx, c.nodes, run, 0)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := coordtest.Deliver(ctx, c.nodes, header, payload); err != nil ||
		o != pb.DeliverResponse_OUTCOME_COMMITTED {
		t.Errorf("delivery to a paused sweep: %v, %v", o, err)
	}
	if m, err := c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: "small"}); err != nil ||
		m.GetSweep().GetProgress().GetShardsLeased() != 0 {
		t.Errorf("Cancel = %v, %v", m, err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetRevoke() != nil {
			break
		}
	}
	header, payload, err = (&coordtest.Node{Name: "slow"}).Solve(ctx, c.nodes, run, 1)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := coordtest.Deliver(ctx, c.nodes, header, payload); err != nil ||
		o != pb.DeliverResponse_OUTCOME_UNWANTED {
		t.Errorf("delivery to a cancelled sweep: %v, %v", o, err)
	}
	if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{}}}); err != nil {
		t.Fatal(err)
	}
	if m := c.submit(ctx, smallSweep); m.GetCreated() || m.GetSweep().GetPhase() != pb.Phase_PHASE_RUNNING ||
		m.GetSweep().GetProgress().GetShardsDone() != 1 {
		t.Errorf("submitting a cancelled sweep: %v", m)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	last := c.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))

	if _, err := c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("Pause of a done sweep = %v", err)
	}
	if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if _, err := c.sweeps.Get(ctx, &pb.GetRequest{Sweep: id}); status.Code(err) != codes.NotFound {
		t.Errorf("Get of a deleted sweep = %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, last.GetResultSet())); !os.IsNotExist(err) {
		t.Errorf("the result set of a deleted sweep is there: %v", err)
	}
}

func awaitGrant(t *testing.T, stream pb.Nodes_AttachClient) *pb.ShardRun {
	t.Helper()
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if runs := m.GetGrant().GetRuns(); len(runs) > 0 {
			return runs[0]
		}
	}
}

// TestQuarantine: a shard that kills three nodes is left out; retry writes its part again, with the
// same result as an undisturbed run.
func TestQuarantine(t *testing.T) {
	ctx := deadline(t)
	calm, calmDir := fileStore(t)
	undisturbed := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: calm})
	undisturbed.leading(ctx)
	stopNode := undisturbed.serve(ctx, &coordtest.Node{Name: "n"})
	undisturbed.wait(ctx, undisturbed.submit(ctx, smallSweep).GetSweep().GetId())
	stopNode()

	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Embedded: t.TempDir(), Store: store, ReconnectGrace: 50 * time.Millisecond})
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	c.quarantine(ctx, t, id)
	stop := c.serve(ctx, &coordtest.Node{Name: "healthy"})
	last := c.wait(ctx, id)
	stop()
	if p := last.GetProgress(); last.GetPhase() != pb.Phase_PHASE_DONE || p.GetShardsQuarantined() != 1 ||
		p.GetShardsDone() != p.GetShards()-1 {
		t.Fatalf("ended as %v", last)
	}
	set := filepath.Join(dir, last.GetResultSet())
	if m := readManifest(t, set); len(m.Missing) != 1 || m.Missing[0].First != 0 {
		t.Errorf("the manifest says that %v is missing", m.Missing)
	}
	m, err := c.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id})
	if err != nil || m.GetShards() != 1 {
		t.Fatalf("Retry = %v, %v", m, err)
	}
	defer c.serve(ctx, &coordtest.Node{Name: "healthy"})()
	last = c.wait(ctx, id)
	if p := last.GetProgress(); p.GetShardsQuarantined() != 0 || len(p.GetAlarms()) != 0 {
		t.Errorf("after retry: %v", last)
	}
	checkSmallSet(t, set)
	got, want := hashes(t, dir), hashes(t, calmDir)
	for name := range want {
		if !strings.HasPrefix(name, "spool") && got[name] != want[name] {
			t.Errorf("%s differs from the undisturbed run's", name)
		}
	}
}

// quarantine has three nodes die with the first shard of a sweep.
func (c *cluster) quarantine(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	for _, name := range []string{"victim-1", "victim-2", "victim-3"} {
		stream, err := c.nodes.Attach(ctx)
		if err != nil {
			t.Fatal(err)
		}
		info := (&coordtest.Node{Name: name}).Info()
		info.Slots = 1
		hello := &pb.Hello{Info: info, Capacity: 1}
		if err := stream.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: hello}}); err != nil {
			t.Fatal(err)
		}
		if run := awaitGrant(t, stream); run.GetFirstShard() != 0 {
			t.Fatalf("granted %v, want shard 0", run)
		}
		if err := stream.CloseSend(); err != nil { // the stream ends without a goodbye
			t.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		c.expect(ctx, id, "the loss", func(s *pb.Sweep) bool {
			l := s.GetProgress().GetLosses()
			return len(l) == 1 && l[0].GetCauses()[len(l[0].GetCauses())-1].GetNode() == name
		})
	}
}

func readManifest(t *testing.T, set string) results.Manifest {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(set, results.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var m results.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReopen: the next submit of a done sweep finds files that are missing, cut short or foreign.
func TestReopen(t *testing.T) {
	store, dir := fileStore(t)
	state := t.TempDir()
	ctx := deadline(t)
	c := start(t, coordinator.Config{Embedded: state, Store: store})
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	set := filepath.Join(dir, c.wait(ctx, id).GetResultSet())
	want := hashes(t, set)
	for name, harm := range map[string]func() error{
		"manifest":  func() error { return os.Remove(filepath.Join(set, results.ManifestName)) },
		"part":      func() error { return os.Remove(filepath.Join(set, "points", "part-000000.parquet")) },
		"log":       func() error { return os.Remove(filepath.Join(set, "shards", "part-000000.parquet")) },
		"cut short": func() error { return os.Truncate(filepath.Join(set, "points", "part-000000.parquet"), 100) },
		"foreign": func() error {
			return os.WriteFile(filepath.Join(set, "shards", "part-000000.parquet"), []byte("something else"), 0o644)
		},
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		m := c.submit(ctx, smallSweep)
		if m.GetCreated() {
			t.Errorf("%s: created again", name)
		}
		last := c.wait(ctx, id)
		if last.GetProgress().GetPointsDone() != 1000 {
			t.Errorf("%s: %d points", name, last.GetProgress().GetPointsDone())
		}
		checkSmallSet(t, set)
		for file, sum := range hashes(t, set) {
			if sum != want[file] {
				t.Errorf("%s: %s differs", name, file)
			}
		}
	}
	if m := c.submit(ctx, smallSweep); m.GetSweep().GetPhase() != pb.Phase_PHASE_DONE {
		t.Errorf("a complete sweep is %v after submit", m.GetSweep().GetPhase())
	}
}

// partsTakenBack is a done sweep whose leader died while it reopened parts, after it had deleted
// their keys. There is no leader.
func partsTakenBack(ctx context.Context, t *testing.T) (cfg coordinator.Config, id, set string) {
	t.Helper()
	store, dir := fileStore(t)
	memory := ledger.NewMemory()
	cfg = coordinator.Config{Ledger: memory, Store: store}
	c := start(t, cfg)
	c.leading(ctx)
	stopNode := c.serve(ctx, &coordtest.Node{Name: "n"})
	id = c.submit(ctx, smallSweep).GetSweep().GetId()
	set = filepath.Join(dir, c.wait(ctx, id).GetResultSet())
	stopNode()
	c.stop()
	leadership := campaign(ctx, t, memory, "between")
	commit(ctx, t, leadership, ledger.Write{Key: "/phasegrid/v1/sweeps/" + id + "/parts/", Delete: true, Prefix: true})
	if err := leadership.Resign(ctx); err != nil {
		t.Fatal(err)
	}
	return cfg, id, set
}

// TestReopenDiedHalfWay: a leader died while it reopened parts of a done sweep, after it had
// deleted some keys. The files of those parts are gone too.
func TestReopenDiedHalfWay(t *testing.T) {
	ctx := deadline(t)
	cfg, id, set := partsTakenBack(ctx, t)
	want := hashes(t, set)
	if err := os.Remove(filepath.Join(set, "points", "part-000000.parquet")); err != nil {
		t.Fatal(err)
	}
	c := start(t, cfg)
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	c.submit(ctx, smallSweep)
	if last := c.wait(ctx, id); last.GetPhase() != pb.Phase_PHASE_DONE || last.GetProgress().GetPointsDone() != 1000 {
		t.Errorf("ended as %v", last)
	}
	checkSmallSet(t, set)
	if got := hashes(t, set); !maps.Equal(got, want) {
		t.Errorf("the files are %v, want %v", got, want)
	}
}

// TestFailover: of two coordinators on one etcd, the second continues where the first ended, and no
// acknowledged shard is lost.
func TestFailover(t *testing.T) {
	endpoint := etcdServer(t, nil)
	store, dir := fileStore(t)
	ctx := deadline(t)
	first := start(
		t,
		coordinator.Config{Name: "first", Etcd: ledger.Etcd{Endpoints: []string{endpoint}}, Store: store},
	)
	first.leading(ctx)
	second := start(
		t,
		coordinator.Config{Name: "second", Etcd: ledger.Etcd{Endpoints: []string{endpoint}}, Store: store},
	)

	noRetry, err := grpc.NewClient(second.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer noRetry.Close()
	_, err = pb.NewSweepsClient(noRetry).List(ctx, &pb.ListRequest{}, grpc.WaitForReady(true))
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), first.address) {
		t.Errorf("a follower answers %v, want UNAVAILABLE and %s", err, first.address)
	}
	checkHealth(ctx, t, first.conn, "phasegrid.v1.Nodes", healthpb.HealthCheckResponse_SERVING)
	checkHealth(ctx, t, second.conn, "phasegrid.v1.Nodes", healthpb.HealthCheckResponse_NOT_SERVING)
	checkHealth(ctx, t, second.conn, "", healthpb.HealthCheckResponse_SERVING)

	id := first.submit(ctx, smallSweep).GetSweep().GetId()
	node := &coordtest.Node{Name: "n1"}
	stop := first.serve(ctx, node)
	first.expect(ctx, id, "some shards", func(s *pb.Sweep) bool { return s.GetProgress().GetShardsDone() >= 5 })
	stop()
	first.stop()
	second.leading(ctx)
	defer second.serve(ctx, &coordtest.Node{Name: "n2"})()
	last := second.wait(ctx, id)
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
	checkHealth(ctx, t, second.conn, "phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_SERVING)
}

func checkHealth(
	ctx context.Context,
	t *testing.T,
	conn *grpc.ClientConn,
	service string,
	want healthpb.HealthCheckResponse_ServingStatus,
) {
	t.Helper()
	m, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil || m.GetStatus() != want {
		t.Errorf("health of %q = %v, %v; want %v", service, m.GetStatus(), err, want)
	}
}

func TestStatusPort(t *testing.T) {
	store, _ := fileStore(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store, StatusListener: listener})
	ctx := deadline(t)
	c.leading(ctx)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "leader", "/metrics": "phasegrid_leader 1"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s = %d %q, %v", path, response.StatusCode, body, err)
		}
	}
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	checkHealth(ctx, t, conn, "", healthpb.HealthCheckResponse_SERVING)
	checkHealth(ctx, t, conn, "live", healthpb.HealthCheckResponse_SERVING)
	checkHealth(ctx, t, conn, "phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_SERVING)
}

func TestPlainTextOnlyOnLoopback(t *testing.T) {
	store, _ := fileStore(t)
	c, err := coordinator.New(coordinator.Config{Ledger: ledger.NewMemory(), Store: store, Address: "0.0.0.0:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("Run on all addresses in plain text = %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	store, _ := fileStore(t)
	for name, cfg := range map[string]coordinator.Config{
		"no store":    {Ledger: ledger.NewMemory()},
		"no ledger":   {Store: store},
		"two ledgers": {Store: store, Ledger: ledger.NewMemory(), Embedded: "x"},
	} {
		if _, err := coordinator.New(cfg); err == nil || !strings.Contains(err.Error(), "configure coordinator") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	_, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{File: []byte("name: x\ngird: {}\n"), Filename: "bad.yaml"})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "bad.yaml:2:1") ||
		len(status.Convert(err).Details()) == 0 {
		t.Errorf("Submit of a bad file = %v", err)
	}
	for name, call := range map[string]func() error{
		"weight":  func() error { _, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{Weight: -1}); return err },
		"no name": func() error { _, err := c.sweeps.Get(ctx, &pb.GetRequest{}); return err },
		"plan":    func() error { _, err := c.sweeps.Plan(ctx, &pb.PlanRequest{File: []byte("{")}); return err },
	} {
		if err := call(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m, err := c.sweeps.Plan(ctx, &pb.PlanRequest{File: []byte(smallSweep)}); err != nil || m.GetPoints() != 1000 ||
		m.GetShards() < 10 {
		t.Errorf("Plan = %v, %v", m, err)
	}
}

// TestListInPages: every sweep is listed once, the newest first, without its spec.
func TestListInPages(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	var want, got []string
	for i := range 5 {
		want = append(want, c.submit(ctx, fmt.Sprintf("%sreplicates: %d\n", smallSweep, i+1)).GetSweep().GetId())
	}
	slices.Reverse(want)
	for page, pages := "", 1; ; pages++ {
		answer, err := c.sweeps.List(ctx, &pb.ListRequest{PageSize: 2, PageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range answer.GetSweeps() {
			got = append(got, s.GetId())
			if s.GetSpec().GetName() != "small" || s.GetSpec().GetCanonical() != nil {
				t.Errorf("the spec of a sweep in the list is %v", s.GetSpec())
			}
		}
		if page = answer.GetNextPageToken(); page == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}
