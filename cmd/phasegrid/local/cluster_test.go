package local

import (
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refuse refuses every node. Without a health service, nodes take it for the leader.
func refuse(_ any, stream grpc.ServerStream) error {
	if method, _ := grpc.MethodFromServerStream(stream); strings.HasPrefix(method, "/grpc.health.v1.") {
		return status.Error(codes.Unimplemented, "no health service")
	}
	return status.Error(codes.InvalidArgument, "hello: no such thing")
}

// TestRefusedNodeEndsTheRun: without its only node, a run would wait forever.
func TestRefusedNodeEndsTheRun(t *testing.T) {
	listener, address, remove, err := listenPrivately()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	server := grpc.NewServer(grpc.UnknownServiceHandler(refuse))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	c := cluster{cfg: Config{Slots: 1, Log: slog.New(slog.DiscardHandler)}, address: address}
	err = c.runNodes(t.Context())
	server.Stop()
	if err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("the node ends with %v", err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}
