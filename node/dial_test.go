package node_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
)

// TestCallsFollowTheLeader moves the leadership between two addresses: calls reach only the
// coordinator whose health check reports that it serves.
func TestCallsFollowTheLeader(t *testing.T) {
	const service = "phasegrid.v1.Nodes"
	names := []string{"first", "second"}
	var addresses string
	var coordinators []*health.Server
	for _, name := range names {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		checks, server := health.NewServer(), grpc.NewServer()
		// The name tells which coordinator answered a call.
		checks.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
		checks.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
		healthpb.RegisterHealthServer(server, checks)
		go server.Serve(listener)
		t.Cleanup(server.Stop)
		coordinators = append(coordinators, checks)
		addresses += "," + listener.Addr().String()
	}
	conn, err := node.Dial(addresses[1:], service, insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := healthpb.NewHealthClient(conn)
	for round := range 4 {
		leader := round % 2
		coordinators[1-leader].SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
		coordinators[leader].SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
		// The two changes of health arrive in any order.
		until(t, codes.OK, func() error {
			_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: names[leader]}, grpc.WaitForReady(true))
			return err
		})
		until(t, codes.NotFound, func() error {
			_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: names[1-leader]}, grpc.WaitForReady(true))
			return err
		})
	}
}

// until repeats a call while the other coordinator answers.
func until(t *testing.T, want codes.Code, call func() error) {
	t.Helper()
	for {
		switch err := call(); status.Code(err) {
		case want:
			return
		case codes.OK, codes.NotFound:
		default:
			t.Fatal(err)
		}
	}
}
