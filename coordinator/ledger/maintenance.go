package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	compactEvery  = time.Minute
	reclaimDelay  = 2 * time.Second
	defragTimeout = time.Minute // of one member, which does nothing else meanwhile
)

// space is how writers that etcd refused for want of space and the goroutine that makes room talk.
// Safe for concurrent use.
type space struct {
	full   chan struct{}
	failed atomic.Pointer[string] // what went wrong when room was made last
}

func newSpace() *space { return &space{full: make(chan struct{}, 1)} }

// ask has room made, and returns what to tell of a refused write.
func (s *space) request(refused error) error {
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
func (s *space) report(err error) {
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
				err = b.defragmentAll(ctx)
			}
		}
		space.report(err)
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
	return b.defragmentAll(ctx)
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
func (b *etcdBackend) defragmentAll(ctx context.Context) error {
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

// relieve makes room in an etcd that was too full for a candidacy, and returns err. A leader would
// do so; where there is none there would never be one.
func (b *etcdBackend) reclaimSpace(ctx context.Context, err error) error {
	if !errors.Is(err, rpctypes.ErrNoSpace) {
		return err
	}
	select { // making room stops etcd for a while; if it is of no use, it is not done all the time
	case <-time.After(reclaimDelay):
	case <-ctx.Done():
	}
	leader, failed := b.Leader(ctx)
	if failed == nil && leader == "" {
		failed = b.compact(ctx)
	}
	if failed == nil && leader == "" {
		failed = b.defragmentAll(ctx)
	}
	return errors.Join(fmt.Errorf("out of space: raise its quota if this goes on: %w", err), failed)
}
