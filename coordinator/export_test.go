package coordinator

import (
	"context"
	"log/slog"
)

// Backend is what the conformance suite tests.
type Backend interface {
	Campaign(ctx context.Context, address string) (*Reign, error)
	Leader(ctx context.Context) (string, error)
	Close() error
}

type exported struct{ backend }

func (e exported) Campaign(ctx context.Context, address string) (*Reign, error) {
	return e.campaign(ctx, address, func() {})
}
func (e exported) Leader(ctx context.Context) (string, error) { return e.leader(ctx) }
func (e exported) Close() error                               { return e.close() }

// MemoryBackend is a ledger in memory.
func MemoryBackend(m *Memory) Backend { return exported{m} }

// EtcdBackend is a ledger in a cluster.
func EtcdBackend(cfg Etcd) (Backend, error) {
	b, err := dialEtcd(cfg, slog.New(slog.DiscardHandler))
	return exported{b}, err
}

// EmbeddedBackend is a ledger in an embedded etcd.
func EmbeddedBackend(ctx context.Context, folder string) (Backend, error) {
	b, err := startEmbedded(ctx, folder, slog.New(slog.DiscardHandler))
	return exported{b}, err
}

// Compact compacts at once.
func (e exported) Compact(ctx context.Context) error { return e.backend.(*etcdBackend).compact(ctx) }

// AwaitChange waits for a change of a key since a revision.
func (e exported) AwaitChange(ctx context.Context, key string, from int64) error {
	return e.backend.(*etcdBackend).awaitChange(ctx, key, from)
}

// LeaderKeyOf is the key that fences a reign.
func LeaderKeyOf(r *Reign) string { return r.Ledger.(*etcdLedger).key }

// FailingAt is a configuration that calls fail with each step at which a process may die.
func FailingAt(cfg Config, fail func(step string)) Config {
	cfg.fail = fail
	return cfg
}
