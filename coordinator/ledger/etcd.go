package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
)

// Etcd is the configuration of a client of an etcd cluster.
type Etcd struct {
	Endpoints []string
	// Credentials are consulted for every new connection, so they may change; nil is plain text.
	Credentials credentials.TransportCredentials
	// SessionTTL, in whole seconds, is the time after which a leader that does not renew its
	// session is replaced. Timeout is that of one request. Both are 5 s by default.
	SessionTTL, Timeout time.Duration
}

// DefaultSessionTTL is the default of Etcd.SessionTTL.
const DefaultSessionTTL = 5 * time.Second

const (
	etcdTimeout = 5 * time.Second
	loadPage    = 1000 // keys a request
)

// reconnect bounds how long a recovered etcd goes unnoticed: the delays of gRPC grow to two
// minutes.
var reconnect = backoff.Config{
	BaseDelay:  100 * time.Millisecond,
	Multiplier: 1.6,
	Jitter:     0.2,
	MaxDelay:   2 * time.Second,
}

// etcdBackend is the ledger in etcd, embedded or not.
type etcdBackend struct {
	client  *clientv3.Client
	log     *slog.Logger
	ttl     time.Duration // of a session
	timeout time.Duration // of one request
	// exclusive: no other process can be alive, so a predecessor's session need not expire.
	exclusive bool
	stop      func() // called after the client is closed
}

var _ Backend = (*etcdBackend)(nil)

// Dial connects to an etcd cluster, and does not wait until it answers.
func Dial(cfg Etcd, log *slog.Logger) (Backend, error) {
	ttl, timeout := cmp.Or(cfg.SessionTTL, DefaultSessionTTL), cmp.Or(cfg.Timeout, etcdTimeout)
	options := []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: timeout}),
	}
	if cfg.Credentials != nil {
		options = append(options, grpc.WithTransportCredentials(cfg.Credentials))
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: cfg.Endpoints, DialOptions: options, DialTimeout: timeout,
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 5 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd at %v: %w", cfg.Endpoints, err)
	}
	return &etcdBackend{client: client, log: log, ttl: ttl, timeout: timeout, stop: func() {}}, nil
}

func (b *etcdBackend) Close() error {
	err := b.client.Close()
	b.stop()
	if errors.Is(err, context.Canceled) { // from the client of an embedded server
		err = nil
	}
	return err
}

// Load reads page by page, all at the revision of the first page.
func (b *etcdBackend) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	var rev int64
	for {
		response, err := b.page(ctx, from, end, rev)
		if err != nil {
			return fmt.Errorf("read %s: %w", prefix, err)
		}
		rev = response.Header.Revision
		for _, kv := range response.Kvs {
			if err := visit(string(kv.Key), kv.Value); err != nil {
				return err
			}
			from = string(kv.Key) + "\x00"
		}
		if !response.More {
			return nil
		}
	}
}

func (b *etcdBackend) page(ctx context.Context, from, end string, rev int64) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithRev(rev), clientv3.WithLimit(loadPage))
}

// etcdLedger is the ledger as the leader of one session writes it.
type etcdLedger struct {
	backend *etcdBackend

	key   string // the leader's key
	rev   int64  // create revision of key
	lease clientv3.LeaseID
	space *space
}

var _ Ledger = (*etcdLedger)(nil)

func (l *etcdLedger) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	return l.backend.Load(ctx, prefix, visit)
}

// Commit is one transaction that does nothing unless the leader key is still that of this
// leadership.
func (l *etcdLedger) Commit(ctx context.Context, writes []Write) error {
	ctx, cancel := context.WithTimeout(ctx, l.backend.timeout)
	defer cancel()
	ops := make([]clientv3.Op, len(writes))
	for i, w := range writes {
		switch {
		case w.Delete && w.Prefix:
			ops[i] = clientv3.OpDelete(w.Key, clientv3.WithPrefix())
		case w.Delete:
			ops[i] = clientv3.OpDelete(w.Key)
		case w.Ephemeral:
			ops[i] = clientv3.OpPut(w.Key, string(w.Value), clientv3.WithLease(l.lease))
		default:
			ops[i] = clientv3.OpPut(w.Key, string(w.Value))
		}
	}
	guard := clientv3.Compare(clientv3.CreateRevision(l.key), "=", l.rev)
	response, err := l.backend.client.Txn(ctx).If(guard).Then(ops...).Commit()
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return l.space.request(err)
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return ErrFenced
	case err != nil:
		return fmt.Errorf("commit %d writes to etcd: %w", len(writes), err)
	case !response.Succeeded:
		return ErrFenced
	}
	return nil
}
