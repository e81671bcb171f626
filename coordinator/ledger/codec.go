package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator/board"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

// Encode returns the bytes of a message, the same for equal messages. It fails for a text that is
// not UTF-8.
func Encode(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return b, nil
}

// EncodeSweep returns the value of the key of a sweep. It leaves out cuts that are too large for a
// value, which has room for about 80,000 shards of which no two are equal; the plan is computed
// again then.
func EncodeSweep(s SweepState) ([]byte, error) {
	m := &pb.SweepState{
		Spec: &pb.Spec{
			Canonical: s.Canonical, Name: s.Name, Solver: SolverToProto(s.Solver), PlanVersion: int32(s.PlanVersion),
		},
		Created: timestamppb.New(s.Created), Priority: int32(s.Priority), Weight: int32(s.Weight),
	}
	if cuts := cutsToProto(s); proto.Size(m)+proto.Size(cuts) <= sweep.MaxCanonicalBytes {
		m.Cuts = cuts
	}
	return Encode(m)
}

// SolverToProto converts the identity of a solver.
func SolverToProto(s sweep.SolverIdentity) *pb.SolverIdentity {
	return &pb.SolverIdentity{Name: s.Name, Version: s.Version, Hash: s.Hash}
}

// SolverFromProto converts the identity of a solver, which earlier releases write as a version of
// the built-in solver. The result may be invalid.
func SolverFromProto(m *pb.SolverIdentity, version int32) sweep.SolverIdentity {
	if m == nil && version > 0 {
		return sweep.BuiltinSolver(int(version))
	}
	return sweep.SolverIdentity{Name: m.GetName(), Version: m.GetVersion(), Hash: m.GetHash()}
}

func cutsToProto(s SweepState) *pb.CutsState {
	m := &pb.CutsState{Parts: s.Parts}
	for _, r := range s.Cuts {
		m.Shards, m.Points = append(m.Shards, r.Shards), append(m.Points, r.Points)
		m.Cost, m.MemoryBytes = append(m.Cost, r.Cost), append(m.MemoryBytes, r.Bytes)
	}
	m.Checksum = cutsChecksum(m)
	return m
}

// cutsFromProto returns none if they are damaged: they follow from the spec.
func cutsFromProto(m *pb.CutsState) (cuts []sweep.CutRun, parts []int64) {
	n := len(m.GetShards())
	if len(m.GetPoints()) != n || len(m.GetCost()) != n || len(m.GetMemoryBytes()) != n ||
		m.GetChecksum() != 0 && m.GetChecksum() != cutsChecksum(m) {
		return nil, nil
	}
	cuts = make([]sweep.CutRun, n)
	for i := range cuts {
		cuts[i] = sweep.CutRun{Shards: m.Shards[i], Points: m.Points[i], Cost: m.Cost[i], Bytes: m.MemoryBytes[i]}
	}
	return cuts, m.GetParts()
}

// cutsChecksum is the CRC-32C of the numbers of cuts, column by column.
func cutsChecksum(m *pb.CutsState) uint32 {
	var b []byte
	for _, column := range [][]int64{m.GetShards(), m.GetPoints(), m.GetCost(), m.GetMemoryBytes(), m.GetParts()} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(column)))
		for _, n := range column {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

func decodeSweep(b []byte) (SweepState, error) {
	var m pb.SweepState
	if err := proto.Unmarshal(b, &m); err != nil {
		return SweepState{}, err
	}
	cuts, parts := cutsFromProto(m.GetCuts())
	return SweepState{
		Cuts: cuts, Parts: parts,
		Canonical: m.GetSpec().GetCanonical(), Name: m.GetSpec().GetName(),
		Solver:      SolverFromProto(m.GetSpec().GetSolver(), m.GetSpec().GetSolverVersion()),
		PlanVersion: int(m.GetSpec().GetPlanVersion()), Created: m.GetCreated().AsTime(),
		Priority: int(m.GetPriority()), Weight: int(m.GetWeight()),
	}, nil
}

// EncodeDone returns the value of a done key.
func EncodeDone(items []DoneShard) ([]byte, error) {
	m := &pb.DoneState{}
	index := map[string]uint32{}
	for _, it := range items {
		o, ok := index[it.Object]
		if !ok {
			o = uint32(len(m.Objects))
			index[it.Object] = o
			m.Objects = append(m.Objects, it.Object)
		}
		m.Shards = append(m.Shards, int64(it.Shard))
		m.Object = append(m.Object, o)
		m.Offsets = append(m.Offsets, it.Offset)
		m.PayloadBytes = append(m.PayloadBytes, it.Bytes)
		m.Ok = append(m.Ok, it.Rows.OK)
		m.Diverged = append(m.Diverged, it.Rows.Diverged)
		m.Failed = append(m.Failed, it.Rows.Failed)
		m.Invalid = append(m.Invalid, it.Rows.Invalid)
	}
	return Encode(m)
}

func decodeDone(b []byte) ([]DoneShard, error) {
	var m pb.DoneState
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	n := len(m.Shards)
	for _, k := range []int{
		len(m.Object), len(m.Offsets), len(m.PayloadBytes), len(m.Ok), len(m.Diverged), len(m.Failed), len(m.Invalid),
	} {
		if k != n {
			return nil, errors.New("columns differ in length")
		}
	}
	items := make([]DoneShard, n)
	for i := range items {
		if int(m.Object[i]) >= len(m.Objects) {
			return nil, fmt.Errorf("got object %d of %d", m.Object[i], len(m.Objects))
		}
		items[i] = DoneShard{
			Shard: int(m.Shards[i]), Object: m.Objects[m.Object[i]], Offset: m.Offsets[i], Bytes: m.PayloadBytes[i],
			Rows: board.Counts{OK: m.Ok[i], Diverged: m.Diverged[i], Failed: m.Failed[i], Invalid: m.Invalid[i]},
		}
	}
	return items, nil
}

// EncodePart returns the value of the key of a part.
func EncodePart(p PartState) ([]byte, error) {
	m := &pb.PartState{Ok: p.Rows.OK, Diverged: p.Rows.Diverged, Failed: p.Rows.Failed, Invalid: p.Rows.Invalid}
	for _, f := range p.Files {
		m.Files = append(m.Files, &pb.PartFile{Path: f.Path, Bytes: f.Bytes, Rows: f.Rows, Sha256: f.SHA256[:]})
	}
	for _, s := range p.Missing {
		m.Missing = append(m.Missing, int64(s))
	}
	return Encode(m)
}

func decodePart(b []byte) (PartState, error) {
	var m pb.PartState
	if err := proto.Unmarshal(b, &m); err != nil {
		return PartState{}, err
	}
	p := PartState{
		Rows: board.Counts{OK: m.GetOk(), Diverged: m.GetDiverged(), Failed: m.GetFailed(), Invalid: m.GetInvalid()},
	}
	for _, f := range m.GetFiles() {
		file := PartFile{Path: f.GetPath(), Bytes: f.GetBytes(), Rows: f.GetRows()}
		if copy(file.SHA256[:], f.GetSha256()) != len(file.SHA256) {
			return PartState{}, fmt.Errorf("file %q: got sha256 of %d bytes, want 32", file.Path, len(f.GetSha256()))
		}
		p.Files = append(p.Files, file)
	}
	for _, s := range m.GetMissing() {
		p.Missing = append(p.Missing, int(s))
	}
	return p, nil
}

// FailuresToProto converts the lease failures of a shard.
func FailuresToProto(f board.ShardFailures) *pb.Loss {
	m := &pb.Loss{Shard: int64(f.Shard), Attempts: int32(f.Attempts), Quarantined: f.Quarantined}
	for _, c := range f.Failures {
		m.Causes = append(m.Causes, &pb.LossCause{Node: c.Node, Cause: c.Cause, Time: timestamppb.New(c.Time)})
	}
	return m
}

// EncodeFailures returns the value of the key of the lease failures of a shard.
func EncodeFailures(f board.ShardFailures) ([]byte, error) {
	return Encode(&pb.LossState{Loss: FailuresToProto(f)})
}

func decodeFailures(b []byte) (board.ShardFailures, error) {
	var m pb.LossState
	if err := proto.Unmarshal(b, &m); err != nil {
		return board.ShardFailures{}, err
	}
	f := board.ShardFailures{
		Shard:       int(m.GetLoss().GetShard()),
		Attempts:    int(m.GetLoss().GetAttempts()),
		Quarantined: m.GetLoss().GetQuarantined(),
	}
	for _, c := range m.GetLoss().GetCauses() {
		f.Failures = append(
			f.Failures, board.LeaseFailure{Node: c.GetNode(), Cause: c.GetCause(), Time: c.GetTime().AsTime()},
		)
	}
	return f, nil
}
