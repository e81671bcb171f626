package chaos

import (
	"fmt"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
)

// network connects the processes of a cluster: each reaches another through a link of its own.
type network struct{ links []*link }

// link is the way from one process to another.
type link struct {
	from, to string
	relay    *coordtest.Relay
}

// link opens a link to upstream (host:port) and returns the address at which from reaches it.
func (n *network) link(from, to, upstream string) (string, error) {
	r, err := coordtest.NewRelay(upstream)
	if err != nil {
		return "", fmt.Errorf("link from %s to %s: %w", from, to, err)
	}
	n.links = append(n.links, &link{from, to, r})
	return r.Address(), nil
}

func (n *network) close() {
	for _, l := range n.links {
		l.relay.Close()
	}
}

// between returns the links from or to a process.
func (n *network) between(process string) (links []*link) {
	for _, l := range n.links {
		if l.from == process || l.to == process {
			links = append(links, l)
		}
	}
	return links
}

// disturbAll disturbs links in the same way; the zero disturbance heals them.
func disturbAll(links []*link, d coordtest.Disturbance) {
	for _, l := range links {
		l.relay.Disturb(d)
	}
}

// latencyOf is a latency with half of it as jitter.
func latencyOf(latency time.Duration) coordtest.Disturbance {
	return coordtest.Disturbance{Latency: latency, Jitter: latency / 2}
}
