package admission_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/coordinator/admission"
)

// silent opens a connection from a loopback address and says nothing.
func silent(t *testing.T, from, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patient}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// closedWithin reports whether the server closes a connection in time.
func closedWithin(t *testing.T, c net.Conn, limit time.Duration) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	for {
		_, err := c.Read(make([]byte, 1024)) // the settings of the server, if it sent them
		if errors.Is(err, io.EOF) || err != nil && !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func honest(t *testing.T, from, address string) healthpb.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient(
		address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return healthpb.NewHealthClient(conn)
}

func calls(t *testing.T, c healthpb.HealthClient) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := c.Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

// TestSilentConnectionsMakeRoom: connections without a call never keep out those that make one, and
// are closed in the order in which they came; those that have made a call stay.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	address := serve(t, admission.NewGate(false, time.Minute, nil), admission.Caps{Total: 5})
	early := honest(t, "127.0.0.1", address)
	if err := calls(t, early); err != nil {
		t.Fatal(err)
	}
	watch, err := early.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	var quiet []net.Conn
	for range 12 {
		quiet = append(quiet, silent(t, "127.0.0.1", address))
	}
	if !closedWithin(t, quiet[0], 2*time.Second) {
		t.Error("the oldest silent connection stays open")
	}
	if closedWithin(t, quiet[11], 100*time.Millisecond) {
		t.Error("the newest silent connection is closed")
	}
	for range 3 {
		if err := calls(t, honest(t, "127.0.0.1", address)); err != nil {
			t.Errorf("a call among silent connections: %v", err)
		}
	}
	if _, err := early.Watch(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("the connection that made a call before: %v", err)
	}
}

// TestHandshakesHaveTime: a connection that says nothing is closed within seconds, with room for it
// or not.
func TestHandshakesHaveTime(t *testing.T) {
	address := serve(t, admission.NewGate(false, time.Minute, nil), roomy())
	if !closedWithin(t, silent(t, "127.0.0.1", address), 2*admission.HandshakeTimeout) {
		t.Errorf("a silent connection is open after %v", 2*admission.HandshakeTimeout)
	}
}

// TestOneAddressLeavesRoom: calls of one address, however many connections it holds, leave room for
// those of others.
func TestOneAddressLeavesRoom(t *testing.T) {
	address := serve(t, admission.NewGate(false, time.Minute, nil), admission.Caps{Total: 8, Peer: 4})
	for range 4 {
		if err := calls(t, honest(t, "127.0.0.1", address)); err != nil {
			t.Fatal(err)
		}
	}
	if err := calls(t, honest(t, "127.0.0.1", address)); err == nil {
		t.Error("a fifth connection of an address that may have four makes a call")
	}
	if err := calls(t, honest(t, "127.0.0.2", address)); err != nil {
		t.Errorf("a call of another address: %v", err)
	}
}

// TestDescriptorsAreLeft: connections leave descriptors for files.
func TestDescriptorsAreLeft(t *testing.T) {
	for _, c := range []struct{ descriptors, peer, total, ofPeer int }{
		{256, 0, 96, 72},
		{1024, 0, 864, 648},
		{1 << 20, 0, 4096, 3072},
		{1024, 10, 864, 10},
		{100, 0, 1, 1},
	} {
		got := admission.ConnectionCaps(c.descriptors, c.peer)
		if got.Total != c.total || got.Peer != c.ofPeer {
			t.Errorf("%d descriptors: got %+v, want %d, %d", c.descriptors, got, c.total, c.ofPeer)
		}
	}
	// All descriptors but those in reserve are in use: the test process has more than a few.
	address := serve(t, admission.NewGate(false, time.Minute, nil), admission.Caps{Total: 8, Descriptors: 81})
	if err := calls(t, honest(t, "127.0.0.1", address)); err == nil {
		t.Error("a connection is admitted although the process has no descriptor to spare")
	}
}
