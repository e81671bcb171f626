package coordtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const (
	relayChunk = 32 << 10 // bytes that are read at once
	relayQueue = 64       // chunks of one direction that wait to be written
)

// Disturbance is what a relay does to the connections that it carries. The zero value carries them
// undisturbed.
type Disturbance struct {
	Latency   time.Duration // of every byte, one way
	Jitter    time.Duration // at most this is added to the latency, at random
	Rate      int64         // bytes a second in each direction of a connection; 0 is unlimited
	Cut       bool          // connections are reset, and new ones as soon as they are accepted
	Blackhole bool          // nothing passes, nothing is lost, and neither side notices
}

// Relay carries TCP connections to another address. Bytes arrive in order and none is lost before a
// cut, as with TCP. It is safe for concurrent use.
type Relay struct {
	listener net.Listener
	upstream string
	ctx      context.Context // ends with the relay
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu          sync.Mutex
	present     Disturbance
	changed     chan struct{} // closed when present changes
	connections map[*connection]bool
}

// NewRelay starts a relay to an address (host:port).
func NewRelay(upstream string) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay to %s: %w", upstream, err)
	}
	r := &Relay{
		listener:    listener,
		upstream:    upstream,
		changed:     make(chan struct{}),
		connections: map[*connection]bool{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.running.Go(r.accept)
	return r, nil
}

// Address is where the relay listens.
func (r *Relay) Address() string { return r.listener.Addr().String() }

// Disturb replaces the present Disturbance.
func (r *Relay) Disturb(d Disturbance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.present = d
	close(r.changed)
	r.changed = make(chan struct{})
	if d.Cut {
		r.abortAll()
	}
}

// Close resets all connections and waits until the relay's goroutines have ended.
func (r *Relay) Close() {
	r.cancel()
	r.listener.Close()
	r.mu.Lock()
	r.abortAll()
	r.mu.Unlock()
	r.running.Wait()
}

// abortAll resets every connection. The caller holds mu.
func (r *Relay) abortAll() {
	for c := range r.connections {
		c.abort()
	}
}

func (r *Relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		r.running.Go(func() { r.carry(conn) })
	}
}

// carry carries one connection until it ends.
func (r *Relay) carry(conn net.Conn) {
	c := &connection{relay: r}
	c.ctx, c.cancel = context.WithCancel(r.ctx)
	defer c.abort()
	c.add(conn)
	if !r.register(c) {
		return
	}
	defer r.unregister(c)
	if !c.awaitTurn(time.Now(), 0) {
		return
	}
	var dialer net.Dialer
	upstream, err := dialer.DialContext(c.ctx, "tcp", r.upstream)
	if err != nil {
		return
	}
	c.add(upstream)
	var both sync.WaitGroup
	var up, down bool
	both.Go(func() { up = c.pump(upstream, conn) })
	both.Go(func() { down = c.pump(conn, upstream) })
	both.Wait()
	if up && down { // a reset would lose what the peers have not received yet
		upstream.Close()
		conn.Close()
	}
}

// register returns false if the relay is cut.
func (r *Relay) register(c *connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.present.Cut {
		return false
	}
	r.connections[c] = true
	return true
}

func (r *Relay) unregister(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connections, c)
}

func (r *Relay) current() (d Disturbance, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.present, r.changed
}

// connection is one connection through a relay: one of the peer that dialed, one to the upstream.
type connection struct {
	relay  *Relay
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	mu    sync.Mutex
	conns []net.Conn
}

// add has abort reset a connection too; if abort was called before, at once.
func (c *connection) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	if c.ctx.Err() != nil {
		reset(conn)
	}
}

// abort resets the connections; those that have ended already stay as they are.
func (c *connection) abort() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		reset(conn)
	}
}

// reset closes a connection so that its peer gets an error, and loses what is on its way.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails if the connection is closed
	}
	conn.Close()
}

// chunk is a piece of a stream and the time when it came.
type chunk struct {
	bytes []byte
	came  time.Time
}

// pump carries one direction. It returns true when the stream from src has ended and all of it is
// written, and false if the connection ends before.
func (c *connection) pump(dst, src net.Conn) bool {
	chunks := make(chan chunk, relayQueue)
	c.relay.running.Go(func() {
		defer close(chunks)
		for {
			buffer := make([]byte, relayChunk)
			n, err := src.Read(buffer)
			if n > 0 {
				select {
				case chunks <- chunk{buffer[:n], time.Now()}:
				case <-c.ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	for next := range chunks {
		if !c.awaitTurn(next.came, int64(len(next.bytes))) {
			return false
		}
		if _, err := dst.Write(next.bytes); err != nil {
			c.abort()
			return false
		}
	}
	if !c.awaitTurn(time.Now(), 0) { // an end passes like a byte
		return false
	}
	tcp, ok := dst.(*net.TCPConn)
	return ok && tcp.CloseWrite() == nil
}

// awaitTurn waits until bytes that came at a time may pass, and returns false if the connection
// ends before.
func (c *connection) awaitTurn(came time.Time, bytes int64) bool {
	began := time.Now()
	for {
		d, changed := c.relay.current()
		due := came.Add(d.Latency)
		if d.Jitter > 0 {
			due = due.Add(time.Duration(rand.Int64N(int64(d.Jitter))))
		}
		if d.Rate > 0 {
			sent := began.Add(time.Duration(bytes) * time.Second / time.Duration(d.Rate))
			due = latest(due, sent)
		}
		var timer <-chan time.Time // none under a blackhole
		if !d.Blackhole {
			wait := time.Until(due)
			if wait <= 0 {
				return c.ctx.Err() == nil
			}
			timer = time.After(wait)
		}
		select {
		case <-timer:
			return true
		case <-changed:
		case <-c.ctx.Done():
			return false
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
