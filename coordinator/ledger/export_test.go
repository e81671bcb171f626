package ledger

import "context"

// Compact compacts at once.
func Compact(ctx context.Context, b Backend) error { return b.(*etcdBackend).compact(ctx) }

// AwaitChange waits for a change of a key since a revision.
func AwaitChange(ctx context.Context, b Backend, key string, from int64) error {
	return b.(*etcdBackend).awaitChange(ctx, key, from)
}

// LeaderKeyOf is the key that guards a leader's transactions.
func LeaderKeyOf(l *Leadership) string { return l.Ledger.(*etcdLedger).key }
