package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/credentials/insecure"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
)

const (
	failoverTimeout  = time.Minute
	failoverLeaseTTL = 10 * time.Second // as by default
	failoverPoll     = 100 * time.Millisecond
)

// failoverSweep has shards of a third of a second, more than all nodes solve in the meantime.
const failoverSweep = `name: failover
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.0001,
  dimension: 20, steps: 16500000}
grid: {anisotropy: {linspace: {from: 1, to: 9, num: 5000}}}
record: none
`

// leaderEnds are the ways in which a leader is taken from a cluster.
var leaderEnds = []struct {
	name       string
	begin, end func(c *cluster, leader *process) error
}{
	{
		"killed",
		func(_ *cluster, p *process) error { return p.kill() },
		func(_ *cluster, p *process) error { return p.start() },
	},
	{
		"stopped",
		func(_ *cluster, p *process) error { return stopProcess(p) },
		func(_ *cluster, p *process) error { return continueProcess(p) },
	},
	{
		"blackholed",
		func(c *cluster, p *process) error {
			disturbAll(c.network.between(p.name), coordtest.Disturbance{Blackhole: true})
			return nil
		},
		func(c *cluster, p *process) error {
			disturbAll(c.network.between(p.name), coordtest.Disturbance{})
			return nil
		},
	},
}

// Failovers takes the leader of a cluster of processes away in several ways, at most in the first
// max of them, and calls each with the way and the time until a shard is acknowledged by the next
// leader. The cluster has its state below folder.
func Failovers(ctx context.Context, folder string, max int, each func(way string, took time.Duration)) (err error) {
	cluster, err := startCluster(folder, failoverLeaseTTL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.close()) }()
	c, conn, err := client.Dial(cluster.address, insecure.NewCredentials())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := c.SubmitWhenReady(ctx, "failover.yaml", []byte(failoverSweep)); err != nil {
		return err
	}
	if _, _, err = cluster.committedSince(ctx, time.Time{}); err != nil {
		return err
	}
	for _, end := range leaderEnds[:min(max, len(leaderEnds))] {
		took, err := cluster.failover(ctx, end.begin, end.end)
		if err != nil {
			return fmt.Errorf("failover, leader %s: %w", end.name, err)
		}
		each(end.name, took)
	}
	return nil
}

// failover takes the present leader away, and undoes that once the next one is at work.
func (c *cluster) failover(
	ctx context.Context,
	begin, end func(c *cluster, leader *process) error,
) (took time.Duration, err error) {
	leader, since, err := c.lastTerm()
	if err != nil {
		return 0, err
	}
	if leader == nil {
		return 0, errors.New("no coordinator leads")
	}
	began := time.Now()
	if err := begin(c, leader); err != nil {
		return 0, err
	}
	at, next, err := c.committedSince(ctx, since)
	if err == nil && next == leader {
		err = fmt.Errorf("%s became leader again", leader.name)
	}
	return at.Sub(began), errors.Join(err, end(c, leader))
}

// committedSince waits for the first acknowledgement in a term that began after a time, and returns
// its time and the leader.
func (c *cluster) committedSince(ctx context.Context, after time.Time) (at time.Time, leader *process, err error) {
	ctx, cancel := context.WithTimeout(ctx, failoverTimeout)
	defer cancel()
	for gax.Sleep(ctx, failoverPoll) == nil {
		leader, term, err := c.lastTerm()
		if err != nil {
			return at, nil, err
		}
		if leader == nil || !term.After(after) {
			continue
		}
		for _, p := range c.nodes {
			err := new(Audit).read(p, func(l logLine) {
				if l.Msg == "shard committed" && l.Time.After(term) && (at.IsZero() || l.Time.Before(at)) {
					at = l.Time
				}
			})
			if err != nil {
				return at, nil, err
			}
		}
		if !at.IsZero() {
			return at, leader, nil
		}
	}
	return at, nil, fmt.Errorf("no shard was acknowledged within %v: %w", failoverTimeout, ctx.Err())
}

// lastTerm returns the coordinator that became leader last, and when; nil before the first term.
func (c *cluster) lastTerm() (leader *process, since time.Time, err error) {
	for _, p := range c.coordinators {
		err := new(Audit).read(p, func(l logLine) {
			if l.Msg == becameLeader && l.Time.After(since) {
				leader, since = p, l.Time
			}
		})
		if err != nil {
			return nil, since, err
		}
	}
	return leader, since, nil
}
