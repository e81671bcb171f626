package coordinator

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator/board"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Conversions between the wire and the domain. What the fields of requests may hold is in
// bounds_wire.go.

// encode fails for a text that is not UTF-8: whoever let it in is told, and nobody else.
func encode(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return b, nil
}

func encodeSweep(d *design) ([]byte, error) {
	m := &pb.SweepState{
		Spec:     specToProto(d, ""),
		Created:  timestamppb.New(d.created),
		Priority: int32(d.priority),
		Weight:   int32(d.weight),
	}
	// There is room for some 80,000 shards of which no two are equal.
	if cuts := cutsToProto(d.plan); proto.Size(m)+proto.Size(cuts) <= sweep.MaxCanonicalBytes {
		m.Cuts = cuts
	}
	return encode(m)
}

func cutsToProto(p *sweep.Plan) *pb.CutsState {
	m := &pb.CutsState{}
	var runs []sweep.CutRun
	runs, m.Parts = p.CutRuns()
	for _, r := range runs {
		m.Shards, m.Points = append(m.Shards, r.Shards), append(m.Points, r.Points)
		m.Cost, m.MemoryBytes = append(m.Cost, r.Cost), append(m.MemoryBytes, r.Bytes)
	}
	return m
}

func cutsFromProto(m *pb.CutsState) ([]sweep.CutRun, error) {
	n := len(m.GetShards())
	if len(m.GetPoints()) != n || len(m.GetCost()) != n || len(m.GetMemoryBytes()) != n {
		return nil, errors.New("columns of cuts differ in length")
	}
	runs := make([]sweep.CutRun, n)
	for i := range runs {
		runs[i] = sweep.CutRun{Shards: m.Shards[i], Points: m.Points[i], Cost: m.Cost[i], Bytes: m.MemoryBytes[i]}
	}
	return runs, nil
}

func specToProto(d *design, class string) *pb.Spec {
	return &pb.Spec{
		Canonical:       d.canonical,
		Name:            d.name,
		SolverVersion:   int32(d.solver),
		PlanVersion:     int32(d.version),
		ArithmeticClass: class,
	}
}

func decodeSweep(b []byte) (sweepRecord, error) {
	var m pb.SweepState
	if err := proto.Unmarshal(b, &m); err != nil {
		return sweepRecord{}, err
	}
	cuts, err := cutsFromProto(m.GetCuts())
	if err != nil {
		return sweepRecord{}, err
	}
	return sweepRecord{
		Cuts: cuts, Parts: m.GetCuts().GetParts(),
		Canonical: m.GetSpec().GetCanonical(), Name: m.GetSpec().GetName(), Solver: int(m.GetSpec().GetSolverVersion()),
		PlanVersion: int(m.GetSpec().GetPlanVersion()), Created: m.GetCreated().AsTime(),
		Priority: int(m.GetPriority()), Weight: int(m.GetWeight()),
	}, nil
}

func encodeDone(items []shelfItem) ([]byte, error) {
	m := &pb.DoneState{}
	index := map[string]uint32{}
	for _, it := range items {
		o, ok := index[it.at.object]
		if !ok {
			o = uint32(len(m.Objects))
			index[it.at.object] = o
			m.Objects = append(m.Objects, it.at.object)
		}
		m.Shards = append(m.Shards, int64(it.shard))
		m.Object = append(m.Object, o)
		m.Offsets = append(m.Offsets, it.at.offset)
		m.PayloadBytes = append(m.PayloadBytes, it.at.bytes)
		m.Ok = append(m.Ok, it.rows.OK)
		m.Diverged = append(m.Diverged, it.rows.Diverged)
		m.Failed = append(m.Failed, it.rows.Failed)
		m.Invalid = append(m.Invalid, it.rows.Invalid)
	}
	return encode(m)
}

func decodeDone(b []byte) ([]shelfItem, error) {
	var m pb.DoneState
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	n := len(m.Shards)
	for _, k := range []int{len(m.Object), len(m.Offsets), len(m.PayloadBytes), len(m.Ok), len(m.Diverged), len(m.Failed), len(m.Invalid)} {
		if k != n {
			return nil, errors.New("columns of different length")
		}
	}
	items := make([]shelfItem, n)
	for i := range items {
		if int(m.Object[i]) >= len(m.Objects) {
			return nil, fmt.Errorf("object %d of %d", m.Object[i], len(m.Objects))
		}
		items[i] = shelfItem{
			shard: int(m.Shards[i]), at: location{m.Objects[m.Object[i]], m.Offsets[i], m.PayloadBytes[i]},
			rows: board.Counts{OK: m.Ok[i], Diverged: m.Diverged[i], Failed: m.Failed[i], Invalid: m.Invalid[i]},
		}
	}
	return items, nil
}

func encodePart(p partRecord) ([]byte, error) {
	m := &pb.PartState{Ok: p.Rows.OK, Diverged: p.Rows.Diverged, Failed: p.Rows.Failed, Invalid: p.Rows.Invalid}
	for _, f := range p.Files {
		m.Files = append(m.Files, &pb.PartFile{Path: f.Path, Bytes: f.Bytes, Rows: f.Rows, Sha256: f.SHA256[:]})
	}
	for _, s := range p.Missing {
		m.Missing = append(m.Missing, int64(s))
	}
	return encode(m)
}

func decodePart(b []byte) (partRecord, error) {
	var m pb.PartState
	if err := proto.Unmarshal(b, &m); err != nil {
		return partRecord{}, err
	}
	p := partRecord{Rows: board.Counts{OK: m.GetOk(), Diverged: m.GetDiverged(), Failed: m.GetFailed(), Invalid: m.GetInvalid()}}
	for _, f := range m.GetFiles() {
		file := partFile{Path: f.GetPath(), Bytes: f.GetBytes(), Rows: f.GetRows()}
		if copy(file.SHA256[:], f.GetSha256()) != len(file.SHA256) {
			return partRecord{}, fmt.Errorf("file %q: sha256 of %d bytes", file.Path, len(f.GetSha256()))
		}
		p.Files = append(p.Files, file)
	}
	for _, s := range m.GetMissing() {
		p.Missing = append(p.Missing, int(s))
	}
	return p, nil
}

func lossToProto(l board.Loss) *pb.Loss {
	m := &pb.Loss{Shard: int64(l.Shard), Attempts: int32(l.Attempts), Quarantined: l.Quarantined}
	for _, c := range l.Causes {
		m.Causes = append(m.Causes, &pb.LossCause{Node: c.Node, Cause: c.Text, Time: timestamppb.New(c.Time)})
	}
	return m
}

func encodeLoss(l board.Loss) ([]byte, error) { return encode(&pb.LossState{Loss: lossToProto(l)}) }

func decodeLoss(b []byte) (board.Loss, error) {
	var m pb.LossState
	if err := proto.Unmarshal(b, &m); err != nil {
		return board.Loss{}, err
	}
	l := board.Loss{
		Shard:       int(m.GetLoss().GetShard()),
		Attempts:    int(m.GetLoss().GetAttempts()),
		Quarantined: m.GetLoss().GetQuarantined(),
	}
	for _, c := range m.GetLoss().GetCauses() {
		l.Causes = append(l.Causes, board.Cause{Node: c.GetNode(), Text: c.GetCause(), Time: c.GetTime().AsTime()})
	}
	return l, nil
}

func nodeToProto(i board.NodeInfo) *pb.NodeInfo {
	return &pb.NodeInfo{
		Name: i.Name, Slots: int32(i.Slots), MemoryBytes: i.MemoryBytes, SolverVersion: int32(i.Solver),
		ArithmeticClass: i.Class, Kernel: i.Kernel, Version: i.Version,
	}
}

func nodeFromProto(m *pb.NodeInfo) board.NodeInfo {
	return board.NodeInfo{
		Name: m.GetName(), Slots: int(m.GetSlots()), MemoryBytes: m.GetMemoryBytes(), Solver: int(m.GetSolverVersion()),
		Class: m.GetArithmeticClass(), Kernel: m.GetKernel(), Version: m.GetVersion(),
	}
}

// runsFromProto checks and converts runs that a node names.
func runsFromProto(field string, list []*pb.ShardRun) ([]board.Run, error) {
	if len(list) > maxHeldRuns {
		return nil, badField(field, "%d runs; at most %d", len(list), maxHeldRuns)
	}
	runs, shards := make([]board.Run, len(list)), int64(0)
	for i, m := range list {
		if err := checkRun(fmt.Sprintf("%s[%d]", field, i), m); err != nil {
			return nil, err
		}
		if shards += m.GetShards(); shards > board.MaxCapacity {
			return nil, badField(field, "more than %d shards; no node holds so many", board.MaxCapacity)
		}
		runs[i] = runFromProto(m)
	}
	return runs, nil
}

func runFromProto(m *pb.ShardRun) board.Run {
	return board.Run{Sweep: m.GetSweepId(), First: int(m.GetFirstShard()), Count: int(m.GetShards()), Epoch: m.GetEpoch()}
}

func runToProto(r board.Run, bounds []int64) *pb.ShardRun {
	return &pb.ShardRun{
		SweepId:    r.Sweep,
		FirstShard: int64(r.First),
		Shards:     int64(r.Count),
		Bounds:     bounds,
		Epoch:      r.Epoch,
	}
}

// tableOf is a delivery's table.
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

// deliveryFromFrame is a spooled shard as package results reads it.
func deliveryFromFrame(f frame) (*pb.DeliverHeader, results.Delivery, error) {
	var h pb.DeliverHeader
	if err := proto.Unmarshal(f.header, &h); err != nil {
		return nil, results.Delivery{}, fmt.Errorf("header of a spool frame: %w", err)
	}
	d, err := deliveryFromProto(&h, f.payload)
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

// shardRow is a line of the log of who computed what.
func shardRow(h *pb.DeliverHeader, first, end, points int64, attempts int) results.ShardRow {
	return results.ShardRow{
		Shard: h.GetShard(), First: first, End: end, Points: points, Node: h.GetNode(), Attempts: int64(attempts),
		SolverVersion: int64(h.GetSolverVersion()), ArithmeticClass: h.GetArithmeticClass(), Kernel: h.GetKernel(),
		Started: h.GetStarted().AsTime().UnixMicro(), Finished: h.GetFinished().AsTime().UnixMicro(), Bytes: h.GetPayloadBytes(),
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
			ShardsLeased: int64(
				p.Leased,
			), ShardsQuarantined: int64(p.Quarantined), Parts: int64(p.Parts), PartsDone: int64(p.PartsDone),
			PointsByStatus: map[string]int64{
				results.StatusOK: p.Counts.OK, results.StatusDiverged: p.Counts.Diverged,
				results.StatusFailed: p.Counts.Failed, results.StatusInvalid: p.Counts.Invalid,
			},
			Nodes: int32(p.Nodes), Waiting: p.Waiting, CostTotal: p.CostTotal, CostDone: p.CostDone, Alarms: alarms,
		},
	}
	if p.Removing {
		m.Phase = pb.Phase_PHASE_REMOVING
	}
	m.Spec.Canonical = nil // long, and sent with every change to whoever watches
	if d.spec != nil {
		m.Progress.Indices = d.spec.Size()
	}
	if p.ETA > 0 {
		m.Progress.Eta = durationpb.New(p.ETA)
	}
	for _, l := range p.Losses {
		m.Progress.Losses = append(m.Progress.Losses, lossToProto(l))
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
