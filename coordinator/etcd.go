package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
)

// Etcd names an etcd cluster.
type Etcd struct {
	Endpoints []string
	// Credentials are asked at every connection, so that they may change; nil is plain text.
	Credentials credentials.TransportCredentials
	// SessionTTL is after how many whole seconds a leader that stopped answering is replaced,
	// Timeout that of one request; both are 5 s by default.
	SessionTTL, Timeout time.Duration
}

const (
	sessionTTL   = 5 * time.Second
	etcdTimeout  = 5 * time.Second
	loadPage     = 1000 // keys a request
	compactEvery = time.Minute

	defragTimeout = time.Minute // of one member, which does nothing else meanwhile
)

// reconnect bounds how long an etcd that is back stays unnoticed: gRPC's own delays grow to two
// minutes.
var reconnect = backoff.Config{
	BaseDelay:  100 * time.Millisecond,
	Multiplier: 1.6,
	Jitter:     0.2,
	MaxDelay:   2 * time.Second,
}

// etcdBackend is the ledger in etcd, by whatever client.
type etcdBackend struct {
	client  *clientv3.Client
	log     *slog.Logger
	ttl     time.Duration // of a session
	timeout time.Duration // of one request
	// alone: nobody else can be alive, so a predecessor's lease need not expire.
	alone bool
	stop  func() // after the client
}

var _ backend = (*etcdBackend)(nil)

// dialEtcd connects to a cluster. It does not wait for it to be there.
func dialEtcd(cfg Etcd, log *slog.Logger) (*etcdBackend, error) {
	ttl, timeout := cmp.Or(cfg.SessionTTL, sessionTTL), cmp.Or(cfg.Timeout, etcdTimeout)
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
		return nil, fmt.Errorf("etcd at %v: %w", cfg.Endpoints, err)
	}
	return &etcdBackend{client: client, log: log, ttl: ttl, timeout: timeout, stop: func() {}}, nil
}

func (b *etcdBackend) close() error {
	err := b.client.Close()
	b.stop()
	if errors.Is(err, context.Canceled) { // what a client made of an embedded server says
		err = nil
	}
	return err
}

// etcdLedger is the ledger as the leader of one session writes it.
type etcdLedger struct {
	client *clientv3.Client
	key    string // the leader's own
	rev    int64  // at which it was created
	lease  clientv3.LeaseID
	space  *space

	timeout time.Duration // of one request
}

var _ Ledger = (*etcdLedger)(nil)

// Load reads page by page, all at the revision of the first.
func (l *etcdLedger) Load(ctx context.Context, prefix string, visit func(key string, value []byte) error) error {
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	var rev int64
	for {
		response, err := l.page(ctx, from, end, rev)
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

func (l *etcdLedger) page(ctx context.Context, from, end string, rev int64) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithRev(rev), clientv3.WithLimit(loadPage))
}

// Commit is one transaction that does nothing unless the leader's key is still the one of this
// reign.
func (l *etcdLedger) Commit(ctx context.Context, writes []Write) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	ops := make([]clientv3.Op, len(writes))
	for i, w := range writes {
		switch {
		case w.Delete && w.Prefix:
			ops[i] = clientv3.OpDelete(w.Key, clientv3.WithPrefix())
		case w.Delete:
			ops[i] = clientv3.OpDelete(w.Key)
		case w.Perishable:
			ops[i] = clientv3.OpPut(w.Key, string(w.Value), clientv3.WithLease(l.lease))
		default:
			ops[i] = clientv3.OpPut(w.Key, string(w.Value))
		}
	}
	response, err := l.client.Txn(
		ctx,
	).If(
		clientv3.Compare(clientv3.CreateRevision(l.key), "=", l.rev),
	).Then(
		ops...).Commit()
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return l.space.ask(err)
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return ErrFenced
	case err != nil:
		return fmt.Errorf("transaction of %d writes: %w", len(writes), err)
	case !response.Succeeded:
		return ErrFenced
	}
	return nil
}

// space is how writers that etcd refused for want of space and the goroutine that makes room talk.
// Safe for concurrent use.
type space struct {
	full   chan struct{}
	failed atomic.Pointer[string] // what went wrong when room was made last
}

func newSpace() *space { return &space{full: make(chan struct{}, 1)} }

// ask has room made, and returns what to tell of a refused write.
func (s *space) ask(refused error) error {
	select {
	case s.full <- struct{}{}:
	default:
	}
	if failed := s.failed.Load(); failed != nil {
		return fmt.Errorf(
			"out of space, and making room failed, at least in part: %s; mend that, or raise its quota: %w",
			*failed,
			refused,
		)
	}
	return fmt.Errorf(
		"out of space: room is made, by compaction and defragmentation; raise its quota if this goes on: %w",
		refused,
	)
}

// made notes how making room ended.
func (s *space) made(err error) {
	if err == nil {
		s.failed.Store(nil)
		return
	}
	text := err.Error()
	s.failed.Store(&text)
}

// maintain compacts every minute, and makes room when etcd is full, until ctx ends.
func (b *etcdBackend) maintain(ctx context.Context, space *space) {
	tick := time.NewTicker(compactEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err = b.compact(ctx); err == nil {
				err = b.disarm(ctx)
			}
		case <-space.full:
			if err = b.compact(ctx); err == nil {
				err = b.makeRoom(ctx)
			}
		}
		space.made(err)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("etcd maintenance", "error", err)
		}
	}
}

// compact forgets all revisions before the present one.
func (b *etcdBackend) compact(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	now, err := b.client.Get(ctx, leaderKey, clientv3.WithCountOnly())
	if err != nil {
		return fmt.Errorf("read the revision: %w", err)
	}
	_, err = b.client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical())
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// disarm makes room if etcd has raised the alarm NOSPACE.
func (b *etcdBackend) disarm(ctx context.Context) error {
	alarms, err := b.noSpace(ctx)
	if err != nil || len(alarms) == 0 {
		return err
	}
	return b.makeRoom(ctx)
}

// noSpace lists the members' alarms NOSPACE.
func (b *etcdBackend) noSpace(ctx context.Context) ([]*clientv3.AlarmMember, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	all, err := b.client.AlarmList(ctx)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	var alarms []*clientv3.AlarmMember
	for _, a := range all.Alarms {
		if a.Alarm == etcdserverpb.AlarmType_NOSPACE {
			alarms = append(alarms, (*clientv3.AlarmMember)(a))
		}
	}
	return alarms, nil
}

// makeRoom defragments the members, one after the other, and ends the alarms NOSPACE if one member
// at least has room then: a member that is down must not keep the others from taking writes.
// Whoever is still full, or comes back full, raises the alarm again at the next write. The error
// tells what was not done.
func (b *etcdBackend) makeRoom(ctx context.Context) error {
	endpoints := b.client.Endpoints()
	if len(endpoints) == 0 {
		endpoints = []string{""} // embedded
	}
	var failed error
	done := 0
	for _, endpoint := range endpoints {
		if err := b.defragment(ctx, endpoint); err != nil {
			failed = errors.Join(failed, fmt.Errorf("member %s is not defragmented: %w", endpoint, err))
			continue
		}
		done++
	}
	if done == 0 {
		return failed
	}
	alarms, err := b.noSpace(ctx)
	failed = errors.Join(failed, err)
	for _, a := range alarms {
		if err := b.endAlarm(ctx, a); err != nil {
			failed = errors.Join(failed, fmt.Errorf("end the alarm NOSPACE of member %x: %w", a.MemberID, err))
		}
	}
	return failed
}

// defragment waits long for a member that works, and only seconds for one that does not answer.
func (b *etcdBackend) defragment(ctx context.Context, endpoint string) error {
	asking, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if _, err := b.client.Status(asking, endpoint); err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	ctx, cancel = context.WithTimeout(ctx, defragTimeout)
	defer cancel()
	_, err := b.client.Defragment(ctx, endpoint)
	return err
}

func (b *etcdBackend) endAlarm(ctx context.Context, a *clientv3.AlarmMember) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	_, err := b.client.AlarmDisarm(ctx, a)
	return err
}

// newSession begins a session that ends with ctx, at the latest.
func (b *etcdBackend) newSession(ctx context.Context) (*concurrency.Session, error) {
	grantCtx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	ttl := int(b.ttl / time.Second)
	lease, err := b.client.Grant(grantCtx, int64(ttl))
	if err != nil {
		return nil, fmt.Errorf("grant a lease: %w", err)
	}
	return concurrency.NewSession(
		b.client,
		concurrency.WithLease(lease.ID),
		concurrency.WithTTL(ttl),
		concurrency.WithContext(ctx),
	)
}
