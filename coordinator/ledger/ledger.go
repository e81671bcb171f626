package ledger

import (
	"context"
	"errors"
)

// Write is one change of the ledger: Value under Key, or the end of Key.
type Write struct {
	Key   string
	Value []byte
	// Delete removes Key; with Prefix everything that begins with Key.
	Delete, Prefix bool
	// Perishable: the key goes when this leader does.
	Ephemeral bool
}

// Reader reads the durable state of the cluster.
type Reader interface {
	// Load calls visit for every key that begins with prefix, in order, as of one moment.
	Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error
}

// Ledger is the durable state of the cluster, as one leader writes it.
type Ledger interface {
	Reader
	// Commit makes all writes durable, or none. The keys of one call differ. It fails with
	// ErrFenced, and changes nothing, once another leader was elected. After any other error the
	// writes may have happened; making them again is harmless.
	Commit(ctx context.Context, writes []Write) error
}

// Leadership is the time that one process leads.
type Leadership struct {
	Ledger Ledger
	// Epoch grows from leader to leader.
	Epoch uint64
	// Lost is closed when another process may have become leader.
	Lost <-chan struct{}
	// Resign ends the reign, so that the next leader need not wait for it to expire.
	Resign func(ctx context.Context) error
}

// Backend is where the ledger lives: etcd, or memory. Everybody may read it; it is written through
// a Leadership.
type Backend interface {
	Reader
	// Campaign waits until this process leads, and lets others know the address at which it serves.
	// It calls standing once the ledger has taken the candidacy.
	Campaign(ctx context.Context, address string, standing func()) (*Leadership, error)
	// Leader is the address of the present leader, "" if there is none.
	Leader(ctx context.Context) (string, error)
	Close() error
}

// ErrFenced is returned by a Ledger's Commit once another leader was elected.
var ErrFenced = errors.New("this coordinator does not lead any more")

// MaxWrites bounds one transaction; etcd takes 128 operations.
const MaxWrites = 100
