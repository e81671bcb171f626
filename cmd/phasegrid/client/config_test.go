package client

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// slowSubmit reports the time that a submit is allowed to take.
type slowSubmit struct {
	pb.UnimplementedSweepsServer
	left chan time.Duration
}

func (s slowSubmit) Submit(ctx context.Context, _ *pb.SubmitRequest) (*pb.SubmitResponse, error) {
	deadline, _ := ctx.Deadline()
	s.left <- time.Until(deadline)
	return &pb.SubmitResponse{Sweep: &pb.Sweep{}}, nil
}

// TestSubmitHasTimeForEveryPoint: a coordinator needs more than half a minute for ten million
// points whose cost is an expression.
func TestSubmitHasTimeForEveryPoint(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := slowSubmit{left: make(chan time.Duration, 1)}
	server := grpc.NewServer()
	pb.RegisterSweepsServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	config := Config{Coordinator: listener.Addr().String(), Notes: io.Discard}
	got := config.With(t.Context(), func(ctx context.Context, c *Client) error {
		_, _, _, err := c.Submit(ctx, "sweep.yaml", nil, 0, 1)
		return err
	})
	server.Stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if got != nil {
		t.Fatal(got)
	}
	if left := <-s.left; left < 5*time.Minute {
		t.Errorf("the coordinator has %v", left)
	}
}

// TestElectionTimeoutBeginsWithTheFailure: a call that had lasted long when its leader died waits
// for the next leader all the same.
func TestElectionTimeoutBeginsWithTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Config{Coordinator: "unix:/nonexistent", Notes: io.Discard}
		calls := 0
		err := o.repeat(
			t.Context(),
			"Delete",
			nil,
			nil,
			nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
				if calls++; calls == 1 {
					time.Sleep(electionTimeout + 2*time.Second)
				}
				if calls < 10 {
					return status.Error(codes.Unavailable, "no leader")
				}
				return nil
			},
		)
		if err != nil || calls != 10 {
			t.Errorf("after %d calls: %v", calls, err)
		}
	})
}
