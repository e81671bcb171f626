package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// settlePatience bounds the time from the last fault to the end of all sweeps, beside as much as
// the faults lasted.
const settlePatience = 3 * time.Minute

// calmPatience bounds the time from the end of all sweeps to that of all alarms: some rounds of
// what is tried again each few seconds.
const calmPatience = 20 * time.Second

// settle waits until all sweeps are done, while readers go on, and reads once more. Then it does
// what a person would: it has the shards run again that are in quarantine.
func (r *chaosRun) settle(ctx context.Context) error {
	healed := time.Now()
	bound, cancel := context.WithTimeout(ctx, settlePatience+r.o.Duration)
	defer cancel()
	reading, stop := context.WithCancel(bound)
	var reader sync.WaitGroup
	reader.Go(func() { r.reader.run(reading) })
	sweeps, err := r.await(bound)
	stop()
	reader.Wait()
	if err == nil {
		r.reader.once(ctx)
		err = r.retry(bound, sweeps)
	}
	if err == nil {
		err = r.awaitCalm(bound)
	}
	r.report.Settled = time.Since(healed)
	for _, v := range sweeps {
		r.report.Sweeps++
		r.report.Points += v.Progress.PointsDone
		r.report.Shards += v.Progress.ShardsDone
		r.report.Parts += v.Progress.PartsDone
		if v.Phase != client.PhaseDone || v.Progress.ShardsQuarantined > 0 || v.Progress.PointsDone != v.Progress.Indices {
			r.report.violate("%s came to rest without all of its rows: %+v", v.Name, v)
		}
	}
	return err
}

// await waits for each sweep's end, and returns the sweeps as they are then.
func (r *chaosRun) await(ctx context.Context) ([]client.Sweep, error) {
	var sweeps []client.Sweep
	for _, v := range r.reader.all() {
		end, err := r.awaitEnd(ctx, v)
		if err != nil {
			return nil, err
		}
		sweeps = append(sweeps, end)
	}
	return sweeps, nil
}

func (r *chaosRun) awaitEnd(ctx context.Context, v client.Sweep) (client.Sweep, error) {
	for {
		now, err := r.client.Get(ctx, v.ID)
		if err == nil && now.Ended() {
			return now, nil
		}
		if !client.Pause(ctx, 100*time.Millisecond) {
			return v, errors.Join(
				fmt.Errorf("%s is not done %v after the last fault: %+v", v.Name, settlePatience+r.o.Duration, now),
				err,
			)
		}
	}
}

// retry has quarantined shards run again, and waits until their sweeps have ended once more: faults
// that hit a shard on three nodes, one after the other, look like a shard that kills nodes. Its
// part is written anew then.
func (r *chaosRun) retry(ctx context.Context, sweeps []client.Sweep) (err error) {
	for i, v := range sweeps {
		for _, l := range v.Progress.Suspects {
			if l.Quarantined {
				r.report.Quarantined = append(
					r.report.Quarantined,
					fmt.Sprintf("shard %d of %s: %s", l.Shard, v.Name, causesOf(l)),
				)
			}
		}
		if v.Progress.ShardsQuarantined == 0 {
			continue
		}
		r.reader.forget(v)
		if _, _, err := r.client.Retry(ctx, v.ID); err != nil {
			return err
		}
		if sweeps[i], err = r.awaitEnd(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// awaitCalm waits for the end of the alarms, which are the whole cluster's: while one sweep is not
// done, others show its alarm too.
func (r *chaosRun) awaitCalm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, calmPatience)
	defer cancel()
	for _, v := range r.reader.all() {
		for {
			now, err := r.client.Get(ctx, v.ID)
			if err == nil && len(now.Progress.Alarms) == 0 {
				break
			}
			if !client.Pause(ctx, 100*time.Millisecond) {
				return errors.Join(
					fmt.Errorf(
						"%s is done and the alarms go on %v later: %q",
						v.Name,
						calmPatience,
						now.Progress.Alarms,
					),
					err,
				)
			}
		}
	}
	return nil
}

// causesOf tells in one line how a shard's leases failed.
func causesOf(s client.Suspect) string {
	var texts []string
	for _, c := range s.Causes {
		texts = append(texts, c.Node+": "+c.Cause)
	}
	return fmt.Sprintf("%d attempts; %s", s.Attempts, strings.Join(texts, "; "))
}
