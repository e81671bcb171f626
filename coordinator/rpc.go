package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/coordinator/board"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

const (
	watchEvery = 200 * time.Millisecond
	maxPage    = 100     // sweeps in one answer
	pageBytes  = 1 << 20 // from which on no sweep is added to a page
)

// callTimeout bounds a unary call. One that plans a sweep may have to evaluate the cost of ten
// million points.
func callTimeout(method string) time.Duration {
	switch method {
	case pb.Sweeps_Submit_FullMethodName, pb.Sweeps_Plan_FullMethodName:
		return 10 * time.Minute
	}
	return time.Minute
}

// registerServices registers the services of this coordinator.
func (c *Coordinator) registerServices(server grpc.ServiceRegistrar) {
	pb.RegisterSweepsServer(server, &sweepsServer{leader: c, planner: c.planner})
	pb.RegisterNodesServer(server, &nodesServer{leader: c, calls: c.calls, handshakes: c.handshakes})
	flight.RegisterFlightServiceServer(server, &flightServer{leader: c, calls: c.calls})
}

// leader gives servers the current term.
type leader interface {
	// leading returns the current term, or the error that tells a caller where the leader is.
	leading(ctx context.Context) (*term, error)
	// notLeader returns that error.
	notLeader(ctx context.Context) error
}

var _ leader = (*Coordinator)(nil)

// sweepsServer is the service for clients.
type sweepsServer struct {
	pb.UnimplementedSweepsServer
	leader  leader
	planner *planner
}

func (s *sweepsServer) Submit(ctx context.Context, r *pb.SubmitRequest) (*pb.SubmitResponse, error) {
	t, err := s.leader.leading(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkSubmit(r); err != nil {
		return nil, err
	}
	d, err := s.planner.parse(ctx, r.GetFilename(), r.GetFile())
	if err != nil {
		return nil, err
	}
	d.created, d.priority, d.weight = time.Now().UTC(), int(r.GetPriority()), max(1, int(r.GetWeight()))
	e, created, err := t.create(ctx, d)
	if err != nil {
		return nil, err
	}
	m, err := s.sweep(ctx, t, e)
	return &pb.SubmitResponse{Sweep: m, Created: created, Warnings: d.spec.Warnings()}, err
}

// sweep returns the message of a sweep.
func (s *sweepsServer) sweep(ctx context.Context, t *term, e *entry) (*pb.Sweep, error) {
	p, err := t.progress(ctx, e)
	if err != nil {
		return nil, err
	}
	return sweepToProto(e.design, p, t.alarms.list()), nil
}

// resolve returns the sweep that a request names.
func resolve(ctx context.Context, l leader, ref string) (*term, *entry, error) {
	t, err := l.leading(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := checkName("sweep", ref); err != nil {
		return nil, nil, err
	}
	e, err := t.find(ref)
	return t, e, err
}

func (s *sweepsServer) Get(ctx context.Context, r *pb.GetRequest) (*pb.GetResponse, error) {
	t, e, err := resolve(ctx, s.leader, r.GetSweep())
	if err != nil {
		return nil, err
	}
	m, err := s.sweep(ctx, t, e)
	return &pb.GetResponse{Sweep: m}, err
}

// List returns the sweeps in pages, the newest first. The token of a page is the position of its
// last sweep, so that sweeps which are added or removed between two pages neither hide others nor
// show them twice.
func (s *sweepsServer) List(ctx context.Context, r *pb.ListRequest) (*pb.ListResponse, error) {
	t, err := s.leader.leading(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkPage(r); err != nil {
		return nil, err
	}
	t.mu.RLock()
	entries := slices.Collect(maps.Values(t.sweeps))
	t.mu.RUnlock()
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(pageToken(a), pageToken(b)) })
	size, bytes := int(r.GetPageSize()), 0
	if size == 0 {
		size = maxPage
	}
	response := &pb.ListResponse{}
	last := ""
	for _, e := range entries {
		if pageToken(e) <= r.GetPageToken() {
			continue
		}
		if len(response.Sweeps) == min(size, maxPage) || bytes > pageBytes {
			response.NextPageToken = last
			break
		}
		m, err := s.sweep(ctx, t, e)
		if errors.Is(err, errUnknownSweep) {
			continue
		}
		if err != nil {
			return nil, err
		}
		response.Sweeps = append(response.Sweeps, m)
		last, bytes = pageToken(e), bytes+proto.Size(m)
	}
	return response, nil
}

// pageToken is the position of a sweep in a list, as a text that sorts the newest first.
func pageToken(e *entry) string {
	return fmt.Sprintf("%016x-%s", math.MaxInt64-e.design.created.UnixNano(), e.design.id)
}

func (s *sweepsServer) Watch(r *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	ctx := stream.Context()
	t, e, err := resolve(ctx, s.leader, r.GetSweep())
	if err != nil {
		return err
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last *pb.Sweep
	for {
		m, err := s.sweep(ctx, t, e)
		if err != nil {
			return err
		}
		if !proto.Equal(m, last) {
			if err := stream.Send(&pb.WatchResponse{Sweep: m}); err != nil {
				return err
			}
			last = m
		}
		if m.GetPhase() >= pb.Phase_PHASE_DONE {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-t.ended:
			return s.leader.notLeader(ctx)
		}
	}
}

// change passes an event about a named sweep to the board and returns the sweep after it.
func (s *sweepsServer) change(
	ctx context.Context,
	ref string,
	event func(id string, token uint64) board.Event,
) (*pb.Sweep, board.Answer, error) {
	t, e, err := resolve(ctx, s.leader, ref)
	if err != nil {
		return nil, board.Answer{}, err
	}
	if e.failure != "" {
		return nil, board.Answer{}, fmt.Errorf(
			"change sweep %s: %w: this release cannot continue it: %s", e.design.set, errEnded, e.failure,
		)
	}
	if v := e.design.planVersion; v != sweep.PlanVersion { // it has ended: retry would begin it again
		return nil, board.Answer{}, fmt.Errorf(
			"change sweep %s: %w: it has plan version %d, this release has %d; submit its file again as a new sweep",
			e.design.set, errEnded, v, sweep.PlanVersion,
		)
	}
	a, err := t.request(ctx, func(token uint64) board.Event { return event(e.design.id, token) })
	if err == nil {
		err = outcomeError(a.Outcome)
	}
	if err != nil {
		return nil, a, fmt.Errorf("change sweep %s: %w", e.design.set, err)
	}
	m, err := s.sweep(ctx, t, e)
	return m, a, err
}

func (s *sweepsServer) setPhase(ctx context.Context, ref string, p board.Phase) (*pb.Sweep, error) {
	m, _, err := s.change(ctx, ref, func(id string, token uint64) board.Event {
		return board.PhaseRequested{Token: token, Sweep: id, Phase: p}
	})
	return m, err
}

func (s *sweepsServer) Pause(ctx context.Context, r *pb.PauseRequest) (*pb.PauseResponse, error) {
	m, err := s.setPhase(ctx, r.GetSweep(), board.Paused)
	return &pb.PauseResponse{Sweep: m}, err
}

func (s *sweepsServer) Resume(ctx context.Context, r *pb.ResumeRequest) (*pb.ResumeResponse, error) {
	m, err := s.setPhase(ctx, r.GetSweep(), board.Running)
	return &pb.ResumeResponse{Sweep: m}, err
}

func (s *sweepsServer) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	m, err := s.setPhase(ctx, r.GetSweep(), board.Cancelled)
	return &pb.CancelResponse{Sweep: m}, err
}

func (s *sweepsServer) Retry(ctx context.Context, r *pb.RetryRequest) (*pb.RetryResponse, error) {
	m, a, err := s.change(ctx, r.GetSweep(), func(id string, token uint64) board.Event {
		return board.RetryRequested{Token: token, Sweep: id}
	})
	return &pb.RetryResponse{Sweep: m, Shards: int64(a.Shards)}, err
}

func (s *sweepsServer) Delete(ctx context.Context, r *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	t, e, err := resolve(ctx, s.leader, r.GetSweep())
	if err != nil {
		return nil, err
	}
	return &pb.DeleteResponse{}, t.remove(ctx, e)
}

func (s *sweepsServer) Plan(ctx context.Context, r *pb.PlanRequest) (*pb.PlanResponse, error) {
	if err := checkFile(r.GetFile(), r.GetFilename()); err != nil {
		return nil, err
	}
	d, err := s.planner.parse(ctx, r.GetFilename(), r.GetFile())
	if err != nil {
		return nil, err
	}
	points, _ := d.spec.Count()
	m := &pb.PlanResponse{
		Indices:  d.spec.Size(),
		Shards:   d.plan.Shards(),
		Parts:    d.plan.Parts(),
		Points:   points,
		Warnings: d.spec.Warnings(),
	}
	for i := range d.plan.Shards() {
		m.Cost += float64(d.plan.Cost(i))
	}
	return m, nil
}

func (s *sweepsServer) ListNodes(ctx context.Context, _ *pb.ListNodesRequest) (*pb.ListNodesResponse, error) {
	t, err := s.leader.leading(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := ask(ctx, t, func() []board.NodeStatus { return t.board.Nodes() })
	if err != nil {
		return nil, err
	}
	response := &pb.ListNodesResponse{}
	for _, n := range nodes {
		response.Nodes = append(response.Nodes, nodeStatusToProto(n))
	}
	return response, nil
}
