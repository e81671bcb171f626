package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"google.golang.org/grpc/credentials/insecure"
)

const (
	// failoverBound is what a leader's end may cost: its own time to live, and this.
	failoverBound    = leaderTTL + 2*time.Second
	failoverPatience = time.Minute
	failoverLease    = 10 * time.Second // of nodes, as by default
	failoverPoll     = 100 * time.Millisecond
)

// failoverSweep has shards of a third of a second, more than all nodes solve meanwhile.
const failoverSweep = `name: failover
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, learning_rate: 0.0001, dimension: 20, steps: 16500000}
grid: {anisotropy: {linspace: {from: 1, to: 9, num: 5000}}}
record: none
`

// leaderEnd is a way in which a leader is lost to all others.
type leaderEnd struct {
	name       string
	begin, end func(c *chaosCluster, leader *chaosProcess) error
}

var leaderEnds = []leaderEnd{
	{
		"killed",
		func(_ *chaosCluster, p *chaosProcess) error { return p.kill() },
		func(_ *chaosCluster, p *chaosProcess) error { return p.start() },
	},
	{
		"stopped",
		func(_ *chaosCluster, p *chaosProcess) error { return stopProcess(p) },
		func(_ *chaosCluster, p *chaosProcess) error { return continueProcess(p) },
	},
	{
		"cut off without a word",
		func(c *chaosCluster, p *chaosProcess) error { return onLinks(c.linksOf(p), (*chaosLink).silence) },
		func(c *chaosCluster, p *chaosProcess) error { return onLinks(c.linksOf(p), (*chaosLink).heal) },
	},
}

// failover ends leaders of a real cluster and takes the time until a shard is acknowledged by the
// next one.
func (s benchScheduleOptions) failover(ctx context.Context, report *benchReport, ends []leaderEnd) (err error) {
	folder, remove, err := benchFolder("")
	if err != nil {
		return err
	}
	defer remove()
	cluster, err := startChaosCluster(folder, failoverLease)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.close()) }()
	c, conn, err := client.Dial(cluster.address, insecure.NewCredentials())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := c.SubmitWhenLed(ctx, "failover.yaml", []byte(failoverSweep)); err != nil {
		return err
	}
	if _, _, err = cluster.committedSince(ctx, time.Time{}); err != nil {
		return err
	}
	for _, e := range ends {
		report.begin("failover between %d coordinators, the leader %s", chaosCoordinators, e.name)
		took, err := cluster.failover(ctx, e)
		if err != nil {
			return fmt.Errorf("failover, the leader %s: %w", e.name, err)
		}
		report.add(
			benchFigure{
				Name:  "failover to the first acknowledgement, leader " + e.name,
				Value: took.Seconds(),
				Unit:  "s",
				Note: fmt.Sprintf(
					"%d coordinators, %d etcd, %d nodes as processes",
					chaosCoordinators,
					chaosEtcds,
					chaosNodes,
				),
			},
			atMost(failoverBound.Seconds()),
		)
	}
	return nil
}

// failover ends the present leader in one way, and undoes it once the next one is at work.
func (c *chaosCluster) failover(ctx context.Context, e leaderEnd) (took time.Duration, err error) {
	leader, since, err := c.lastTerm()
	if err != nil {
		return 0, err
	}
	if leader == nil {
		return 0, errors.New("nobody leads")
	}
	began := time.Now()
	if err := e.begin(c, leader); err != nil {
		return 0, err
	}
	at, next, err := c.committedSince(ctx, since)
	if err == nil && next == leader {
		err = fmt.Errorf("%s leads again", leader.name)
	}
	return at.Sub(began), errors.Join(err, e.end(c, leader))
}

// committedSince waits for the first acknowledgement of a term that began after a time, and tells
// who leads in it.
func (c *chaosCluster) committedSince(
	ctx context.Context,
	after time.Time,
) (at time.Time, leader *chaosProcess, err error) {
	ctx, cancel := context.WithTimeout(ctx, failoverPatience)
	defer cancel()
	for client.Pause(ctx, failoverPoll) {
		leader, term, err := c.lastTerm()
		if err != nil {
			return at, nil, err
		}
		if leader == nil || !term.After(after) {
			continue
		}
		for _, p := range c.nodes {
			err := new(chaosAudit).read(p, func(l chaosLogLine) {
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
	return at, nil, fmt.Errorf("no shard was acknowledged within %v: %w", failoverPatience, ctx.Err())
}

// lastTerm is who led last, and since when; nil before the first.
func (c *chaosCluster) lastTerm() (leader *chaosProcess, since time.Time, err error) {
	for _, p := range c.coordinators {
		err := new(chaosAudit).read(p, func(l chaosLogLine) {
			if l.Msg == "leads" && l.Time.After(since) {
				leader, since = p, l.Time
			}
		})
		if err != nil {
			return nil, since, err
		}
	}
	return leader, since, nil
}

// linksOf are the links by which a coordinator reaches etcd, and nodes reach it.
func (c *chaosCluster) linksOf(p *chaosProcess) (links []*chaosLink) {
	for _, l := range c.network.links {
		if l.from == p.name || l.to == p.name {
			links = append(links, l)
		}
	}
	return links
}
