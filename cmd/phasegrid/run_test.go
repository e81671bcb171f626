package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// asProgram makes the test binary behave as phasegrid, for the processes that commands start.
const asProgram = "PHASEGRID_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// manyShards has a shard for each point with many steps. They diverge at once, which their cost
// does not consider.
const manyShards = `
name: many-shards
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, dimension: 20}
grid:
  optimizer: [gd, {name: momentum, momentum: 0.5}]
  steps: [50, 60, 100000000]
  anisotropy: {linspace: {from: 1, to: 9, num: 9}}
derive:
  learning_rate: "steps > 1000 ? 5 : 0.01"
record: {steps: [0, 1, 3, 50], coefficients: true}
`

// manyShardsPermuted is the same sweep with the keys of its file in another order.
const manyShardsPermuted = `
record: {coefficients: true, steps: [0, 1, 3, 50]}
derive:
  learning_rate: "steps > 1000 ? 5 : 0.01"
grid:
  anisotropy: {linspace: {num: 9, to: 9, from: 1}}
  steps: [50, 60, 100000000]
  optimizer: [gd, {momentum: 0.5, name: momentum}]
fixed: {dimension: 20, init_scale: 0.0123, init: identity, covariance: spiked, model: population}
name: many-shards
`

// parquet reads the files of a set whose bytes are promised to be reproducible.
func parquet(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, table := range []results.Table{results.Points, results.Trajectories, results.Coefficients} {
		names, err := filepath.Glob(filepath.Join(folder, table.String(), "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[table.String()+"/"+filepath.Base(name)] = data
		}
	}
	if len(files) < 2 { // a part and a schema at least
		t.Fatalf("%s has only %d files", folder, len(files))
	}
	return files
}

func sameParquet(t *testing.T, what string, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

func TestSameBytesWhateverSlotsProcessesAndKeyOrder(t *testing.T) {
	t.Setenv(asProgram, "1")
	want := parquet(t, runSweep(t, manyShards, "--slots", "1").Dir())
	sameParquet(t, "two slots, keys permuted", parquet(t, runSweep(t, manyShardsPermuted, "--slots", "2").Dir()), want)
	sameParquet(
		t,
		"two node processes",
		parquet(t, runSweep(t, manyShards, "--nodes", "2", "--slots", "1").Dir()),
		want,
	)
	sameParquet(t, "shards finished in shuffled order", parquet(t, runShuffled(t, manyShards)), want)
}

// TestLocalNodesOfAClustersUser: the node processes of run ignore environment variables that are
// set for the commands of a cluster.
func TestLocalNodesOfAClustersUser(t *testing.T) {
	t.Setenv(asProgram, "1")
	t.Setenv("PHASEGRID_TLS_CERT", "client.crt")
	t.Setenv("PHASEGRID_STATUS_LISTEN", "127.0.0.1:not-a-port")
	runSweep(t, manyShards, "--nodes", "1")
}

func TestRunAsJSON(t *testing.T) {
	out, state, file := t.TempDir(), t.TempDir(), writeSweep(t, manyShards)
	for _, how := range []string{"solved", "finished before"} {
		got := phasegrid(t, "run", file, "--out", out, "--state", state, "-o", "json")
		var view runView
		if err := json.Unmarshal([]byte(got.stdout), &view); err != nil {
			t.Fatalf("%s: %v\n%s", how, err, got.stdout)
		}
		points := int64(0)
		for _, o := range view.Optimizers {
			points += o.Points
		}
		if view.Folder != openOnlySet(t, out).Dir() || points != 54 {
			t.Errorf("%s: %+v", how, view)
		}
	}
}

// TestRunWithoutRowsAsJSON: if every shard is quarantined, the list of optimizers is empty and not
// null.
func TestRunWithoutRowsAsJSON(t *testing.T) {
	if text, err := json.Marshal(viewRun("folder", nil)); err != nil ||
		string(text) != `{"folder":"folder","optimizers":[]}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFileOfAnyName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a\tname\xff.yaml")
	if err := os.WriteFile(file, []byte(manyShards), 0o644); err != nil {
		t.Skip("no such names here:", err)
	}
	if got := phasegrid(t, "run", file, "--out", t.TempDir(), "--state", t.TempDir()); got.code != exitDone {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestLocalNodesLogAsRunDoes(t *testing.T) {
	t.Setenv(asProgram, "1")
	got := phasegrid(
		t,
		"run",
		writeSweep(t, manyShards),
		"--out",
		t.TempDir(),
		"--state",
		t.TempDir(),
		"--nodes",
		"1",
		"--log-format",
		"json",
		"--log-level",
		"debug",
	)
	if got.code != exitDone || !strings.Contains(got.stderr, `"msg":"shard started","node":`) ||
		strings.Contains(got.stderr, "level=") {
		t.Errorf("code %d\n%s", got.code, got.stderr)
	}
}

// shuffler is a solver whose batches end in an order drawn from a fixed seed: each batch waits
// until all shards that can be solved at once have arrived; then they are released one by one.
type shuffler struct {
	atOnce int

	mu      sync.Mutex
	random  *rand.Rand
	waiting []chan struct{}
}

func (s *shuffler) Solve(ctx context.Context, problems []solver.Problem, out []solver.Result) error {
	turn := make(chan struct{})
	s.mu.Lock()
	s.waiting = append(s.waiting, turn)
	if len(s.waiting) == s.atOnce {
		s.releaseOne()
	}
	s.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second): // the last shards are fewer
	}
	err := solver.New().Solve(ctx, problems, out)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 {
		s.releaseOne()
	}
	return err
}

// releaseOne releases a random batch.
func (s *shuffler) releaseOne() {
	i := s.random.IntN(len(s.waiting))
	close(s.waiting[i])
	s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
}

// runShuffled runs a sweep on a coordinator and two nodes whose shards end in shuffled order, and
// returns its set's folder.
func runShuffled(t *testing.T, text string) string {
	t.Helper()
	out := t.TempDir()
	address := startCoordinator(t, out)
	conn, err := node.Dial(address, node.Service, insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	var nodes sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		nodes.Wait()
	})
	s := &shuffler{atOnce: 6, random: rand.New(rand.NewPCG(3, 5))}
	for i := range 2 {
		nodes.Go(func() {
			n := node.New(
				conn,
				node.Config{
					Name:      fmt.Sprint("n", i),
					Slots:     4,
					NewSolver: func() node.Solver { return s },
					Log:       slog.New(slog.DiscardHandler),
				},
			)
			if err := n.Run(ctx); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	got := phasegrid(t, "submit", writeSweep(t, text), "--coordinator", address, "--watch")
	if got.code != exitDone {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	return openOnlySet(t, out).Dir()
}

// startCoordinator runs a coordinator with its ledger in memory until the test ends.
func startCoordinator(t *testing.T, out string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sets, err := store.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	spool, err := store.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := coordinator.New(
		coordinator.Config{Listener: listener, Store: sets, Spool: spool, Ledger: ledger.NewMemory()},
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("coordinator: %v", err)
		}
	})
	return listener.Addr().String()
}

// TestExamplesRun runs every shipped example with its long axes cut to two values, on every kernel.
func TestExamplesRun(t *testing.T) {
	files, err := filepath.Glob("../../sweep/examples/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("examples %v, %v", files, err)
	}
	long := regexp.MustCompile(`num: \d+`)
	replicates := regexp.MustCompile(`(?m)^replicates: \d+$`)
	for _, file := range files {
		t.Run(strings.TrimSuffix(path.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			reduced := long.ReplaceAllString(replicates.ReplaceAllString(string(text), ""), "num: 2")
			spec, err := sweep.Parse(file, []byte(reduced), sweep.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			set := runSweep(t, reduced)
			rows := collect(t, set.Points(t.Context()))
			if points, exact := spec.Count(); !exact || int64(len(rows)) != points {
				t.Errorf("%d rows for %d points", len(rows), points)
			}
			for _, r := range rows {
				if r.Status == results.StatusFailed || r.Status == results.StatusInvalid {
					t.Errorf("point %d is %s: %s", r.Point, r.Status, r.Detail)
				}
			}
			if got := phasegrid(t, "verify", set.Dir()); got.code != exitDone {
				t.Errorf("verify: %s%s", got.stdout, got.stderr)
			}
			sameOnNarrowerKernels(t, reduced, parquet(t, set.Dir()))
		})
	}
}
