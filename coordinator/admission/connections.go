package admission

import (
	"container/list"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/peer"
)

// Caps bound the connections of a listener.
type Caps struct {
	Total int
	Peer  int // of one address; 0 is no bound
	// Descriptors is the number of descriptors that the process may have; connections leave
	// reservedDescriptors of them.
	Descriptors int
}

// ConnectionCaps returns the caps of the listener for calls: what the descriptors of the process
// allow. A peer address gets peerMost, by default three quarters of all.
func ConnectionCaps(descriptors, peerMost int) Caps {
	total := min(maxConnections, max(1, descriptors-reservedDescriptors))
	if peerMost == 0 {
		peerMost = max(1, int(peerShare*float64(total)))
	}
	return Caps{total, peerMost, descriptors}
}

// ProbeCaps returns the caps of a listener for probes.
func ProbeCaps(descriptors int) Caps {
	return Caps{Total: maxProbeConnections, Descriptors: descriptors}
}

// Descriptors returns how many descriptors the process may have. The Go runtime has raised the soft
// limit to the hard one when the process started.
func Descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<20 {
		return 1 << 20
	}
	return int(limit.Cur)
}

// Reasons why a connection was closed, as labels of ConnectionMetrics.Closed.
const (
	closedSilent      = "silent"      // made room for a newer one
	closedTotal       = "total"       // no room, and every other connection has made a call
	closedPeer        = "peer"        // the same, among those of its address
	closedDescriptors = "descriptors" // the process has too few descriptors left
)

// ConnectionMetrics count the connections of a listener. Nil fields are not counted.
type ConnectionMetrics struct {
	Open   prometheus.Gauge
	Closed func(reason string)
}

func (m ConnectionMetrics) open(n int) {
	if m.Open != nil {
		m.Open.Set(float64(n))
	}
}

func (m ConnectionMetrics) closed(reason string) {
	if m.Closed != nil {
		m.Closed(reason)
	}
}

// LimitListener returns a listener that closes connections beyond the caps. To make room for a new
// connection it closes the one that has been silent longest, of those that have made no call.
func LimitListener(l net.Listener, caps Caps, metrics ConnectionMetrics) net.Listener {
	return &listener{Listener: l, caps: caps, metrics: metrics, peers: map[string]int{}}
}

// listener is a net.Listener with caps.
type listener struct {
	net.Listener
	caps    Caps
	metrics ConnectionMetrics

	mu     sync.Mutex
	open   int
	peers  map[string]int
	silent list.List // of *conn without a call, oldest first
}

// Accept returns the next connection that there is room for.
func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, listener: l, peer: peerOf(accepted)}
		if reason := l.admit(c); reason != "" {
			accepted.Close()
			l.metrics.closed(reason)
			continue
		}
		return c, nil
	}
}

// admit counts a connection, or returns why there is no room for it.
func (l *listener) admit(c *conn) (reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	// The lowest free number is used, so all below it are in use.
	case l.caps.Descriptors > 0 && descriptorOf(c.Conn) >= l.caps.Descriptors-reservedDescriptors/2:
		reason = closedDescriptors
	case l.open >= l.caps.Total:
		reason = closedTotal
	case l.caps.Peer > 0 && c.peer != "" && l.peers[c.peer] >= l.caps.Peer:
		reason = closedPeer
	}
	if reason != "" && !l.evict(c.peer, reason == closedPeer) {
		return reason
	}
	l.open++
	l.peers[c.peer]++
	c.element = l.silent.PushBack(c)
	l.metrics.open(l.open)
	return ""
}

// evict closes the oldest silent connection, of the peer if ofPeer. It reports whether there is
// one.
func (l *listener) evict(peer string, ofPeer bool) bool {
	for e := l.silent.Front(); e != nil; e = e.Next() {
		c := e.Value.(*conn)
		if ofPeer && c.peer != peer {
			continue
		}
		l.forget(c)
		c.Conn.Close()
		l.metrics.closed(closedSilent)
		return true
	}
	return false
}

// forget stops to count a connection. The caller holds mu.
func (l *listener) forget(c *conn) {
	if c.forgotten {
		return
	}
	c.forgotten = true
	l.open--
	if l.peers[c.peer]--; l.peers[c.peer] == 0 {
		delete(l.peers, c.peer)
	}
	l.speak(c)
	l.metrics.open(l.open)
}

// speak removes a connection from the silent ones. The caller holds mu.
func (l *listener) speak(c *conn) {
	if c.element != nil {
		l.silent.Remove(c.element)
		c.element = nil
	}
}

// conn is a counted connection. Fields below element are guarded by listener.mu.
type conn struct {
	net.Conn
	listener *listener
	peer     string      // address without port; "" if it has none
	proven   atomic.Bool // has made a call

	element   *list.Element // in listener.silent
	forgotten bool
}

// Close closes the connection and stops to count it.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.forget(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// RemoteAddr returns the address of the peer, by which prove finds the connection.
func (c *conn) RemoteAddr() net.Addr { return address{c.Conn.RemoteAddr(), c} }

// prove records that the peer has made an authorized call.
func (c *conn) prove() {
	if c.proven.Swap(true) {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.listener.speak(c)
}

// address is the address of the peer of a connection.
type address struct {
	net.Addr
	conn *conn
}

// prove records that the connection of a gRPC call has made one.
func prove(ctx context.Context) {
	if from, ok := peer.FromContext(ctx); ok {
		if a, ok := from.Addr.(address); ok {
			a.conn.prove()
		}
	}
}

// connKey is the context key of the connection of an HTTP request.
type connKey struct{}

// ConnContext is the ConnContext of an http.Server, for Prove.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Prove records that the connection of an HTTP request has made one.
func Prove(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.prove()
	}
}

// peerOf returns the address of a peer without its port.
func peerOf(c net.Conn) string {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP.String()
	}
	return ""
}

// descriptorOf returns the descriptor of a connection, 0 if it has none.
func descriptorOf(c net.Conn) (number int) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	if err := raw.Control(func(fd uintptr) { number = int(fd) }); err != nil {
		return 0
	}
	return number
}
