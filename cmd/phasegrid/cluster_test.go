package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/node"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// background runs a command line until the test ends. It must exit with 0.
func background(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan outcomeOf, 1)
	go func() { done <- phasegridWith(ctx, nil, nil, args...) }()
	t.Cleanup(func() {
		cancel()
		if got := <-done; got.code != exitDone {
			t.Errorf("%s: exit code %d\n%s", args[0], got.code, got.stderr)
		} else if args[0] == "coordinator" && (!strings.Contains(got.stderr, "coordinator stopped") ||
			strings.Contains(got.stderr, "became leader") && !strings.Contains(got.stderr, "lost leadership")) {
			t.Errorf("the log does not have the end of the coordinator:\n%s", got.stderr)
		}
	})
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestClusterCommands runs every client command against a cluster, in the order of a sweep's life.
func TestClusterCommands(t *testing.T) {
	address, store := freeAddress(t), t.TempDir()
	background(
		t,
		"coordinator",
		"--listen",
		address,
		"--embedded-etcd",
		t.TempDir(),
		"--store",
		"file://"+store,
		"--status-listen",
		freeAddress(t),
	)
	// do runs a client command against the cluster. It must exit with 0.
	do := func(args ...string) outcomeOf {
		t.Helper()
		got := phasegrid(t, append(args, "--coordinator", address)...)
		if got.code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
		return got
	}
	awaitLeader(t, address)
	file := writeSweep(t, manyShards)
	if got := do("submit", file); !strings.Contains(got.stdout, "submitted") {
		t.Errorf("submit: %s", got.stdout)
	}
	if got := do("submit", file); !strings.Contains(got.stdout, "already submitted; ") {
		t.Errorf("submitted twice: %s", got.stdout)
	}
	if got := do("submit", file, "--priority", "5"); !strings.Contains(got.stderr, "keeps priority 0") {
		t.Errorf("submitted with another priority: %s", got.stderr)
	}
	if got := do("status", "many-shards"); !strings.Contains(got.stdout, "no node is connected") {
		t.Errorf("status without nodes: %s", got.stdout)
	}
	if got := do("pause", "many-shards"); !strings.Contains(got.stdout, "paused") {
		t.Errorf("pause: %s", got.stdout)
	}
	do("resume", "many-shards")
	if got := do("cancel", "many-shards"); !strings.Contains(got.stdout, "cancelled") {
		t.Errorf("cancel: %s", got.stdout)
	}
	if got := do("fetch", "many-shards", "--out", t.TempDir()); !strings.Contains(
		got.stderr,
		"incomplete: 0 of ",
	) ||
		!strings.Contains(got.stderr, "cancelled") {
		t.Errorf("fetch a cancelled sweep: %s", got.stderr)
	}
	if got := phasegrid(t, "watch", "many-shards", "--coordinator", address); got.code != exitFailed ||
		!strings.Contains(got.stderr, "submit it again") {
		t.Errorf("watch a cancelled sweep: code %d, %s", got.code, got.stderr)
	}
	if got := phasegrid(t, "retry", "many-shards", "--coordinator", address); got.code != exitFailed ||
		!strings.Contains(got.stderr, "submit it again") {
		t.Errorf("retry a cancelled sweep: code %d, %s", got.code, got.stderr)
	}
	if got := do("submit", file); !strings.Contains(got.stdout, "already submitted; running") {
		t.Errorf("submit a cancelled sweep: %s", got.stdout)
	}
	background(t, "node", "--coordinator", address, "--slots", "1", "--name", "worker")
	if got := do("submit", file, "--watch"); !strings.Contains(got.stdout, "done") {
		t.Errorf("submit --watch: %s", got.stdout)
	}
	var listed []client.Sweep
	if err := json.Unmarshal([]byte(do("ls", "-o", "json").stdout), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed) != 1 || listed[0].Phase != "done" || listed[0].Progress.PointsDone != 54 {
		t.Errorf("ls: %+v", listed)
	}
	for _, args := range [][]string{
		{"submit", file, "--watch"}, {"watch", "many-shards"}, {"retry", "many-shards", "--watch"},
	} {
		var watched client.Sweep
		if err := json.Unmarshal([]byte(do(append(args, "-o", "json")...).stdout), &watched); err != nil ||
			watched.ID != listed[0].ID {
			t.Errorf("%v -o json: %+v, %v", args, watched, err)
		}
	}
	var retried retryView
	if err := json.Unmarshal([]byte(do("retry", "many-shards", "-o", "json").stdout), &retried); err != nil ||
		retried.Sweep.ID != listed[0].ID {
		t.Errorf("retry -o json: %+v, %v", retried, err)
	}
	var got fetchView
	fetchedJSON := do("fetch", "many-shards", "--out", t.TempDir(), "-o", "json").stdout
	if err := json.Unmarshal([]byte(fetchedJSON), &got); err != nil ||
		filepath.Base(got.Folder) != listed[0].ResultSet ||
		got.Files == 0 {
		t.Errorf("fetch -o json: %+v, %v", got, err)
	}
	if got := do("retry", "many-shards"); !strings.Contains(got.stdout, "0 shards") {
		t.Errorf("retry: %s", got.stdout)
	}
	out := t.TempDir()
	fetched := do("fetch", listed[0].ID[:8], "--out", out)
	if lines := strings.Split(strings.TrimSpace(fetched.stderr), "\n"); !strings.HasPrefix(
		lines[len(lines)-1],
		"manifest.json ",
	) {
		t.Errorf("fetch: the manifest is not the last file\n%s", fetched.stderr)
	}
	folder := strings.TrimSpace(fetched.stdout)
	if got := phasegrid(t, "verify", folder); got.code != exitDone {
		t.Errorf("verify what was fetched: %s%s", got.stdout, got.stderr)
	}
	sameParquet(t, "fetched", parquet(t, folder), parquet(t, filepath.Join(store, listed[0].ResultSet)))
	testFetchResumes(t, folder, address)
	testFetchRemovesUnfinished(t, folder, address)
	var removed removedView
	if err := json.Unmarshal([]byte(do("rm", "many-shards", "-o", "json").stdout), &removed); err != nil ||
		removed.ID != listed[0].ID {
		t.Errorf("rm -o json: %+v, %v", removed, err)
	}
	if got := phasegrid(t, "status", "many-shards", "--coordinator", address); got.code != exitFailed ||
		!strings.Contains(got.stderr, "ls") {
		t.Errorf("status of a removed sweep: code %d, %s", got.code, got.stderr)
	}
	bad := writeSweep(t, "name: x\nfixed: {modell: a}\n")
	if got := phasegrid(t, "submit", bad, "--coordinator", address); got.code != exitUsage ||
		!strings.Contains(got.stderr, ":2:") {
		t.Errorf("submit a bad file: code %d, %s", got.code, got.stderr)
	}
}

// TestCommandsWaitForACoordinator: a command that finds no coordinator reports that, and continues
// once there is one.
func TestCommandsWaitForACoordinator(t *testing.T) {
	for _, args := range [][]string{{"ls"}, {"watch", "nothing"}} {
		t.Run(args[0], func(t *testing.T) {
			address := freeAddress(t)
			said, stderr := io.Pipe()
			code := make(chan int, 1)
			go func() {
				m := Main{Args: append(args, "--coordinator", address), Stdout: io.Discard, Stderr: stderr}
				code <- m.Run(t.Context())
				stderr.Close()
			}()
			lines := bufio.NewScanner(said)
			if !lines.Scan() || !strings.Contains(lines.Text(), "waiting for a coordinator at "+address) ||
				!strings.Contains(lines.Text(), "refused") {
				t.Fatalf("%v says %q", args, lines.Text())
			}
			background(
				t,
				"coordinator",
				"--listen",
				address,
				"--embedded-etcd",
				t.TempDir(),
				"--store",
				"file://"+t.TempDir(),
				"--status-listen",
				"",
			)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "no such sweep") != (args[0] == "watch") {
					t.Errorf("%v says %q", args, lines.Text())
				}
			}
			if got := <-code; (got == exitDone) != (args[0] == "ls") {
				t.Errorf("%v: exit code %d", args, got)
			}
		})
	}
}

// testFetchResumes: the unfinished file of an interrupted fetch is resumed, unless it is of another
// file.
func testFetchResumes(t *testing.T, folder, address string) {
	t.Helper()
	part := filepath.Join(folder, "points", "part-000000.parquet")
	left := filepath.Join(filepath.Dir(part), ".part-000000.parquet.fetching")
	whole, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	half := whole[:len(whole)/2]
	wrong := append([]byte("X"), half[1:]...)
	for _, c := range []struct {
		left []byte
		code int
	}{{half, exitDone}, {wrong, exitFailed}, {nil, exitDone}, {append(whole, 0), exitFailed}} {
		if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if c.left != nil {
			if err := os.WriteFile(left, c.left, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got := phasegrid(t, "fetch", "many-shards", "--out", filepath.Dir(folder), "--coordinator", address)
		if got.code != c.code {
			t.Errorf("fetch after %d bytes: exit code %d, %s", len(c.left), got.code, got.stderr)
		}
		if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", left, err)
		}
		if got, err := os.ReadFile(part); c.code == exitDone && (err != nil || !bytes.Equal(got, whole)) {
			t.Errorf("fetched other bytes: %v", err)
		}
	}
}

// TestStatusNamesFencedNodes: status shows fenced nodes with the reason.
func TestStatusNamesFencedNodes(t *testing.T) {
	address := freeAddress(t)
	background(
		t,
		"coordinator",
		"--listen",
		address,
		"--embedded-etcd",
		t.TempDir(),
		"--store",
		"file://"+t.TempDir(),
		"--status-listen",
		"",
	)
	awaitLeader(t, address)
	if got := phasegrid(t, "submit", writeSweep(t, manyShards), "--coordinator", address); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	var view client.Sweep
	status := phasegrid(t, "status", "many-shards", "-o", "json", "--coordinator", address)
	if err := json.Unmarshal([]byte(status.stdout), &view); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	nodes := pb.NewNodesClient(conn)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	identity := currentVersion().Solver
	own := &pb.SolverIdentity{Name: identity.Name, Version: identity.Version}
	life, err := nodes.Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := life.Send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: &pb.NodeInfo{
		Name: "clumsy", Slots: 1, Solver: own, ArithmeticClass: "test"}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := life.Recv(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		delivery, err := nodes.Deliver(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := delivery.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: &pb.DeliverHeader{
			SweepId: view.ID, Node: "clumsy", Solver: own, ArithmeticClass: "test"}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := delivery.CloseAndRecv(); err == nil {
			t.Fatal("an empty delivery was taken")
		}
	}
	if got := phasegrid(t, "status", "many-shards", "--coordinator", address); !strings.Contains(
		got.stdout,
		"node clumsy",
	) ||
		!strings.Contains(got.stdout, "is fenced") {
		t.Errorf("status: %s%s", got.stdout, got.stderr)
	}
}

// awaitLeader waits until a coordinator leads.
func awaitLeader(t *testing.T, address string, flags ...string) {
	t.Helper()
	for range 300 {
		if phasegrid(t, append([]string{"ls", "--coordinator", address}, flags...)...).code == exitDone {
			return
		}
		_ = gax.Sleep(t.Context(), 20e6)
	}
	t.Fatal("no coordinator leads")
}

// testFetchRemovesUnfinished: fetch removes the unfinished files of interrupted fetches, and keeps
// those that another fetch is writing.
func testFetchRemovesUnfinished(t *testing.T, folder, address string) {
	t.Helper()
	fetch := func() outcomeOf {
		return phasegrid(t, "fetch", "many-shards", "--out", filepath.Dir(folder), "--coordinator", address)
	}
	complete := func() {
		t.Helper()
		if got := fetch(); got.code != exitDone {
			t.Fatalf("fetch: exit code %d, %s", got.code, got.stderr)
		}
	}
	complete()
	points := filepath.Join(folder, "points")
	left := []string{
		filepath.Join(points, ".part-000000.parquet.fetching"),
		filepath.Join(points, ".part-999999.parquet.fetching"),
	}
	for _, name := range left {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	used := lockedFile(t, filepath.Join(points, ".part-000001.parquet.fetching"))
	defer os.Remove(used.Name())
	defer used.Close()
	complete()
	for _, name := range left {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", name, err)
		}
	}
	if _, err := os.Stat(used.Name()); err != nil {
		t.Error("the file that another fetch is writing was removed")
	}
	part := filepath.Join(points, "part-000000.parquet")
	if err := os.Remove(part); err != nil {
		t.Fatal(err)
	}
	busy := lockedFile(t, left[0])
	if got := fetch(); got.code != exitFailed || !strings.Contains(got.stderr, "another fetch") {
		t.Errorf("fetch of a file that another fetch is writing: exit code %d, %s", got.code, got.stderr)
	}
	busy.Close()
	complete() // the lock ended with that fetch
}

// lockedFile creates a file with the lock of a fetch.
func lockedFile(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLeaderlessCluster: without a leader, clients print the reasons of the candidates.
func TestLeaderlessCluster(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	background(
		t,
		"coordinator",
		"--listen",
		address,
		"--etcd",
		"http://"+freeAddress(t),
		"--store",
		"file://"+t.TempDir(),
		"--status-listen",
		"",
	)
	var got outcomeOf
	for range 3 { // the coordinator may give up on etcd after the client gives up on an election
		if got = phasegrid(t, "ls", "--coordinator", address); strings.Contains(got.stderr, "etcd: campaign") {
			break
		}
	}
	if got.code != exitFailed || !strings.Contains(got.stderr, "error: list sweeps: no coordinator leads") ||
		!strings.Contains(got.stderr, "etcd: campaign") {
		t.Errorf("ls without a leader: exit code %d, %s", got.code, got.stderr)
	}
}

// poisoned is a memo that fails for one point, so that its node abandons the shard.
type poisoned [16]byte

func (p poisoned) Rows(id [16]byte) (results.PointRows, bool, error) {
	if id == p {
		return results.PointRows{}, false, errors.New("poison")
	}
	return results.PointRows{}, false, nil
}

// startNode runs a node in this process until stop is called.
func startNode(t *testing.T, address string, cfg node.Config) (stop func()) {
	t.Helper()
	conn, err := node.Dial(address, node.Service, insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- node.New(conn, cfg).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("node %s: %v", cfg.Name, err)
		}
		conn.Close()
	})
	t.Cleanup(stop)
	return stop
}

// TestQuarantineExitsWith3AndRetryFixesIt: three nodes abandon the same shard, a fourth solves it.
func TestQuarantineExitsWith3AndRetryFixesIt(t *testing.T) {
	out := t.TempDir()
	address := startCoordinator(t, out)
	spec, err := sweep.Parse("sweep.yaml", []byte(manyShards), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	point, _ := spec.Point(20)
	var stops []func()
	for _, name := range []string{"a", "b", "c"} {
		stops = append(
			stops,
			startNode(
				t,
				address,
				node.Config{Name: name, Slots: 1, Memo: poisoned(sweep.PointID(point.Params, currentVersion().Solver))},
			),
		)
	}
	awaitLeader(t, address)
	got := phasegrid(t, "submit", writeSweep(t, manyShards), "--coordinator", address, "--watch")
	if got.code != exitQuarantined || !strings.Contains(got.stderr, "phasegrid retry") {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	status := phasegrid(t, "status", "many-shards", "--coordinator", address)
	if !strings.Contains(status.stdout, "quarantined after") || !strings.Contains(status.stdout, "poison") {
		t.Errorf("status: %s", status.stdout)
	}
	var verified verifyView
	asJSON := phasegrid(t, "verify", openOnlySet(t, out).Dir(), "-o", "json")
	if err := json.Unmarshal([]byte(asJSON.stdout), &verified); err != nil {
		t.Fatal(err)
	}
	if points, _ := spec.Count(); verified.Missing == 0 || verified.Points+verified.Missing != points {
		t.Errorf("verify: %d points, %d missing, of %d", verified.Points, verified.Missing, points)
	}
	if got := phasegrid(t, "verify", openOnlySet(t, out).Dir()); got.code != exitDone ||
		!strings.Contains(got.stdout, counted(verified.Missing, "point")+" missing") {
		t.Errorf("verify: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for _, stop := range stops {
		stop()
	}
	startNode(t, address, node.Config{Name: "sound", Slots: 1})
	if got := phasegrid(t, "retry", "many-shards", "--coordinator", address, "--watch"); got.code != exitDone {
		t.Fatalf("retry: exit code %d\n%s", got.code, got.stderr)
	}
	sameParquet(t, "after retry", parquet(t, openOnlySet(t, out).Dir()), parquet(t, runSweep(t, manyShards).Dir()))
}
