package main

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// dyingLeader has sweeps of one name, the newest first. It makes the first change that it is asked
// for and dies before it answers; under the next leader, the newest sweep has been removed.
type dyingLeader struct {
	pb.UnimplementedSweepsServer
	mu     sync.Mutex
	sweeps []string
	asked  []string // ids of the sweeps that changes found
	died   bool
}

const olderSweep, newerSweep = "older-id", "newer-id"

// find returns the sweep that a reference names.
func (d *dyingLeader) find(ref string) (*pb.Sweep, error) {
	for _, id := range d.sweeps {
		if ref == id || ref == "twice" {
			return &pb.Sweep{Id: id, Spec: &pb.Spec{Name: "twice"}, Phase: pb.Phase_PHASE_DONE}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such sweep")
}

// change finds a sweep for a change, and dies if it is the first.
func (d *dyingLeader) change(ref string) (*pb.Sweep, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.find(ref)
	if err != nil {
		return nil, err
	}
	d.asked = append(d.asked, s.GetId())
	if !d.died {
		d.died = true
		d.sweeps = slices.DeleteFunc(d.sweeps, func(id string) bool { return id == s.GetId() })
		return nil, status.Error(codes.Unavailable, "died")
	}
	return s, nil
}

func (d *dyingLeader) Get(_ context.Context, r *pb.GetRequest) (*pb.GetResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.find(r.GetSweep())
	return &pb.GetResponse{Sweep: s}, err
}

func (d *dyingLeader) Delete(_ context.Context, r *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	_, err := d.change(r.GetSweep())
	return &pb.DeleteResponse{}, err
}

func (d *dyingLeader) Pause(_ context.Context, r *pb.PauseRequest) (*pb.PauseResponse, error) {
	s, err := d.change(r.GetSweep())
	return &pb.PauseResponse{Sweep: s}, err
}

func (d *dyingLeader) Resume(_ context.Context, r *pb.ResumeRequest) (*pb.ResumeResponse, error) {
	s, err := d.change(r.GetSweep())
	return &pb.ResumeResponse{Sweep: s}, err
}

func (d *dyingLeader) Cancel(_ context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	s, err := d.change(r.GetSweep())
	return &pb.CancelResponse{Sweep: s}, err
}

func (d *dyingLeader) Retry(_ context.Context, r *pb.RetryRequest) (*pb.RetryResponse, error) {
	s, err := d.change(r.GetSweep())
	return &pb.RetryResponse{Sweep: s}, err
}

// Watch shows the sweep as running before the leader dies.
func (d *dyingLeader) Watch(r *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	d.mu.Lock()
	s, err := d.find(r.GetSweep())
	d.mu.Unlock()
	if err != nil {
		return err
	}
	s.Phase = pb.Phase_PHASE_RUNNING
	if err := stream.Send(&pb.WatchResponse{Sweep: s}); err != nil {
		return err
	}
	s, err = d.change(r.GetSweep())
	if err != nil {
		return err
	}
	return stream.Send(&pb.WatchResponse{Sweep: s})
}

// TestRepeatedCallsStayWithTheirSweep: if the leader dies during a command, the repeated call does
// not reach an older sweep of the same name.
func TestRepeatedCallsStayWithTheirSweep(t *testing.T) {
	for verb, want := range map[string]int{
		"rm":    exitDone, // that sweep is gone
		"pause": exitFailed, "resume": exitFailed, "cancel": exitFailed, "retry": exitFailed, "watch": exitFailed,
	} {
		t.Run(verb, func(t *testing.T) {
			leader := &dyingLeader{sweeps: []string{newerSweep, olderSweep}}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			pb.RegisterSweepsServer(server, leader)
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			got := phasegrid(t, verb, "twice", "--coordinator", listener.Addr().String())
			server.Stop()
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			if got.code != want {
				t.Errorf("exit code %d, want %d\n%s%s", got.code, want, got.stdout, got.stderr)
			}
			if !slices.Equal(leader.asked, []string{newerSweep}) {
				t.Errorf("asked for %v, want %s alone", leader.asked, newerSweep)
			}
		})
	}
}
