package coordtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// echoThrough returns a connection, through a relay, to a server that returns what it gets.
func echoThrough(t *testing.T) (*Relay, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	r, err := NewRelay(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		listener.Close()
		<-served
	})
	return r, dialRelay(t, r)
}

func dialRelay(t *testing.T, r *Relay) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echo sends bytes and returns the time until they are back.
func echo(t *testing.T, conn net.Conn, sent []byte) time.Duration {
	t.Helper()
	start := time.Now()
	failed := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		failed <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Error("other bytes came back")
	}
	return time.Since(start)
}

func TestRelayDelays(t *testing.T) {
	r, conn := echoThrough(t)
	large := bytes.Repeat([]byte("0123456789"), 200_000)
	echo(t, conn, large)
	r.Disturb(Disturbance{Latency: 50 * time.Millisecond})
	// Both ways are delayed, and the chunks of a large message at the same time.
	if took := echo(t, conn, large); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("with a latency of 50 ms each way: %v", took)
	}
}

func TestRelayThrottles(t *testing.T) {
	r, conn := echoThrough(t)
	r.Disturb(Disturbance{Rate: 1 << 20})
	if took := echo(t, conn, make([]byte, 256<<10)); took < 250*time.Millisecond {
		t.Errorf("256 KiB at 1 MiB a second: %v", took)
	}
}

func TestRelayBlackholeLosesNothing(t *testing.T) {
	r, conn := echoThrough(t)
	echo(t, conn, []byte("before"))
	r.Disturb(Disturbance{Blackhole: true})
	later := dialRelay(t, r) // is accepted, and gets nothing
	for _, c := range []net.Conn{conn, later} {
		if _, err := c.Write([]byte("into the hole")); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
			t.Errorf("%d bytes came back, %v", n, err)
		}
		c.SetReadDeadline(time.Time{})
	}
	r.Disturb(Disturbance{})
	for _, c := range []net.Conn{conn, later} {
		got := make([]byte, len("into the hole"))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "into the hole" {
			t.Errorf("%q, %v", got, err)
		}
		c.Close() // the server serves one connection at a time
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestRelayCutResetsConnections(t *testing.T) {
	r, conn := echoThrough(t)
	echo(t, conn, []byte("before"))
	r.Disturb(Disturbance{Cut: true})
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("after the Cut: %d bytes, %v", n, err)
	}
	if c, err := net.Dial("tcp", r.Address()); err == nil {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("a new connection: %d bytes, %v", n, err)
		}
		c.Close()
	}
	r.Disturb(Disturbance{})
	echo(t, dialRelay(t, r), []byte("after"))
}

// TestRelayPassesEnds: the end of one direction passes, and the other direction stays open.
func TestRelayPassesEnds(t *testing.T) {
	_, conn := echoThrough(t)
	if _, err := conn.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "last words" {
		t.Errorf("%q, %v", got, err)
	}
}
