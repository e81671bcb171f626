package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// maxFaults is how many faults may last at once.
const maxFaults = 4

// chaosFault is one thing that can be done to a cluster.
type chaosFault struct {
	name   string
	weight int
	// least and most bound how long it lasts.
	least, most time.Duration
	targets     []chaosTarget
}

// chaosTarget is whom a fault is done to, and how.
type chaosTarget struct {
	name       string
	parts      []string // no two faults last at once on the same part
	begin, end func() error
}

// chaosEvent is one fault, as it was done.
type chaosEvent struct {
	At     time.Duration `json:"at_ns" yaml:"at"`
	Fault  string        `json:"fault" yaml:"fault"`
	Target string        `json:"target" yaml:"target"`
	Lasted time.Duration `json:"lasted_ns" yaml:"lasted"`
}

// faults are what this cluster can suffer.
func (c *chaosCluster) faults() []chaosFault {
	all := []chaosFault{
		{
			name:    "kill -9",
			weight:  8,
			least:   0,
			most:    3 * time.Second,
			targets: each(c.processes(), (*chaosProcess).kill, (*chaosProcess).start),
		},
		{
			name:    "kill -9 twice",
			weight:  1,
			least:   100 * time.Millisecond,
			most:    4 * time.Second,
			targets: pairs(c.etcds, (*chaosProcess).kill, (*chaosProcess).start),
		},
		{
			name:    "stop past the lease",
			weight:  3,
			least:   chaosLeaseTTL + time.Second,
			most:    2 * chaosLeaseTTL,
			targets: each(c.nodes, stopProcess, continueProcess),
		},
		{
			name:    "stop past the term",
			weight:  3,
			least:   leaderTTL + time.Second,
			most:    leaderTTL + 5*time.Second,
			targets: each(c.coordinators, stopProcess, continueProcess),
		},
		{
			name:    "stop",
			weight:  2,
			least:   100 * time.Millisecond,
			most:    5 * time.Second,
			targets: each(c.processes(), stopProcess, continueProcess),
		},
		{
			name:    "drain",
			weight:  1,
			least:   0,
			most:    time.Second,
			targets: each(c.nodes, drainProcess, (*chaosProcess).start),
		},
		{
			name:    "cut off",
			weight:  3,
			least:   200 * time.Millisecond,
			most:    2 * leaderTTL,
			targets: c.cuts((*chaosLink).silence),
		},
		{
			name:    "refused",
			weight:  2,
			least:   200 * time.Millisecond,
			most:    leaderTTL,
			targets: c.cuts(func(l *chaosLink) error { l.refuse(); return nil }),
		},
		{
			name:    "latency of 50 ms",
			weight:  1,
			least:   time.Second,
			most:    8 * time.Second,
			targets: c.cuts(func(l *chaosLink) error { return l.slow(50 * time.Millisecond) }),
		},
		{
			name:    "latency of 400 ms",
			weight:  1,
			least:   time.Second,
			most:    8 * time.Second,
			targets: c.cuts(func(l *chaosLink) error { return l.slow(400 * time.Millisecond) }),
		},
	}
	if c.disk.reason == "" {
		all = append(all, chaosFault{name: "full disk", weight: 2, least: 500 * time.Millisecond, most: 4 * time.Second,
			targets: []chaosTarget{{name: "store", parts: []string{"store"}, begin: c.disk.fill, end: c.disk.free}}})
	}
	return all
}

func stopProcess(p *chaosProcess) error     { return p.signal(syscall.SIGSTOP) }
func continueProcess(p *chaosProcess) error { return p.signal(syscall.SIGCONT) }

// drainProcess lets a drain run out of its time: nobody may lead meanwhile, and the node says so by
// its exit code.
func drainProcess(p *chaosProcess) error {
	err := p.terminate(context.Background())
	if exit := new(exitError); errors.As(err, exit) && exit.code == exitFailed {
		return nil
	}
	return err
}

// each makes every process a target.
func each(processes []*chaosProcess, begin, end func(*chaosProcess) error) (targets []chaosTarget) {
	for _, p := range processes {
		targets = append(
			targets,
			chaosTarget{p.name, []string{p.name}, func() error { return begin(p) }, func() error { return end(p) }},
		)
	}
	return targets
}

// pairs makes every two neighbours one target.
func pairs(processes []*chaosProcess, begin, end func(*chaosProcess) error) (targets []chaosTarget) {
	for i, p := range processes {
		q := processes[(i+1)%len(processes)]
		targets = append(targets, chaosTarget{p.name + " and " + q.name, []string{p.name, q.name},
			func() error { return errors.Join(begin(p), begin(q)) }, func() error { return errors.Join(end(p), end(q)) }})
	}
	return targets
}

// cuts are the bundles of links that fail together: a node and all coordinators, a coordinator and
// etcd or all nodes, a member of etcd and the others.
func (c *chaosCluster) cuts(begin func(*chaosLink) error) (targets []chaosTarget) {
	bundle := func(from, to string) {
		var links []*chaosLink
		for _, l := range c.network.links {
			if (from == l.from || from == "nodes" && l.from[:4] == "node") && (to == l.to || to == "all") {
				links = append(links, l)
			}
		}
		t := chaosTarget{name: from + " from " + to}
		for _, l := range links {
			t.parts = append(t.parts, "link "+l.from+" "+l.to)
		}
		t.begin = func() error { return onLinks(links, begin) }
		t.end = func() error { return onLinks(links, (*chaosLink).heal) }
		targets = append(targets, t)
	}
	for _, p := range c.nodes {
		bundle(p.name, "all")
	}
	for _, p := range c.coordinators {
		bundle(p.name, "all")
		bundle("nodes", p.name)
	}
	for _, p := range c.etcds {
		bundle("etcd", p.name)
	}
	return targets
}

func onLinks(links []*chaosLink, do func(*chaosLink) error) error {
	var errs []error
	for _, l := range links {
		errs = append(errs, do(l))
	}
	return errors.Join(errs...)
}

// chaosMonkey does faults to a cluster. Who draws what from a seed is always the same; what the
// cluster is at when it comes is not.
type chaosMonkey struct {
	faults []chaosFault
	random *rand.Rand
	start  time.Time
	tell   func(chaosEvent)

	mu     sync.Mutex
	busy   map[string]bool
	events []chaosEvent
	errs   []error
}

func newChaosMonkey(c *chaosCluster, seed uint64, start time.Time, tell func(chaosEvent)) *chaosMonkey {
	return &chaosMonkey{
		faults: c.faults(),
		random: rand.New(rand.NewPCG(seed, 0)),
		start:  start,
		tell:   tell,
		busy:   map[string]bool{},
	}
}

// run does faults until ctx ends, and then undoes those that last.
func (m *chaosMonkey) run(ctx context.Context) error {
	var lasting sync.WaitGroup
	room := make(chan struct{}, maxFaults)
	for {
		wait := 200*time.Millisecond + time.Duration(m.random.Int64N(int64(1200*time.Millisecond)))
		if !client.Pause(ctx, wait) {
			break
		}
		fault, target, length := m.draw()
		if !m.take(target) {
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		lasting.Go(func() {
			defer func() { <-room }()
			m.do(ctx, fault, target, length)
		})
	}
	lasting.Wait()
	return errors.Join(m.errs...)
}

// draw chooses a fault, whom it is done to and how long it lasts.
func (m *chaosMonkey) draw() (chaosFault, chaosTarget, time.Duration) {
	total := 0
	for _, f := range m.faults {
		total += f.weight
	}
	n, i := m.random.IntN(total), 0
	for n >= m.faults[i].weight {
		n -= m.faults[i].weight
		i++
	}
	f := m.faults[i]
	return f, f.targets[m.random.IntN(len(f.targets))], f.least + time.Duration(m.random.Int64N(int64(f.most-f.least)))
}

// take claims all parts of a target, or none.
func (m *chaosMonkey) take(t chaosTarget) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(t.parts, func(part string) bool { return m.busy[part] }) {
		return false
	}
	for _, part := range t.parts {
		m.busy[part] = true
	}
	return true
}

func (m *chaosMonkey) do(ctx context.Context, f chaosFault, t chaosTarget, length time.Duration) {
	began := time.Now()
	err := t.begin()
	if err == nil {
		client.Pause(ctx, length)
	}
	err = errors.Join(err, t.end())
	event := chaosEvent{At: began.Sub(m.start), Fault: f.name, Target: t.name, Lasted: time.Since(began)}
	m.tell(event)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, part := range t.parts {
		delete(m.busy, part)
	}
	m.events = append(m.events, event)
	if err != nil {
		m.errs = append(m.errs, fmt.Errorf("%s to %s: %w", f.name, t.name, err))
	}
}
