package coordinator_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// relay is the way to an etcd server. Closed, it loses what is on it at once: etcd itself takes
// seconds for its goodbyes.
type relay struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	closed bool
	conns  []net.Conn
}

func newRelay(t *testing.T, cfg *embed.Config) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, to: cfg.ListenClientUrls[0].Host}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { r.carry(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.close()
		connections.Wait()
	})
	return r
}

// etcd is the cluster at the end of the way, for coordinators that wait for it no longer than tests
// can.
func (r *relay) etcd() ledger.Etcd {
	return ledger.Etcd{
		Endpoints:  []string{"http://" + r.listener.Addr().String()},
		SessionTTL: 2 * time.Second,
		Timeout:    time.Second,
	}
}

// carry passes bytes on in both directions until either end closes.
func (r *relay) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer to.Close()
	r.mu.Lock()
	closed := r.closed
	r.conns = append(r.conns, from, to)
	r.mu.Unlock()
	if closed {
		return
	}
	var there sync.WaitGroup
	there.Go(func() {
		io.Copy(to, from) // ends with either connection
		to.Close()
	})
	io.Copy(from, to)
	from.Close()
	there.Wait()
}

func (r *relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

func (r *relay) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = false
}
