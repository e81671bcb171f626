package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// healPatience bounds how long a link's toxics may take to go.
const healPatience = 5 * time.Second

// chaosNetwork is the network between the parts: each talks to another through a link of its own.
type chaosNetwork struct {
	server *toxiproxy.ApiServer
	links  []*chaosLink
}

// chaosLink is where one part reaches another.
type chaosLink struct {
	from, to string
	proxy    *toxiproxy.Proxy
}

func newChaosNetwork() *chaosNetwork {
	return &chaosNetwork{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
}

// link opens a link to upstream (host:port) and returns the address at which from reaches it.
func (n *chaosNetwork) link(from, to, upstream string) (string, error) {
	proxy := toxiproxy.NewProxy(n.server, from+"-"+to, "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		return "", fmt.Errorf("link from %s to %s: %w", from, to, err)
	}
	n.links = append(n.links, &chaosLink{from, to, proxy})
	return proxy.Listen, nil
}

func (n *chaosNetwork) close() {
	for _, l := range n.links {
		l.proxy.Stop()
	}
}

// silence lets nothing through any more, without a word to either side.
func (l *chaosLink) silence() error {
	return l.poison(`{"type": "timeout", "attributes": {"timeout": 0}, `)
}

// slow delays everything by a time and a jitter.
func (l *chaosLink) slow(latency time.Duration) error {
	ms := latency.Milliseconds()
	return l.poison(fmt.Sprintf(`{"type": "latency", "attributes": {"latency": %d, "jitter": %d}, `, ms, ms/2))
}

// poison adds a toxic in both directions.
func (l *chaosLink) poison(toxic string) error {
	for _, direction := range []string{"upstream", "downstream"} {
		text := toxic + `"name": "` + direction + `", "stream": "` + direction + `"}`
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			return fmt.Errorf("link from %s to %s: %w", l.from, l.to, err)
		}
	}
	return nil
}

// refuse breaks the connections and takes no new ones.
func (l *chaosLink) refuse() { l.proxy.Stop() }

// heal makes the link as it was.
func (l *chaosLink) heal() error {
	ctx, cancel := context.WithTimeout(context.Background(), healPatience)
	defer cancel()
	if l.proxy.Enabled {
		l.proxy.Toxics.ResetToxics(ctx)
		return nil
	}
	if err := l.proxy.Start(); err != nil {
		return fmt.Errorf("link from %s to %s: %w", l.from, l.to, err)
	}
	return nil
}
