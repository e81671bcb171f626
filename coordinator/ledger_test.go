package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/phasegrid/phasegrid/coordinator"
)

// etcdServer runs a real etcd of one member on loopback and returns its endpoint.
func etcdServer(t *testing.T, change func(*embed.Config)) string {
	t.Helper()
	cfg := etcdConfig(t)
	if change != nil {
		change(cfg)
	}
	server := startEtcd(t, cfg)
	t.Cleanup(server.Close)
	return cfg.ListenClientUrls[0].String()
}

func etcdConfig(t *testing.T) *embed.Config {
	t.Helper()
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	peer, client := freeURL(t), freeURL(t)
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	cfg.TickMs, cfg.ElectionMs = 10, 100 // a single member need not wait for others
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	return cfg
}

func startEtcd(t *testing.T, cfg *embed.Config) *embed.Etcd {
	t.Helper()
	server, err := embed.StartEtcd(cfg)
	// A process that other tests are just starting holds a copy of the listener that found the
	// address until it is another program.
	for tries := 0; errors.Is(err, syscall.EADDRINUSE) && tries < 100; tries++ {
		time.Sleep(50 * time.Millisecond)
		server, err = embed.StartEtcd(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		server.Server.Stop()
		server.Close()
		t.Fatal("etcd is not ready")
	}
	return server
}

// freeURL is on a loopback address of its own, where there is one for the asking: a port of
// 127.0.0.1 that was free may be taken by another test, or by a connection, before etcd listens on
// it.
func freeURL(t *testing.T) url.URL {
	t.Helper()
	own := fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	l, err := net.Listen("tcp", own)
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}
}

// TestLedger holds every ledger against one suite. Each case opens two members of the same cluster.
func TestLedger(t *testing.T) {
	backends := map[string]func(t *testing.T) (first, second coordinator.Backend){
		"memory": func(*testing.T) (first, second coordinator.Backend) {
			m := coordinator.NewMemory()
			return coordinator.MemoryBackend(m), coordinator.MemoryBackend(m)
		},
		"etcd": func(t *testing.T) (first, second coordinator.Backend) {
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

func dial(t *testing.T, endpoint string) coordinator.Backend {
	t.Helper()
	b, err := coordinator.EtcdBackend(coordinator.Etcd{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func campaign(ctx context.Context, t *testing.T, b coordinator.Backend, address string) *coordinator.Reign {
	t.Helper()
	r, err := b.Campaign(ctx, address)
	if err != nil {
		t.Fatalf("Campaign = %v", err)
	}
	return r
}

func commit(ctx context.Context, t *testing.T, r *coordinator.Reign, writes ...coordinator.Write) {
	t.Helper()
	if err := r.Ledger.Commit(ctx, writes); err != nil {
		t.Fatalf("Commit = %v", err)
	}
}

// load lists keys and values under a prefix.
func load(ctx context.Context, t *testing.T, r *coordinator.Reign, prefix string) []string {
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

func put(key, value string) coordinator.Write {
	return coordinator.Write{Key: key, Value: []byte(value)}
}

func testLedgerWrites(ctx context.Context, t *testing.T, b coordinator.Backend) {
	r := campaign(ctx, t, b, "here:1")
	commit(ctx, t, r, put("/t/b", "2"), put("/t/a", "1"), put("/t/a/x", "3"), put("/u", "4"))
	commit(ctx, t, r, put("/t/b", "5"), coordinator.Write{Key: "/u", Delete: true})
	commit(ctx, t, r, coordinator.Write{Key: "/t/p", Value: []byte("6"), Perishable: true})
	if got, want := load(ctx, t, r, "/t/"), []string{"/t/a=1", "/t/a/x=3", "/t/b=5", "/t/p=6"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("loaded %v, want %v", got, want)
	}
	commit(ctx, t, r, coordinator.Write{Key: "/t/a", Delete: true, Prefix: true})
	if got, want := load(ctx, t, r, "/"), []string{"/t/b=5", "/t/p=6"}; !slices.Equal(withoutLeader(got), want) {
		t.Errorf("loaded %v, want %v", got, want)
	}
	var many []string
	for i := range 2500 {
		many = append(many, fmt.Sprintf("/many/%05d=v", i))
	}
	for page := range slices.Chunk(many, 100) {
		var writes []coordinator.Write
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
	commit(ctx, t, r, coordinator.Write{Key: "/many/", Delete: true, Prefix: true})
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
	r = campaign(ctx, t, b, "here:1")
	if got, want := withoutLeader(load(ctx, t, r, "/")), []string{"/t/b=5"}; !slices.Equal(got, want) {
		t.Errorf("after the reign there is %v, want %v", got, want)
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}

func withoutLeader(list []string) []string {
	return slices.DeleteFunc(list, func(kv string) bool { return len(kv) > 20 && kv[:20] == "/phasegrid/v1/leader" })
}

// testLedgerFence: a deposed leader changes nothing, whatever it believes.
func testLedgerFence(ctx context.Context, t *testing.T, first, second coordinator.Backend) {
	old := campaign(ctx, t, first, "first:1")
	if leader, err := second.Leader(ctx); err != nil || leader != "first:1" {
		t.Errorf("Leader = %q, %v", leader, err)
	}
	commit(ctx, t, old, put("/f/x", "old"))
	elected := make(chan *coordinator.Reign, 1)
	go func() {
		r, err := second.Campaign(ctx, "second:1")
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
	for _, w := range []coordinator.Write{put("/f/x", "zombie"), put("/f/y", "zombie"), {Key: "/f/", Delete: true, Prefix: true},
		{Key: "/f/z", Value: []byte("zombie"), Perishable: true}} {
		if err := old.Ledger.Commit(ctx, []coordinator.Write{w}); !errors.Is(err, coordinator.ErrFenced) {
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

// TestZombieLeader: a leader whose lease has ended, as after a long stop, is told so and changes
// nothing.
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
	kv, err := client.Get(ctx, coordinator.LeaderKeyOf(zombie))
	if err != nil || len(kv.Kvs) != 1 {
		t.Fatalf("leader's key: %v, %v", kv, err)
	}
	if _, err := client.Revoke(ctx, clientv3.LeaseID(kv.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	if err := zombie.Ledger.Commit(ctx, []coordinator.Write{put("/z/x", "2")}); !errors.Is(err, coordinator.ErrFenced) {
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
	for _, r := range []*coordinator.Reign{zombie, next} {
		if err := r.Resign(ctx); err != nil {
			t.Errorf("Resign = %v", err)
		}
	}
}

// TestEmbeddedRestart: an embedded etcd is alone by its lock, so the next start leads without
// waiting for a lease.
func TestEmbeddedRestart(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range 3 {
		b, err := coordinator.EmbeddedBackend(ctx, folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := coordinator.EmbeddedBackend(ctx, folder); err == nil {
			t.Fatal("two servers on one folder")
		}
		start := time.Now()
		r := campaign(ctx, t, b, "me:1")
		t.Logf("leads after %v", time.Since(start))
		if got := load(ctx, t, r, "/e/"); len(got) != i {
			t.Errorf("start %d finds %v", i, got)
		}
		commit(ctx, t, r, put(fmt.Sprintf("/e/%d", i), "x"))
		// As if the process died here: etcd goes before anybody can resign.
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := r.Resign(ctx); err == nil {
			t.Error("resigned at an etcd that is gone")
		}
	}
}

// TestNoSpace: a full etcd refuses, and takes writes again after it was compacted and defragmented.
func TestNoSpace(t *testing.T) {
	t.Run("all members", func(t *testing.T) { testNoSpace(t, dial(t, fullServer(t))) })
	t.Run("one member is down", func(t *testing.T) { testNoSpace(t, dialPastSilent(t, fullServer(t))) })
}

// fullServer is an etcd that is full soon.
func fullServer(t *testing.T) string {
	t.Helper()
	return etcdServer(t, func(cfg *embed.Config) { cfg.QuotaBackendBytes = 1 << 20 })
}

// dialPastSilent connects to a member whose endpoint comes after that of one which takes
// connections and says nothing.
func dialPastSilent(t *testing.T, endpoint string) coordinator.Backend {
	t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	b, err := coordinator.EtcdBackend(
		coordinator.Etcd{Endpoints: []string{"http://" + silent.Addr().String(), endpoint}, Timeout: time.Second},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func testNoSpace(t *testing.T, b coordinator.Backend) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	r := campaign(ctx, t, b, "me:1")
	value := make([]byte, 100<<10)
	refused := 0
	// One key: only its old revisions fill the disk. The ledger may make room before etcd is full,
	// so this goes on until it was.
	for i := 0; i < 60 || refused == 0 && i < 3000; i++ {
		err := r.Ledger.Commit(ctx, []coordinator.Write{{Key: "/n/x", Value: value}})
		for err != nil && ctx.Err() == nil {
			refused++
			time.Sleep(10 * time.Millisecond) // etcd is being defragmented meanwhile
			err = r.Ledger.Commit(ctx, []coordinator.Write{{Key: "/n/x", Value: value}})
		}
		if err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	if refused == 0 {
		t.Error("etcd was never full: the test does not test")
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}

// TestNoSpaceWithoutLeader: whoever wants to lead makes room in an etcd that filled up and lost its
// leader.
func TestNoSpaceWithoutLeader(t *testing.T) {
	t.Run("all members", func(t *testing.T) { testNoSpaceWithoutLeader(t, dial, "out of space") })
	t.Run(
		"one member is down",
		func(t *testing.T) { testNoSpaceWithoutLeader(t, dialPastSilent, "is not defragmented") },
	)
}

func testNoSpaceWithoutLeader(t *testing.T, dial func(t *testing.T, endpoint string) coordinator.Backend, told string) {
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
	r, err := candidate.Campaign(ctx, "me:1")
	if err == nil || !strings.Contains(err.Error(), told) {
		t.Errorf("Campaign = %v, want %q in it", err, told)
	}
	for err != nil && ctx.Err() == nil {
		r, err = candidate.Campaign(ctx, "me:1")
	}
	if err != nil {
		t.Fatalf("Campaign = %v", err)
	}
	if err := r.Resign(ctx); err != nil {
		t.Errorf("Resign = %v", err)
	}
}
