package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// TestLedger is the conformance suite of ledgers. Each case opens two members of the same cluster.
func TestLedger(t *testing.T) {
	backends := map[string]func(t *testing.T) (first, second ledger.Backend){
		"memory": func(*testing.T) (first, second ledger.Backend) {
			m := ledger.NewMemory()
			return m, m
		},
		"etcd": func(t *testing.T) (first, second ledger.Backend) {
			endpoint := etcdServer(t, nil)
			return dial(t, endpoint), dial(t, endpoint)
		},
	}
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			first, second := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			t.Run("writes", func(t *testing.T) { testLedgerWrites(ctx, t, first) })
			t.Run("fence", func(t *testing.T) { testLedgerFence(ctx, t, first, second) })
		})
	}
}

// load lists keys and values under a prefix.
func load(ctx context.Context, t *testing.T, r *ledger.Leadership, prefix string) []string {
	t.Helper()
	var list []string
	err := r.Ledger.Load(ctx, prefix, func(key string, value []byte) error {
		list = append(list, key+"="+string(value))
		return nil
	})
	if err != nil {
		t.Fatalf("Load = %v", err)
	}
	return list
}

func testLedgerWrites(ctx context.Context, t *testing.T, b ledger.Backend) {
	r := campaign(ctx, t, b, "here:1")
	commit(ctx, t, r, put("/t/b", "2"), put("/t/a", "1"), put("/t/a/x", "3"), put("/u", "4"))
	commit(ctx, t, r, put("/t/b", "5"), ledger.Write{Key: "/u", Delete: true})
	commit(ctx, t, r, ledger.Write{Key: "/t/p", Value: []byte("6"), Ephemeral: true})
	if got, want := load(ctx, t, r, "/t/"), []string{"/t/a=1", "/t/a/x=3", "/t/b=5", "/t/p=6"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("loaded %v, want %v", got, want)
	}
	commit(ctx, t, r, ledger.Write{Key: "/t/a", Delete: true, Prefix: true})
	if got, want := load(ctx, t, r, "/"), []string{"/t/b=5", "/t/p=6"}; !slices.Equal(withoutLeader(got), want) {
		t.Errorf("loaded %v, want %v", got, want)
	}
	var many []string
	for i := range 2500 {
		many = append(many, fmt.Sprintf("/many/%05d=v", i))
	}
	for page := range slices.Chunk(many, 100) {
		var writes []ledger.Write
		for _, kv := range page {
			writes = append(writes, put(kv[:len(kv)-2], "v"))
		}
		commit(ctx, t, r, writes...)
	}
	if got := load(ctx, t, r, "/many/"); !slices.Equal(got, many) {
		t.Errorf("loaded %d keys of %d, or in another order", len(got), len(many))
	}
	stop := errors.New("stop")
	if err := r.Ledger.Load(ctx, "/many/", func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Load = %v, want the visitor's error", err)
	}
	commit(ctx, t, r, ledger.Write{Key: "/many/", Delete: true, Prefix: true})
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
	r = campaign(ctx, t, b, "here:1")
	if got, want := withoutLeader(load(ctx, t, r, "/")), []string{"/t/b=5"}; !slices.Equal(got, want) {
		t.Errorf("after the leadership there is %v, want %v", got, want)
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}

func withoutLeader(list []string) []string {
	return slices.DeleteFunc(list, func(kv string) bool { return len(kv) > 20 && kv[:20] == "/phasegrid/v1/leader" })
}

// testLedgerFence: a stale leader changes nothing.
func testLedgerFence(ctx context.Context, t *testing.T, first, second ledger.Backend) {
	old := campaign(ctx, t, first, "first:1")
	if leader, err := second.Leader(ctx); err != nil || leader != "first:1" {
		t.Errorf("Leader = %q, %v", leader, err)
	}
	commit(ctx, t, old, put("/f/x", "old"))
	elected := make(chan *ledger.Leadership, 1)
	go func() {
		r, err := second.Campaign(ctx, "second:1", func() {})
		if err != nil {
			t.Errorf("Campaign = %v", err)
		}
		elected <- r
	}()
	if err := old.Resign(ctx); err != nil {
		t.Fatalf("Resign = %v", err)
	}
	r := <-elected
	if r == nil {
		t.FailNow()
	}
	if r.Epoch <= old.Epoch {
		t.Errorf("epoch %d after %d", r.Epoch, old.Epoch)
	}
	commit(ctx, t, r, put("/f/x", "new"))
	for _, w := range []ledger.Write{
		put("/f/x", "zombie"), put("/f/y", "zombie"), {Key: "/f/", Delete: true, Prefix: true},
		{Key: "/f/z", Value: []byte("zombie"), Ephemeral: true}} {
		if err := old.Ledger.Commit(ctx, []ledger.Write{w}); !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("the old leader's Commit = %v, want ErrFenced", err)
		}
	}
	if got, want := load(ctx, t, r, "/f/"), []string{"/f/x=new"}; !slices.Equal(got, want) {
		t.Errorf("after the old leader's writes there is %v, want %v", got, want)
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}

// TestZombieLeader: a leader whose session has ended, as after a long suspension, is told so and
// changes nothing.
func TestZombieLeader(t *testing.T) {
	endpoint := etcdServer(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	zombie := campaign(ctx, t, dial(t, endpoint), "zombie:1")
	commit(ctx, t, zombie, put("/z/x", "1"))
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	kv, err := client.Get(ctx, ledger.LeaderKeyOf(zombie))
	if err != nil || len(kv.Kvs) != 1 {
		t.Fatalf("leader's key: %v, %v", kv, err)
	}
	if _, err := client.Revoke(ctx, clientv3.LeaseID(kv.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	if err := zombie.Ledger.Commit(ctx, []ledger.Write{put("/z/x", "2")}); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("Commit = %v, want ErrFenced", err)
	}
	select {
	case <-zombie.Lost:
	case <-ctx.Done():
		t.Error("the zombie was not told")
	}
	next := campaign(ctx, t, dial(t, endpoint), "next:1")
	if got := load(ctx, t, next, "/z/"); !slices.Equal(got, []string{"/z/x=1"}) {
		t.Errorf("there is %v", got)
	}
	for _, r := range []*ledger.Leadership{zombie, next} {
		if err := r.Resign(ctx); err != nil {
			t.Errorf("Resign = %v", err)
		}
	}
}

// TestEmbeddedRestart: an embedded etcd is exclusive by its lock, so the next start leads without
// waiting for a session to expire.
func TestEmbeddedRestart(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range 3 {
		b, err := ledger.StartEmbedded(ctx, folder, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.StartEmbedded(ctx, folder, slog.New(slog.DiscardHandler)); err == nil {
			t.Fatal("two servers on one folder")
		}
		start := time.Now()
		r := campaign(ctx, t, b, "me:1")
		t.Logf("leads after %v", time.Since(start))
		if got := load(ctx, t, r, "/e/"); len(got) != i {
			t.Errorf("start %d finds %v", i, got)
		}
		commit(ctx, t, r, put(fmt.Sprintf("/e/%d", i), "x"))
		// As in a crash: etcd ends before the leader can resign.
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := r.Resign(ctx); err == nil {
			t.Error("resigned at an etcd that is gone")
		}
	}
}

// TestNoSpace: a full etcd rejects writes, and accepts them again after it was compacted and
// defragmented.
func TestNoSpace(t *testing.T) {
	t.Run("all members", func(t *testing.T) { testNoSpace(t, dial(t, fullServer(t))) })
	t.Run("one member is down", func(t *testing.T) { testNoSpace(t, dialPastSilent(t, fullServer(t))) })
}

// fullServer is an etcd that is soon full.
func fullServer(t *testing.T) string {
	t.Helper()
	return etcdServer(t, func(cfg *embed.Config) { cfg.QuotaBackendBytes = 1 << 20 })
}

// dialPastSilent connects to a member whose endpoint comes after one that accepts connections and
// does not answer.
func dialPastSilent(t *testing.T, endpoint string) ledger.Backend {
	t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	b, err := ledger.Dial(
		ledger.Etcd{Endpoints: []string{"http://" + silent.Addr().String(), endpoint}, Timeout: time.Second},
		slog.New(slog.DiscardHandler),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func testNoSpace(t *testing.T, b ledger.Backend) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	r := campaign(ctx, t, b, "me:1")
	value := make([]byte, 100<<10)
	rejected := 0
	// Only old revisions of one key fill the disk. The ledger may reclaim space before etcd is
	// full, so repeat until it was full.
	for i := 0; i < 60 || rejected == 0 && i < 3000; i++ {
		err := r.Ledger.Commit(ctx, []ledger.Write{{Key: "/n/x", Value: value}})
		for err != nil && ctx.Err() == nil {
			rejected++
			time.Sleep(10 * time.Millisecond) // etcd is being defragmented meanwhile
			err = r.Ledger.Commit(ctx, []ledger.Write{{Key: "/n/x", Value: value}})
		}
		if err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	if rejected == 0 {
		t.Error("etcd was never full: the test does not test")
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}

// TestNoSpaceWithoutLeader: a candidate reclaims space in an etcd that is full and has no leader.
func TestNoSpaceWithoutLeader(t *testing.T) {
	t.Run("all members", func(t *testing.T) { testNoSpaceWithoutLeader(t, dial, "out of space") })
	t.Run(
		"one member is down",
		func(t *testing.T) { testNoSpaceWithoutLeader(t, dialPastSilent, "defragment member") },
	)
}

func testNoSpaceWithoutLeader(t *testing.T, dial func(t *testing.T, endpoint string) ledger.Backend, told string) {
	endpoint := fullServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for err == nil {
		_, err = client.Put(ctx, "/n/x", string(make([]byte, 100<<10)))
	}
	if !errors.Is(err, rpctypes.ErrNoSpace) {
		t.Fatalf("Put = %v", err)
	}
	candidate := dial(t, endpoint)
	r, err := candidate.Campaign(ctx, "me:1", func() {})
	if err == nil || !strings.Contains(err.Error(), told) {
		t.Errorf("Campaign = %v, want %q in it", err, told)
	}
	for err != nil && ctx.Err() == nil {
		r, err = candidate.Campaign(ctx, "me:1", func() {})
	}
	if err != nil {
		t.Fatalf("Campaign = %v", err)
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}
