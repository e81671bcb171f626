package node

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// This file is the only one of the package that uses generated types: it converts them to and from
// the package's own.

// Service is the name of the gRPC service that nodes call; its health tells which coordinator is
// the leader.
const Service = "phasegrid.v1.Nodes"

// What a coordinator accepts of a node.
const (
	maxNameBytes = pb.MaxNameBytes
	maxSlots     = pb.MaxSlots
)

// nodesService calls the coordinator's Nodes service.
type nodesService struct{ client pb.NodesClient }

func newNodesService(conn grpc.ClientConnInterface) nodesService {
	return nodesService{pb.NewNodesClient(conn)}
}

// getSpec asks for a sweep's canonical spec and the solver that it needs.
func (s nodesService) getSpec(
	ctx context.Context, sweepID string,
) (canonical []byte, solver sweep.SolverIdentity, err error) {
	answer, err := s.client.GetSpec(ctx, &pb.GetSpecRequest{SweepId: sweepID})
	spec := answer.GetSpec()
	if spec.GetSolver() == nil {
		solver = sweep.BuiltinSolver(int(spec.GetSolverVersion()))
	} else {
		solver = sweep.SolverIdentity{
			Name: spec.GetSolver().GetName(), Version: spec.GetSolver().GetVersion(), Hash: spec.GetSolver().GetHash(),
		}
	}
	return spec.GetCanonical(), solver, err
}

// attach opens the stream of a session.
func (s nodesService) attach(ctx context.Context) (attachStream, error) {
	stream, err := s.client.Attach(ctx)
	return attachStream{stream}, err
}

// deliver opens the stream of a delivery.
func (s nodesService) deliver(ctx context.Context) (deliverStream, error) {
	stream, err := s.client.Deliver(ctx)
	return deliverStream{stream}, err
}

// attachStream carries the messages of a session. One goroutine may send while another receives.
type attachStream struct{ stream pb.Nodes_AttachClient }

func (s attachStream) send(m sessionRequest) error { return s.stream.Send(m.toProto()) }
func (s attachStream) closeSend() error            { return s.stream.CloseSend() }

// receive waits for the next message; messages of unknown kinds are returned empty.
func (s attachStream) receive() (sessionMessage, error) {
	m, err := s.stream.Recv()
	if err != nil {
		return sessionMessage{}, err
	}
	switch {
	case m.GetWelcome() != nil:
		w := m.GetWelcome()
		return sessionMessage{welcome: &welcome{
			leaseTTL:  time.Duration(w.GetLeaseTtlMs()) * time.Millisecond,
			heartbeat: time.Duration(w.GetHeartbeatMs()) * time.Millisecond,
			silence:   time.Duration(w.GetSilenceMs()) * time.Millisecond,
		}}, nil
	case m.GetGrant() != nil:
		leases, err := leasesFromProto(m.GetGrant().GetRuns())
		if err != nil {
			return sessionMessage{}, fmt.Errorf("read grant: %w", err)
		}
		return sessionMessage{grant: leases}, nil
	case m.GetRevoke() != nil:
		return sessionMessage{revoke: revocationsFromProto(m.GetRevoke().GetRuns())}, nil
	case m.GetRefused() != nil:
		return sessionMessage{refused: m.GetRefused().GetReason()}, nil
	}
	return sessionMessage{}, nil
}

func (m hello) toProto() *pb.AttachRequest {
	return &pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{
		Info: &pb.NodeInfo{
			Name: m.id.name, Slots: int32(m.id.slots), MemoryBytes: m.id.memoryBytes,
			Solver: solverToProto(m.id.solver), ArithmeticClass: m.id.arithmeticClass, Kernel: m.id.kernel,
			Version: m.id.version,
		},
		Held: rangesToProto(m.held), Capacity: int32(m.capacity), Instance: m.id.instance,
	}}}
}

func solverToProto(s sweep.SolverIdentity) *pb.SolverIdentity {
	return &pb.SolverIdentity{Name: s.Name, Version: s.Version, Hash: s.Hash}
}

func (m heartbeat) toProto() *pb.AttachRequest {
	return &pb.AttachRequest{
		Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: int32(m.capacity)}},
	}
}

func (m abandon) toProto() *pb.AttachRequest {
	return &pb.AttachRequest{Message: &pb.AttachRequest_Abandon{
		Abandon: &pb.Abandon{Run: rangesToProto([]lease{m.lease})[0], Cause: m.cause},
	}}
}

func (m drain) toProto() *pb.AttachRequest {
	return &pb.AttachRequest{
		Message: &pb.AttachRequest_Drain{Drain: &pb.Drain{Returned: rangesToProto(m.returned)}},
	}
}

func (m bye) toProto() *pb.AttachRequest {
	return &pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{Returned: rangesToProto(m.returned)}}}
}

// sessionRequest is a message to the coordinator.
type sessionRequest interface{ toProto() *pb.AttachRequest }

// deliverStream carries one delivery: header, chunks, answer.
type deliverStream struct{ stream pb.Nodes_DeliverClient }

// wireTables are the names of tables on the wire.
var wireTables = map[results.Table]pb.Table{
	results.Points:       pb.Table_TABLE_POINTS,
	results.Trajectories: pb.Table_TABLE_TRAJECTORIES,
	results.Coefficients: pb.Table_TABLE_COEFFICIENTS,
}

func (s deliverStream) sendHeader(id identity, d delivery) error {
	header := &pb.DeliverHeader{
		SweepId: d.lease.shard.sweep, Shard: d.lease.shard.number, Epoch: d.lease.epoch,
		Node: id.name, Solver: solverToProto(id.solver), ArithmeticClass: id.arithmeticClass,
		Kernel: id.kernel, Instance: id.instance,
		PayloadBytes: int64(len(d.rows.Payload)), Crc32C: d.rows.CRC32C,
		Started: timestamppb.New(d.started), Finished: timestamppb.New(d.finished),
	}
	for _, g := range d.rows.Segments {
		header.Segments = append(header.Segments, &pb.Segment{Table: wireTables[g.Table], Bytes: g.Bytes, Rows: g.Rows})
	}
	return s.stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: header}})
}

func (s deliverStream) sendChunk(chunk []byte) error {
	return s.stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: chunk}})
}

// close waits for the coordinator's answer; committed is false where it did not want the shard.
func (s deliverStream) close() (committed bool, err error) {
	answer, err := s.stream.CloseAndRecv()
	return answer.GetOutcome() == pb.DeliverResponse_OUTCOME_COMMITTED, err
}

func rangesToProto(leases []lease) []*pb.ShardRun {
	var out []*pb.ShardRun
	for _, r := range rangesOf(leases) {
		out = append(out, &pb.ShardRun{
			SweepId: r.sweep, FirstShard: r.first, Shards: r.shards(), Bounds: r.bounds, Epoch: r.epoch,
		})
	}
	return out
}

// leasesFromProto checks ranges of shards and splits them into leases.
func leasesFromProto(in []*pb.ShardRun) ([]lease, error) {
	var out []lease
	for _, r := range in {
		bounds := r.GetBounds()
		if r.GetShards() < 1 || int64(len(bounds)) != r.GetShards()+1 {
			return nil, fmt.Errorf("sweep %s, shard %d: got %d bounds for %d shards, want one more than shards",
				r.GetSweepId(), r.GetFirstShard(), len(bounds), r.GetShards())
		}
		for i := 1; i < len(bounds); i++ {
			if bounds[i] < bounds[i-1] || bounds[0] < 0 {
				return nil, fmt.Errorf(
					"sweep %s, shard %d: bounds fall or are negative", r.GetSweepId(), r.GetFirstShard(),
				)
			}
		}
		granted := shardRange{sweep: r.GetSweepId(), first: r.GetFirstShard(), bounds: bounds, epoch: r.GetEpoch()}
		out = append(out, granted.leases()...)
	}
	return out, nil
}

func revocationsFromProto(in []*pb.ShardRun) []revocation {
	out := make([]revocation, 0, len(in))
	for _, r := range in {
		out = append(out, revocation{r.GetSweepId(), r.GetFirstShard(), r.GetShards()})
	}
	return out
}
