package chaos

import (
	"fmt"
	"time"
)

// network connects the processes of a cluster: each reaches another through a link of its own.
type network struct{ links []*link }

// link is the way from one process to another.
type link struct {
	from, to string
	relay    *relay
}

// link opens a link to upstream (host:port) and returns the address at which from reaches it.
func (n *network) link(from, to, upstream string) (string, error) {
	r, err := newRelay(upstream)
	if err != nil {
		return "", fmt.Errorf("link from %s to %s: %w", from, to, err)
	}
	n.links = append(n.links, &link{from, to, r})
	return r.address(), nil
}

func (n *network) close() {
	for _, l := range n.links {
		l.relay.close()
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
func disturbAll(links []*link, d disturbance) {
	for _, l := range links {
		l.relay.disturb(d)
	}
}

// latencyOf is a latency with half of it as jitter.
func latencyOf(latency time.Duration) disturbance {
	return disturbance{latency: latency, jitter: latency / 2}
}
