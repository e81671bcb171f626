package admission_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator/admission"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
)

const (
	check   = healthpb.Health_Check_FullMethodName
	large   = 4 << 20
	patient = 20 * time.Second
)

// serve serves gRPC health behind a gate, on a listener of loopback with caps.
func serve(t *testing.T, gate *admission.Gate, caps admission.Caps) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(gate.Options()...)
	services := admission.Registrar{Server: server, Timeout: func(string) time.Duration { return time.Minute }}
	healthpb.RegisterHealthServer(services, health.NewServer())
	done := make(chan error, 1)
	go func() { done <- server.Serve(admission.LimitListener(listener, caps, admission.ConnectionMetrics{})) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", port)
}

func dialWire(t *testing.T, address string) *coordtest.Wire {
	t.Helper()
	w, err := coordtest.DialWire(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// begin opens a call that announces a message of size bytes and sends some of them.
func begin(t *testing.T, w *coordtest.Wire, size, send int) (id uint32) {
	t.Helper()
	id, err := w.Call(check)
	if err != nil {
		t.Fatal(err)
	}
	if size >= 0 {
		if err := w.Announce(id, size); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Send(id, make([]byte, send), time.Second); err != nil {
		t.Fatal(err)
	}
	return id
}

func roomy() admission.Caps { return admission.Caps{Total: 100} }

// TestCallsAreRefusedByTheirHeaders: a message is neither awaited nor read where the role or the
// size forbids the call, and one that does not arrive ends its call.
func TestCallsAreRefusedByTheirHeaders(t *testing.T) {
	sizes := map[string]int{check: large}
	for _, c := range []struct {
		name       string
		gate       *admission.Gate
		size, send int // size -1: no message
		want       codes.Code
	}{
		{"no role", admission.NewGate(true, time.Minute, sizes), large, 1000, codes.Unauthenticated},
		{
			"too large", admission.NewGate(false, time.Minute, nil), admission.SmallMessage + 1, 0,
			codes.ResourceExhausted,
		},
		{"too large for any", admission.NewGate(false, time.Minute, sizes), large + 1, 0, codes.ResourceExhausted},
		{"no message", admission.NewGate(false, 200*time.Millisecond, nil), -1, 0, codes.DeadlineExceeded},
		{"half a message", admission.NewGate(false, time.Minute, nil), 1000, 500, codes.DeadlineExceeded},
		{"half a large one", admission.NewGate(false, time.Minute, sizes), large, large / 2, codes.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := dialWire(t, serve(t, c.gate, roomy()))
			code, err := w.Await(begin(t, w, c.size, c.send), patient)
			if err != nil || codes.Code(code) != c.want {
				t.Errorf("got %v, %v; want %v", codes.Code(code), err, c.want)
			}
		})
	}
}

// TestLargeMessagesShareABudget: of messages that are not complete, no more arrives than the budget
// of all calls, on however many connections; small calls pass meanwhile, and large ones later.
func TestLargeMessagesShareABudget(t *testing.T) {
	address := serve(t, admission.NewGate(false, time.Minute, map[string]int{check: large}), roomy())
	sent := 0
	for range 4 {
		w := dialWire(t, address)
		for range 5 {
			id, err := w.Call(check)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Announce(id, large); err != nil {
				t.Fatal(err)
			}
			n, err := w.Send(id, make([]byte, large-1), 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			sent += n
		}
	}
	// Each call has its window besides.
	if most := 32<<20 + 20*2*(64<<10); sent > most || sent < 24<<20 {
		t.Errorf("%d MiB arrived, want at most %d", sent>>20, most>>20)
	}
	client := healthpb.NewHealthClient(dial(t, address))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("a small call meanwhile: %v", err)
	}
	padded := &healthpb.HealthCheckRequest{Service: string(make([]byte, large-100))}
	if _, err := client.Check(ctx, padded); status.Code(err) != codes.NotFound {
		t.Errorf("a large call after those that stalled: %.200v", err)
	}
}

// TestCompressedMessagesAreBounded: the limit holds for what a message decompresses to.
func TestCompressedMessagesAreBounded(t *testing.T) {
	address := serve(t, admission.NewGate(false, time.Minute, nil), roomy())
	client := healthpb.NewHealthClient(dial(t, address))
	for size, want := range map[int]codes.Code{
		1000:                       codes.NotFound,
		admission.SmallMessage + 1: codes.ResourceExhausted,
	} {
		_, err := client.Check(
			t.Context(), &healthpb.HealthCheckRequest{Service: string(make([]byte, size))}, grpc.UseCompressor("gzip"),
		)
		if status.Code(err) != want {
			t.Errorf("%d bytes: got %.200v, want %v", size, err, want)
		}
	}
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
