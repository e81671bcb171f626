package chaos

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
)

// fault is one way to disturb a cluster.
type fault struct {
	name        string
	weight      int           // its share among the faults
	least, most time.Duration // bounds of how long it lasts
	targets     []target
}

// target is what a fault is applied to, and how. Both functions may be called at any time; end
// undoes begin.
type target struct {
	name       string
	parts      []string // no two faults last at once on the same part
	begin, end func() error
}

// Event is one fault as it was applied.
type Event struct {
	At     time.Duration `json:"at_ns" yaml:"at"`
	Fault  string        `json:"fault" yaml:"fault"`
	Target string        `json:"target" yaml:"target"`
	Lasted time.Duration `json:"lasted_ns" yaml:"lasted"`
}

// faults are the faults that this cluster can have.
func (c *cluster) faults() []fault {
	all := slices.Concat(c.processFaults(), c.networkFaults())
	if c.disk.reason == "" {
		store := target{name: "store", parts: []string{"store"}, begin: c.disk.fill, end: c.disk.free}
		all = append(all, fault{"full disk", 2, 500 * time.Millisecond, 4 * time.Second, []target{store}})
	}
	return all
}

func (c *cluster) processFaults() []fault {
	const ms, s = time.Millisecond, time.Second
	return []fault{
		{"kill -9", 8, 0, 3 * s, each(c.processes(), (*process).kill, (*process).start)},
		{"kill -9 twice", 1, 100 * ms, 4 * s, pairs(c.etcds, (*process).kill, (*process).start)},
		{"stop past the lease", 3, faultLeaseTTL + s, 2 * faultLeaseTTL, each(c.nodes, stopProcess, continueProcess)},
		{"stop past the term", 3, leaderTTL + s, leaderTTL + 5*s, each(c.coordinators, stopProcess, continueProcess)},
		{"stop", 2, 100 * ms, 5 * s, each(c.processes(), stopProcess, continueProcess)},
		{"drain", 1, 0, s, each(c.nodes, drainProcess, (*process).start)},
	}
}

func (c *cluster) networkFaults() []fault {
	const ms, s = time.Millisecond, time.Second
	return []fault{
		{"blackhole", 3, 200 * ms, 2 * leaderTTL, c.linkTargets(coordtest.Disturbance{Blackhole: true})},
		{"cut", 2, 200 * ms, leaderTTL, c.linkTargets(coordtest.Disturbance{Cut: true})},
		{"latency of 50 ms", 1, s, 8 * s, c.linkTargets(latencyOf(50 * ms))},
		{"latency of 400 ms", 1, s, 8 * s, c.linkTargets(latencyOf(400 * ms))},
		{"256 KiB a second", 1, s, 8 * s, c.linkTargets(coordtest.Disturbance{Rate: 256 << 10})},
	}
}

func stopProcess(p *process) error     { return p.signal(syscall.SIGSTOP) }
func continueProcess(p *process) error { return p.signal(syscall.SIGCONT) }

// drainProcess ends a node by SIGTERM. Its drain may time out, as there may be no leader meanwhile;
// the node reports that by its exit code.
func drainProcess(p *process) error {
	err := p.terminate(context.Background())
	if exit := new(exitError); errors.As(err, exit) && exit.code == 1 {
		return nil
	}
	return err
}

// each makes every process a target.
func each(processes []*process, begin, end func(*process) error) (targets []target) {
	for _, p := range processes {
		targets = append(
			targets,
			target{p.name, []string{p.name}, func() error { return begin(p) }, func() error { return end(p) }},
		)
	}
	return targets
}

// pairs makes every two neighbours one target.
func pairs(processes []*process, begin, end func(*process) error) (targets []target) {
	for i, p := range processes {
		q := processes[(i+1)%len(processes)]
		targets = append(targets, target{
			p.name + " and " + q.name, []string{p.name, q.name},
			func() error { return errors.Join(begin(p), begin(q)) },
			func() error { return errors.Join(end(p), end(q)) },
		})
	}
	return targets
}

// linkTargets are the bundles of links that fail together: those of a node to all coordinators, of
// a coordinator to etcd, of all nodes to a coordinator, of the other members to a member of etcd.
func (c *cluster) linkTargets(d coordtest.Disturbance) (targets []target) {
	bundle := func(from, to string) {
		var links []*link
		t := target{name: from + " from " + to}
		for _, l := range c.network.links {
			if (from == l.from || from == "nodes" && strings.HasPrefix(l.from, "node")) && (to == l.to || to == "all") {
				links = append(links, l)
				t.parts = append(t.parts, "link "+l.from+" "+l.to)
			}
		}
		t.begin = func() error { disturbAll(links, d); return nil }
		t.end = func() error { disturbAll(links, coordtest.Disturbance{}); return nil }
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
