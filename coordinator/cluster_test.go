package coordinator_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// testWriter writes logs to the test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// cluster is one coordinator under test, and a connection to it.
type cluster struct {
	t       testing.TB
	conn    *grpc.ClientConn
	sweeps  pb.SweepsClient
	nodes   pb.NodesClient
	address string
	stop    func()
	ended   chan error
}

// start runs a coordinator until the test ends, or stop is called.
func start(t testing.TB, cfg coordinator.Config) *cluster {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = listener
	if testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	}
	c, err := coordinator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cl := &cluster{t: t, address: listener.Addr().String(), ended: make(chan error, 1)}
	go func() { cl.ended <- c.Run(ctx) }()
	cl.conn, err = grpc.NewClient(cl.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"methodConfig":[{"name":[{}],"waitForReady":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	cl.sweeps, cl.nodes = pb.NewSweepsClient(cl.conn), pb.NewNodesClient(cl.conn)
	stopped := false
	cl.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cl.conn.Close()
		cancel()
		if err := <-cl.ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
	t.Cleanup(cl.stop)
	return cl
}

// leading waits until the coordinator leads.
func (c *cluster) leading(ctx context.Context) {
	c.t.Helper()
	for {
		_, err := c.sweeps.List(ctx, &pb.ListRequest{})
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("the coordinator does not lead: %v", err)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another goroutine's progress
	}
}

// seenShards are the shards that a node computed. Read it when the node has ended.
type seenShards struct {
	mu    sync.Mutex
	times map[int64]int // by shard
}

func (s *seenShards) add(shard int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == nil {
		s.times = map[int64]int{}
	}
	s.times[shard]++
}

func (s *seenShards) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

// submit submits a sweep file.
func (c *cluster) submit(ctx context.Context, file string) *pb.SubmitResponse {
	c.t.Helper()
	m, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{File: []byte(file), Filename: "sweep.yaml"})
	if err != nil {
		c.t.Fatalf("Submit = %v", err)
	}
	return m
}

// hashes returns the SHA-256 of the files of a folder, except the id of the store and the shards
// table, which says which node computed what.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (d.Name() == ".owners" || d.Name() == "spool") {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || strings.Contains(name, "shards/part") || strings.HasSuffix(name, "manifest.json") ||
			name == storeID {
			return err
		}
		if strings.Contains(name, ".writing-") {
			t.Errorf("%s was left behind", name)
		}
		data, err := os.ReadFile(path)
		sums[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

const smallSweep = `
name: small
fixed:
  {model: population, covariance: spiked, init: identity, init_scale: 0.01, steps: 2000000,
   dimension: 10, learning_rate: 0.001}
grid:
  optimizer: [gd, specgd]
  anisotropy: {linspace: {from: 1, to: 50, num: 500}}
record: none
`

func TestSweepRuns(t *testing.T) {
	for name, ledger := range map[string]coordinator.Config{
		"memory":   {Ledger: ledger.NewMemory()},
		"embedded": {Embedded: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			var dir string
			ledger.Store, dir = fileStore(t)
			last := testSweepRuns(t, ledger)
			checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
			if left, _ := filepath.Glob(filepath.Join(dir, "spool", "*", "*-*")); len(left) > 1 {
				t.Errorf("%d segments are left in the spool", len(left))
			}
		})
	}
	t.Run("s3", func(t *testing.T) {
		testSweepRuns(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: s3Store(t)})
	})
}

func testSweepRuns(t *testing.T, cfg coordinator.Config) *pb.Sweep {
	c := start(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c.leading(ctx)
	m := c.submit(ctx, smallSweep)
	if !m.GetCreated() || m.GetSweep().GetProgress().GetShards() < 10 {
		t.Fatalf("Submit = %v", m)
	}
	if m := c.submit(ctx, smallSweep); m.GetCreated() {
		t.Error("submitted twice, created twice")
	}
	var seen seenShards
	node := &coordtest.Node{Name: "n1", Computed: seen.add}
	ended := make(chan error, 1)
	nodeCtx, stopNode := context.WithCancel(ctx)
	go func() { ended <- node.Run(nodeCtx, c.conn) }()
	last := c.wait(ctx, m.GetSweep().GetId())
	stopNode()
	<-ended
	if last.GetPhase() != pb.Phase_PHASE_DONE || last.GetProgress().GetPointsDone() != 1000 {
		t.Fatalf("ended as %v", last)
	}
	for shard, n := range seen.times {
		if n != 1 {
			t.Errorf("shard %d computed %d times", shard, n)
		}
	}
	return last
}

// checkSmallSet reads the result set of smallSweep back.
func checkSmallSet(t *testing.T, dir string) {
	set, err := results.OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for row, err := range set.Points(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Point != n || row.Loss != float64(n) {
			t.Fatalf("row %d is point %d with loss %v", n, row.Point, row.Loss)
		}
		n++
	}
	if n != 1000 || set.Manifest() == nil {
		t.Errorf("%d rows, manifest %v", n, set.Manifest())
	}
}
