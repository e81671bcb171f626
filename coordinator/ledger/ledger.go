package ledger

import (
	"context"
	"errors"
)

// Write is one change of the ledger: it puts Value under Key.
type Write struct {
	Key   string
	Value []byte
	// Delete deletes Key instead; with Prefix, every key that begins with Key.
	Delete, Prefix bool
	// Ephemeral deletes the key with the end of this leadership.
	Ephemeral bool
}

// Reader reads the durable state of the cluster.
type Reader interface {
	// Load calls visit for every key that begins with prefix, in order, from one snapshot.
	Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error
}

// Ledger is the durable state of the cluster as one leader writes it.
type Ledger interface {
	Reader
	// Commit makes all writes durable, or none. Their keys differ. Once another leader was elected
	// it changes nothing and returns ErrFenced. After any other error the writes may have happened;
	// repeating them is harmless.
	Commit(ctx context.Context, writes []Write) error
}

// Leadership is a leader's handle on the ledger.
type Leadership struct {
	Ledger Ledger
	// Epoch rises with every leadership.
	Epoch uint64
	// Lost is closed when another process may have become the leader.
	Lost <-chan struct{}
	// Resign ends the leadership, so that the next leader need not wait for it to expire.
	Resign func(ctx context.Context) error
}

// Backend is where the ledger is stored: etcd or memory. Any process may read it; it is written
// through a Leadership.
type Backend interface {
	Reader
	// Campaign waits until this process is the leader, and publishes the address at which it
	// serves. It calls accepted once the candidacy is registered.
	Campaign(ctx context.Context, address string, accepted func()) (*Leadership, error)
	// Leader returns the address of the current leader; "" if there is none.
	Leader(ctx context.Context) (string, error)
	Close() error
}

// ErrFenced is returned by Commit once another leader was elected.
var ErrFenced = errors.New("leadership lost")

// MaxWrites bounds the writes of one transaction; etcd accepts 128.
const MaxWrites = 100
