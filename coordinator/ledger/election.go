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

// Campaign waits in the context of its session, without which the candidacy has ended. The winner
// reads its key again, so that it leads by a key that exists.
func (b *etcdBackend) Campaign(ctx context.Context, address string, accepted func()) (*Leadership, error) {
	if b.exclusive {
		if err := b.revokeStaleLeases(ctx); err != nil {
			return nil, err
		}
	}
	// The session outlives ctx until Resign, so that the key can be deleted.
	sessionCtx, endSession := context.WithCancel(context.WithoutCancel(ctx))
	session, err := b.newSession(sessionCtx)
	if err != nil {
		endSession()
		return nil, b.reclaimSpace(ctx, err)
	}
	accepted()
	campaignCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(session.Ctx(), cancel)()
	key := fmt.Sprintf("%s/%x", leaderKey, session.Lease())
	rev, err := b.elect(campaignCtx, key, address, session.Lease())
	if err != nil {
		closeSession(session) // deletes the key
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
			_, err := b.client.Revoke(ctx, session.Lease()) // deletes the key
			endSession()
			if errors.Is(err, rpctypes.ErrLeaseNotFound) {
				return nil
			}
			return err
		},
	}, nil
}

// elect puts the candidate's key on its lease, waits until every older candidate is gone, and
// returns the create revision of the key. The election of the etcd client is not used: when it is
// cancelled it waits for an etcd that is down.
func (b *etcdBackend) elect(ctx context.Context, key, address string, lease clientv3.LeaseID) (rev int64, err error) {
	put, err := b.client.Put(ctx, key, address, clientv3.WithLease(lease))
	if err != nil {
		return 0, fmt.Errorf("put candidate key: %w", err)
	}
	rev = put.Header.Revision
	for {
		older, err := b.client.Get(
			ctx,
			leaderKey+"/",
			append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(rev-1))...)
		if err != nil {
			return 0, fmt.Errorf("find older candidate: %w", err)
		}
		if len(older.Kvs) == 0 {
			return rev, b.verify(ctx, key, rev, lease)
		}
		if err := b.awaitChange(ctx, string(older.Kvs[0].Key), older.Header.Revision+1); err != nil {
			return 0, fmt.Errorf("wait for older candidate: %w", err)
		}
	}
}

// awaitChange returns once a key has changed, or may have. Without a quorum it fails.
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
	return cmp.Or(ctx.Err(), errors.New("watch ended"))
}

// verify checks the key by which an election was won.
func (b *etcdBackend) verify(ctx context.Context, key string, rev int64, lease clientv3.LeaseID) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("read leader key: %w", err)
	}
	if len(answer.Kvs) != 1 || answer.Kvs[0].CreateRevision != rev || clientv3.LeaseID(answer.Kvs[0].Lease) != lease {
		return errors.New("leader key disappeared after the election")
	}
	return nil
}

// revokeStaleLeases revokes the sessions of earlier leaders. Only an exclusive backend may do so.
func (b *etcdBackend) revokeStaleLeases(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, leaderKey+"/", clientv3.WithPrefix())
	if err != nil {
		return fmt.Errorf("find earlier leader: %w", err)
	}
	for _, kv := range answer.Kvs {
		if _, err := b.client.Revoke(ctx, clientv3.LeaseID(kv.Lease)); err != nil {
			return fmt.Errorf("revoke session of earlier leader: %w", err)
		}
	}
	return nil
}

// Leader returns the address of the candidate with the oldest key.
func (b *etcdBackend) Leader(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	answer, err := b.client.Get(ctx, leaderKey+"/", clientv3.WithFirstCreate()...)
	if err != nil || len(answer.Kvs) == 0 {
		return "", err
	}
	return string(answer.Kvs[0].Value), nil
}

// newSession starts a session that ends with ctx at the latest.
func (b *etcdBackend) newSession(ctx context.Context) (*concurrency.Session, error) {
	grantCtx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	ttl := int(b.ttl / time.Second)
	lease, err := b.client.Grant(grantCtx, int64(ttl))
	if err != nil {
		return nil, fmt.Errorf("grant session lease: %w", err)
	}
	return concurrency.NewSession(
		b.client, concurrency.WithLease(lease.ID), concurrency.WithTTL(ttl), concurrency.WithContext(ctx),
	)
}

// closeSession revokes the lease of a session, if etcd answers within a second.
func closeSession(s *concurrency.Session) {
	s.Orphan()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = s.Client().Revoke(ctx, s.Lease()) // otherwise it expires
}
