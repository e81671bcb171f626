package ledger_test

import (
	"context"
	"log/slog"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// etcdServer runs an etcd server of one member on loopback and returns its endpoint.
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
	cfg, err := coordtest.EtcdConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func startEtcd(t *testing.T, cfg *embed.Config) *embed.Etcd {
	t.Helper()
	server, err := coordtest.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// dial connects to an etcd.
func dial(t *testing.T, endpoint string) ledger.Backend {
	t.Helper()
	b, err := ledger.Dial(ledger.Etcd{Endpoints: []string{endpoint}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// campaign waits for leadership.
func campaign(ctx context.Context, t *testing.T, b ledger.Backend, address string) *ledger.Leadership {
	t.Helper()
	r, err := b.Campaign(ctx, address, func() {})
	if err != nil {
		t.Fatalf("Campaign = %v", err)
	}
	return r
}

// commit writes to the ledger.
func commit(ctx context.Context, t *testing.T, r *ledger.Leadership, writes ...ledger.Write) {
	t.Helper()
	if err := r.Ledger.Commit(ctx, writes); err != nil {
		t.Fatalf("Commit = %v", err)
	}
}

// put is one write.
func put(key, value string) ledger.Write {
	return ledger.Write{Key: key, Value: []byte(value)}
}
