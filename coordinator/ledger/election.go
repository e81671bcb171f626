package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// Campaign waits in the session's own context: a candidate whose session has ended is no candidate
// any more. Whoever has won reads its key again, so that it leads by a key that is there.
func (b *etcdBackend) Campaign(ctx context.Context, address string, standing func()) (*Leadership, error) {
	if b.exclusive {
		if err := b.revokeStaleLeases(ctx); err != nil {
			return nil, err
		}
	}
	// The session outlives ctx until it is resigned, so that the key can be deleted.
	sessionCtx, endSession := context.WithCancel(context.WithoutCancel(ctx))
	session, err := b.newSession(sessionCtx)
	if err != nil {
		endSession()
		return nil, b.reclaimSpace(ctx, err)
	}
	standing()
	campaignCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(session.Ctx(), cancel)()
	key := fmt.Sprintf("%s/%x", leaderKey, session.Lease())
	rev, err := b.elect(campaignCtx, key, address, session.Lease())
	if err != nil {
		closeSession(session) // its key goes with it
		endSession()
		return nil, fmt.Errorf("campaign: %w", err)
	}
	space := newSpace()
	maintainCtx, stopMaintain := context.WithCancel(sessionCtx)
	var maintained sync.WaitGroup
	maintained.Go(func() { b.maintain(maintainCtx, space) })
	return &Leadership{
		Ledger: &etcdLedger{
			backend: b,
			key:     key,
			rev:     rev,
			lease:   session.Lease(),
			space:   space,
		},
		Epoch: uint64(rev),
		Lost:  session.Done(),
		Resign: func(ctx context.Context) error {
			stopMaintain()
			maintained.Wait()
			session.Orphan()
			_, err := b.client.Revoke(ctx, session.Lease()) // its key goes with it
			endSession()
			if errors.Is(err, rpctypes.ErrLeaseNotFound) {
				return nil
			}
			return err
		},
	}, nil
}

// elect puts the candidate's key, which ends with its lease, waits until every older one has gone,
// and returns the revision that made it. The client's own election would, when it is called off,
// wait for an etcd that is away.
func (b *etcdBackend) elect(ctx context.Context, key, address string, lease clientv3.LeaseID) (rev int64, err error) {
	put, err := b.client.Put(ctx, key, address, clientv3.WithLease(lease))
	if err != nil {
		return 0, fmt.Errorf("put the candidate's key: %w", err)
	}
	rev = put.Header.Revision
	for {
		older, err := b.client.Get(
			ctx,
			leaderKey+"/",
			append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(rev-1))...)
		if err != nil {
			return 0, fmt.Errorf("look for an older candidate: %w", err)
		}
		if len(older.Kvs) == 0 {
			return rev, b.verify(ctx, key, rev, lease)
		}
		if err := b.awaitChange(ctx, string(older.Kvs[0].Key), older.Header.Revision+1); err != nil {
			return 0, fmt.Errorf("wait for an older candidate's end: %w", err)
		}
	}
}

// awaitChange returns once something happened to a key, or may have. Without a quorum it fails.
func (b *etcdBackend) awaitChange(ctx context.Context, key string, from int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for answer := range b.client.Watch(ctx, key, clientv3.WithRev(from)) {
		if errors.Is(answer.Err(), rpctypes.ErrCompacted) || len(answer.Events) > 0 {
			return nil
		}
		if err := answer.Err(); err != nil {
			return err
		}
	}
	return cmp.Or(ctx.Err(), errors.New("the watch ended"))
}

// verify reads the key by which an election was won.
func (b *etcdBackend) verify(ctx context.Context, key string, rev int64, lease clientv3.LeaseID) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("read the leader's key: %w", err)
	}
	if len(answer.Kvs) != 1 || answer.Kvs[0].CreateRevision != rev || clientv3.LeaseID(answer.Kvs[0].Lease) != lease {
		return errors.New("elected, but the leader's key is gone")
	}
	return nil
}

// depose revokes the leases of leaders before. Only a coordinator that is alone by its lock may.
func (b *etcdBackend) revokeStaleLeases(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, leaderKey+"/", clientv3.WithPrefix())
	if err != nil {
		return fmt.Errorf("look for a leader before: %w", err)
	}
	for _, kv := range answer.Kvs {
		if _, err := b.client.Revoke(ctx, clientv3.LeaseID(kv.Lease)); err != nil {
			return fmt.Errorf("revoke the lease of the leader before: %w", err)
		}
	}
	return nil
}

// Leader is who has the oldest key.
func (b *etcdBackend) Leader(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, leaderKey+"/", clientv3.WithFirstCreate()...)
	if err != nil || len(answer.Kvs) == 0 {
		return "", err
	}
	return string(answer.Kvs[0].Value), nil
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

// closeSession revokes a session's lease, if etcd answers soon.
func closeSession(s *concurrency.Session) {
	s.Orphan()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = s.Client().Revoke(ctx, s.Lease()) // it expires by itself
}
