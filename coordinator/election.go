package coordinator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// sessionTTL is after how many seconds a leader that stopped answering is replaced.
const sessionTTL = 5

// campaign waits in the session's own context: a candidate whose session has ended is no candidate any more. Whoever has
// won reads its key again, so that it leads by a key that is there.
func (b *etcdBackend) campaign(ctx context.Context, address string, standing func()) (*Reign, error) {
	if b.alone {
		if err := b.depose(ctx); err != nil {
			return nil, err
		}
	}
	// The session outlives ctx until it is resigned, so that the key can be deleted.
	sessionCtx, endSession := context.WithCancel(context.WithoutCancel(ctx))
	session, err := b.newSession(sessionCtx)
	if err != nil {
		endSession()
		return nil, err
	}
	standing()
	giveUp := func(err error) (*Reign, error) {
		closeSession(session)
		endSession()
		return nil, err
	}
	campaignCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(session.Ctx(), cancel)()
	election := concurrency.NewElection(session, leaderKey)
	if err := election.Campaign(campaignCtx, address); err != nil {
		return giveUp(fmt.Errorf("campaign: %w", err))
	}
	if err := b.verify(campaignCtx, election, session); err != nil {
		return giveUp(err)
	}
	full := make(chan struct{}, 1)
	maintainCtx, stopMaintain := context.WithCancel(sessionCtx)
	var maintained sync.WaitGroup
	maintained.Go(func() { b.maintain(maintainCtx, full) })
	return &Reign{
		Ledger: &etcdLedger{client: b.client, key: election.Key(), rev: election.Rev(), lease: session.Lease(), full: full},
		Epoch:  uint64(election.Rev()),
		Lost:   session.Done(),
		Resign: func(ctx context.Context) error {
			stopMaintain()
			maintained.Wait()
			err := election.Resign(ctx)
			closeSession(session)
			endSession()
			return err
		},
	}, nil
}

// verify reads the key by which an election was won.
func (b *etcdBackend) verify(ctx context.Context, e *concurrency.Election, s *concurrency.Session) error {
	ctx, cancel := context.WithTimeout(ctx, etcdTimeout)
	defer cancel()
	answer, err := b.client.Get(ctx, e.Key())
	if err != nil {
		return fmt.Errorf("read the leader's key: %w", err)
	}
	if len(answer.Kvs) != 1 || answer.Kvs[0].CreateRevision != e.Rev() || clientv3.LeaseID(answer.Kvs[0].Lease) != s.Lease() {
		return errors.New("elected, but the leader's key is gone")
	}
	return nil
}

// depose revokes the leases of leaders before. Only a coordinator that is alone by its lock may.
func (b *etcdBackend) depose(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, etcdTimeout)
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

// leader is who has the oldest key.
func (b *etcdBackend) leader(ctx context.Context) (string, error) {
	answer, err := b.client.Get(ctx, leaderKey+"/", clientv3.WithFirstCreate()...)
	if err != nil || len(answer.Kvs) == 0 {
		return "", err
	}
	return string(answer.Kvs[0].Value), nil
}

// closeSession revokes a session's lease, if etcd answers soon.
func closeSession(s *concurrency.Session) {
	s.Orphan()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = s.Client().Revoke(ctx, s.Lease()) // it expires by itself
}
