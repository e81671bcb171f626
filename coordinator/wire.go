package coordinator

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Conversions between generated types and those of the domain. The bounds of fields of requests are
// in bounds_wire.go.

func specToProto(d *design, class string) *pb.Spec {
	return &pb.Spec{
		Canonical:       d.canonical,
		Name:            d.name,
		Solver:          ledger.SolverToProto(d.solver),
		PlanVersion:     int32(d.planVersion),
		ArithmeticClass: class,
	}
}

func nodeToProto(i board.NodeInfo) *pb.NodeInfo {
	solver, err := sweep.ParseSolver(i.Solver)
	if err != nil {
		panic(err) // checkInfo passes no other
	}
	return &pb.NodeInfo{
		Name: i.Name, Slots: int32(i.Slots), MemoryBytes: i.MemoryBytes, Solver: ledger.SolverToProto(solver),
		ArithmeticClass: i.Class, Kernel: i.Kernel, Version: i.Version,
	}
}

func nodeFromProto(m *pb.NodeInfo) board.NodeInfo {
	return board.NodeInfo{
		Name: m.GetName(), Slots: int(m.GetSlots()), MemoryBytes: m.GetMemoryBytes(),
		Solver: ledger.SolverFromProto(m.GetSolver(), m.GetSolverVersion()).String(),
		Class:  m.GetArithmeticClass(), Kernel: m.GetKernel(), Version: m.GetVersion(),
	}
}

// rangesFromProto checks and converts the shard ranges that a node sends.
func rangesFromProto(field string, list []*pb.ShardRun) ([]board.ShardRange, error) {
	if len(list) > maxHeldRanges {
		return nil, badField(field, "got %d ranges, want at most %d", len(list), maxHeldRanges)
	}
	ranges, shards := make([]board.ShardRange, len(list)), int64(0)
	for i, m := range list {
		if err := checkShardRange(fmt.Sprintf("%s[%d]", field, i), m); err != nil {
			return nil, err
		}
		if shards += m.GetShards(); shards > board.MaxCapacity {
			return nil, badField(field, "got more shards than a node may hold, want at most %d", board.MaxCapacity)
		}
		ranges[i] = rangeFromProto(m)
	}
	return ranges, nil
}

func rangeFromProto(m *pb.ShardRun) board.ShardRange {
	return board.ShardRange{
		Sweep: m.GetSweepId(),
		First: int(m.GetFirstShard()),
		Count: int(m.GetShards()),
		Epoch: m.GetEpoch(),
	}
}

func rangeToProto(r board.ShardRange, bounds []int64) *pb.ShardRun {
	return &pb.ShardRun{
		SweepId:    r.Sweep,
		FirstShard: int64(r.First),
		Shards:     int64(r.Count),
		Bounds:     bounds,
		Epoch:      r.Epoch,
	}
}

// tableOf converts the table of a segment.
func tableOf(t pb.Table) (results.Table, bool) {
	switch t {
	case pb.Table_TABLE_POINTS:
		return results.Points, true
	case pb.Table_TABLE_TRAJECTORIES:
		return results.Trajectories, true
	case pb.Table_TABLE_COEFFICIENTS:
		return results.Coefficients, true
	}
	return 0, false
}

// deliveryFromFrame converts a frame of the spool.
func deliveryFromFrame(f spool.Frame) (*pb.DeliverHeader, results.Delivery, error) {
	var h pb.DeliverHeader
	if err := proto.Unmarshal(f.Header, &h); err != nil {
		return nil, results.Delivery{}, fmt.Errorf("decode header of spool frame: %w", err)
	}
	d, err := deliveryFromProto(&h, f.Payload)
	return &h, d, err
}

func deliveryFromProto(h *pb.DeliverHeader, payload []byte) (results.Delivery, error) {
	d := results.Delivery{Payload: payload, CRC32C: h.GetCrc32C()}
	for i, s := range h.GetSegments() {
		t, ok := tableOf(s.GetTable())
		if !ok {
			return d, badField(fmt.Sprintf("segments[%d].table", i), "unknown table %d", s.GetTable())
		}
		d.Segments = append(d.Segments, results.Segment{Table: t, Bytes: s.GetBytes(), Rows: s.GetRows()})
	}
	return d, nil
}

// shardRow is a row of the shards table.
func shardRow(h *pb.DeliverHeader, first, end, points int64, attempts int) results.ShardRow {
	return results.ShardRow{
		Shard: h.GetShard(), First: first, End: end, Points: points, Node: h.GetNode(), Attempts: int64(attempts),
		Solver:          ledger.SolverFromProto(h.GetSolver(), h.GetSolverVersion()).String(),
		ArithmeticClass: h.GetArithmeticClass(), Kernel: h.GetKernel(),
		Started: h.GetStarted().AsTime().UnixMicro(), Finished: h.GetFinished().AsTime().UnixMicro(),
		Bytes: h.GetPayloadBytes(),
	}
}

// countsOf counts the rows of a decoded shard by status.
func countsOf(s *results.Shard) board.Counts {
	return board.Counts{
		OK: s.ByStatus[results.StatusOK], Diverged: s.ByStatus[results.StatusDiverged],
		Failed: s.ByStatus[results.StatusFailed], Invalid: s.ByStatus[results.StatusInvalid],
	}
}

// byStatus is the inverse of countsOf.
func byStatus(c board.Counts) map[string]int64 {
	return map[string]int64{
		results.StatusOK: c.OK, results.StatusDiverged: c.Diverged,
		results.StatusFailed: c.Failed, results.StatusInvalid: c.Invalid,
	}
}

func phaseToProto(p board.Phase) pb.Phase {
	switch p {
	case board.Running:
		return pb.Phase_PHASE_RUNNING
	case board.Paused:
		return pb.Phase_PHASE_PAUSED
	case board.Done:
		return pb.Phase_PHASE_DONE
	case board.Cancelled:
		return pb.Phase_PHASE_CANCELLED
	case board.Failed:
		return pb.Phase_PHASE_FAILED
	}
	return pb.Phase_PHASE_UNSPECIFIED
}

func sweepToProto(d *design, p board.Progress, alarms []string) *pb.Sweep {
	m := &pb.Sweep{
		Id: d.id, Spec: specToProto(d, p.Class), Phase: phaseToProto(p.Phase), Created: timestamppb.New(d.created),
		Priority: int32(d.priority), Weight: int32(d.weight), ResultSet: d.set,
		Progress: &pb.Progress{
			PointsDone: p.Counts.Rows(), Shards: int64(p.Shards), ShardsDone: int64(p.ShardsDone),
			ShardsLeased: int64(p.Leased), ShardsQuarantined: int64(p.Quarantined),
			ShardsLost: int64(p.Lost),
			Parts:      int64(p.Parts), PartsDone: int64(p.PartsDone),
			PointsByStatus: byStatus(p.Counts), Nodes: int32(p.Nodes), Waiting: p.Waiting,
			CostTotal: p.CostTotal, CostDone: p.CostDone, Alarms: alarms,
		},
	}
	if p.Removing {
		m.Phase = pb.Phase_PHASE_REMOVING
	}
	m.Spec.Canonical = nil // long, and sent to every watcher with every change
	if d.spec != nil {
		m.Progress.Indices = d.spec.Size()
	}
	if p.ETA > 0 {
		m.Progress.Eta = durationpb.New(p.ETA)
	}
	for _, l := range p.Failures {
		m.Progress.Losses = append(m.Progress.Losses, ledger.FailuresToProto(l))
	}
	return m
}

func nodeStatusToProto(n board.NodeStatus) *pb.NodeState {
	return &pb.NodeState{
		Info:       nodeToProto(n.Info),
		ShardsHeld: int64(n.Held),
		Draining:   n.Draining,
		Fenced:     n.Fenced,
		LastSeen:   timestamppb.New(n.LastSeen),
	}
}
