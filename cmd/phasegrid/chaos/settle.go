package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

const (
	// settleTimeout, and as much as the faults lasted, bounds the time from the last fault to the
	// end of all sweeps.
	settleTimeout = 3 * time.Minute
	// calmTimeout bounds the time from the end of all sweeps to the end of all alarms: some rounds
	// of what coordinators repeat every few seconds.
	calmTimeout = 20 * time.Second
	settlePoll  = 100 * time.Millisecond
)

// settle waits until all sweeps are done, while the reader runs, and reads once more. Then it
// retries the quarantined shards, as an operator would.
func (t *trial) settle(ctx context.Context) error {
	healed := time.Now()
	bound, cancel := context.WithTimeout(ctx, settleTimeout+t.cfg.Duration)
	defer cancel()
	reading, stop := context.WithCancel(bound)
	var group sync.WaitGroup
	group.Go(func() { t.reader.run(reading) })
	sweeps, err := t.awaitAll(bound)
	stop()
	group.Wait()
	if err == nil {
		t.reader.once(ctx)
		err = t.retry(bound, sweeps)
	}
	if err == nil {
		err = t.awaitCalm(bound)
	}
	t.report.Settled = time.Since(healed)
	for _, s := range sweeps {
		p := s.Progress
		t.report.Sweeps++
		t.report.Points += p.PointsDone
		t.report.Shards += p.ShardsDone
		t.report.Parts += p.PartsDone
		if s.Phase != client.PhaseDone || p.ShardsQuarantined > 0 || p.PointsDone != p.Indices {
			t.report.violate("%s ended without all of its rows: %+v", s.Name, s)
		}
	}
	return err
}

// awaitAll waits until each sweep has ended, and returns the sweeps as they are then.
func (t *trial) awaitAll(ctx context.Context) ([]client.Sweep, error) {
	var sweeps []client.Sweep
	for _, s := range t.reader.all() {
		end, err := t.awaitEnd(ctx, s)
		if err != nil {
			return nil, err
		}
		sweeps = append(sweeps, end)
	}
	return sweeps, nil
}

func (t *trial) awaitEnd(ctx context.Context, s client.Sweep) (client.Sweep, error) {
	for {
		now, err := t.client.Get(ctx, s.ID)
		if err == nil && now.Ended() {
			return now, nil
		}
		if gax.Sleep(ctx, settlePoll) != nil {
			return s, errors.Join(
				fmt.Errorf("%s is not done %v after the last fault: %+v", s.Name, settleTimeout+t.cfg.Duration, now),
				err,
			)
		}
	}
}

// retry retries quarantined shards and waits until their sweeps have ended again: faults that hit a
// shard on three nodes, one after the other, look like a shard that kills nodes. The parts of these
// shards are merged again.
func (t *trial) retry(ctx context.Context, sweeps []client.Sweep) (err error) {
	for i, s := range sweeps {
		for _, suspect := range s.Progress.Suspects {
			if suspect.Quarantined {
				t.report.Quarantined = append(
					t.report.Quarantined,
					fmt.Sprintf("shard %d of %s: %s", suspect.Shard, s.Name, causesOf(suspect)),
				)
			}
		}
		if s.Progress.ShardsQuarantined == 0 {
			continue
		}
		t.reader.forget(s)
		if _, _, err := t.client.Retry(ctx, s.ID); err != nil {
			return err
		}
		if sweeps[i], err = t.awaitEnd(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// awaitCalm waits for the end of the alarms, which are those of the whole cluster: while one sweep
// is not done, others show its alarm too.
func (t *trial) awaitCalm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, calmTimeout)
	defer cancel()
	for _, s := range t.reader.all() {
		for {
			now, err := t.client.Get(ctx, s.ID)
			if err == nil && len(now.Progress.Alarms) == 0 {
				break
			}
			if gax.Sleep(ctx, settlePoll) != nil {
				return errors.Join(
					fmt.Errorf("%s is done and has alarms %v later: %q", s.Name, calmTimeout, now.Progress.Alarms),
					err,
				)
			}
		}
	}
	return nil
}

// causesOf lists the lease failures of a shard in one line.
func causesOf(s client.Suspect) string {
	var texts []string
	for _, c := range s.Causes {
		texts = append(texts, c.Node+": "+c.Cause)
	}
	return fmt.Sprintf("%d attempts; %s", s.Attempts, strings.Join(texts, "; "))
}
