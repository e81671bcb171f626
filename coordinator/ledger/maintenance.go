package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/googleapis/gax-go/v2"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	compactEvery  = time.Minute
	reclaimDelay  = 2 * time.Second
	defragTimeout = time.Minute // of one member, which is blocked meanwhile
)

// space connects writers that etcd rejects for lack of space with the goroutine that reclaims it.
// Safe for concurrent use.
type space struct {
	full   chan struct{}
	failed atomic.Pointer[string] // error of the last attempt
}

func newSpace() *space { return &space{full: make(chan struct{}, 1)} }

// request asks for space to be reclaimed, and returns the error of the rejected write.
func (s *space) request(rejected error) error {
	select {
	case s.full <- struct{}{}:
	default:
	}
	if failed := s.failed.Load(); failed != nil {
		return fmt.Errorf(
			"etcd is out of space and reclaiming it failed: %s; repair that, or raise its --quota-backend-bytes: %w",
			*failed, rejected,
		)
	}
	return fmt.Errorf(
		"etcd is out of space; compacting and defragmenting; raise its --quota-backend-bytes if this repeats: %w",
		rejected,
	)
}

// report records how an attempt to reclaim space ended.
func (s *space) report(err error) {
	if err == nil {
		s.failed.Store(nil)
		return
	}
	text := err.Error()
	s.failed.Store(&text)
}

// maintain compacts etcd every minute, and reclaims space when it is full, until ctx ends.
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
				err = b.defragmentAll(ctx)
			}
		}
		space.report(err)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("etcd maintenance failed", "error", err)
		}
	}
}

// compact discards all revisions before the current one.
func (b *etcdBackend) compact(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	now, err := b.client.Get(ctx, leaderKey, clientv3.WithCountOnly())
	if err != nil {
		return fmt.Errorf("read etcd revision: %w", err)
	}
	_, err = b.client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical())
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compact etcd: %w", err)
	}
	return nil
}

// disarm reclaims space if etcd has raised the alarm NOSPACE.
func (b *etcdBackend) disarm(ctx context.Context) error {
	alarms, err := b.noSpace(ctx)
	if err != nil || len(alarms) == 0 {
		return err
	}
	return b.defragmentAll(ctx)
}

// noSpace returns the NOSPACE alarms of all members.
func (b *etcdBackend) noSpace(ctx context.Context) ([]*clientv3.AlarmMember, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	all, err := b.client.AlarmList(ctx)
	if err != nil {
		return nil, fmt.Errorf("list etcd alarms: %w", err)
	}
	var alarms []*clientv3.AlarmMember
	for _, a := range all.Alarms {
		if a.Alarm == etcdserverpb.AlarmType_NOSPACE {
			alarms = append(alarms, (*clientv3.AlarmMember)(a))
		}
	}
	return alarms, nil
}

// defragmentAll defragments the members one after the other, and clears the NOSPACE alarms if at
// least one member has space then: a member that is down must not keep the others from accepting
// writes. A member that is still full raises the alarm again at the next write. The error says what
// was not done.
func (b *etcdBackend) defragmentAll(ctx context.Context) error {
	endpoints := b.client.Endpoints()
	if len(endpoints) == 0 {
		endpoints = []string{""} // embedded
	}
	var failed error
	done := 0
	for _, endpoint := range endpoints {
		if err := b.defragment(ctx, endpoint); err != nil {
			failed = errors.Join(failed, fmt.Errorf("defragment member %s: %w", endpoint, err))
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
		if err := b.clearAlarm(ctx, a); err != nil {
			failed = errors.Join(failed, fmt.Errorf("clear alarm NOSPACE of member %x: %w", a.MemberID, err))
		}
	}
	return failed
}

// defragment waits up to a minute for a member that works, and only seconds for one that does not
// answer.
func (b *etcdBackend) defragment(ctx context.Context, endpoint string) error {
	asking, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if _, err := b.client.Status(asking, endpoint); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	ctx, cancel = context.WithTimeout(ctx, defragTimeout)
	defer cancel()
	_, err := b.client.Defragment(ctx, endpoint)
	return err
}

func (b *etcdBackend) clearAlarm(ctx context.Context, a *clientv3.AlarmMember) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	_, err := b.client.AlarmDisarm(ctx, a)
	return err
}

// reclaimSpace reclaims space in an etcd that was too full for a candidacy, and returns err. A
// leader would do so, but without space none is elected.
func (b *etcdBackend) reclaimSpace(ctx context.Context, err error) error {
	if !errors.Is(err, rpctypes.ErrNoSpace) {
		return err
	}
	_ = gax.Sleep(ctx, reclaimDelay) // defragmentation blocks etcd, so it is not repeated at once
	leader, failed := b.Leader(ctx)
	if failed == nil && leader == "" {
		failed = b.compact(ctx)
	}
	if failed == nil && leader == "" {
		failed = b.defragmentAll(ctx)
	}
	return errors.Join(
		fmt.Errorf("etcd is out of space; raise its --quota-backend-bytes if this repeats: %w", err), failed,
	)
}
