package coordinator

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// Bounds of the fields of requests. A field out of bounds is rejected by name before the request
// has any effect.
const (
	maxNameBytes     = pb.MaxNameBytes
	maxFilename      = 4096
	maxPriority      = 1000
	maxWeight        = 1000
	maxSlots         = pb.MaxSlots
	maxHeldRanges    = board.MaxCapacity
	maxSegments      = 8
	maxInstanceBytes = 64
)

// checkText rejects texts that are too long or contain control characters.
func checkText(field, text string, most int) error {
	if len(text) > most {
		return badField(field, "got %d bytes, want at most %d", len(text), most)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return badField(field, "control characters are not allowed")
	}
	return nil
}

// checkName is checkText for a required field.
func checkName(field, name string) error {
	if name == "" {
		return badField(field, "required")
	}
	return checkText(field, name, maxNameBytes)
}

// checkNode is checkName for the name of a node, which becomes part of a key.
func checkNode(field, name string) error {
	if strings.Contains(name, "/") {
		return badField(field, "slashes are not allowed in the name of a node")
	}
	return checkName(field, name)
}

func checkRange[T int32 | int64](field string, n, least, most T) error {
	if n < least || n > most {
		return badField(field, "got %d, want %d..%d", n, least, most)
	}
	return nil
}

// checkFile checks a sweep file.
func checkFile(file []byte, filename string) error {
	if len(file) > sweep.MaxFileBytes {
		return badField("file", "got %d bytes, want at most %d", len(file), sweep.MaxFileBytes)
	}
	return checkText("filename", filename, maxFilename)
}

func checkSubmit(r *pb.SubmitRequest) error {
	return cmp.Or(
		checkFile(r.GetFile(), r.GetFilename()),
		checkRange("priority", r.GetPriority(), -maxPriority, maxPriority),
		checkRange("weight", r.GetWeight(), 0, maxWeight),
	)
}

// checkPage checks the request for a page of a list; see pageToken.
func checkPage(r *pb.ListRequest) error {
	if r.GetPageToken() != "" {
		number, id, _ := strings.Cut(r.GetPageToken(), "-")
		if _, err := strconv.ParseUint(number, 16, 64); err != nil || checkName("", id) != nil {
			return badField("page_token", "unknown page_token; use next_page_token of the previous response or omit it")
		}
	}
	return checkRange("page_size", r.GetPageSize(), 0, math.MaxInt32)
}

// checkInfo checks what a node says about itself.
func checkInfo(field string, m *pb.NodeInfo) error {
	return cmp.Or(
		checkNode(field+".name", m.GetName()),
		checkRange(field+".slots", m.GetSlots(), 1, maxSlots),
		checkRange(field+".memory_bytes", m.GetMemoryBytes(), 0, math.MaxInt64),
		checkSolver(field+".solver", m.GetSolver(), m.GetSolverVersion()),
		checkName(field+".arithmetic_class", m.GetArithmeticClass()),
		checkText(field+".kernel", m.GetKernel(), maxNameBytes),
		checkText(field+".version", m.GetVersion(), maxNameBytes),
	)
}

// checkSolver checks the identity of a solver, or the version in its place.
func checkSolver(field string, m *pb.SolverIdentity, version int32) error {
	if err := ledger.SolverFromProto(m, version).Check(); err != nil {
		return badField(field, "%w", err)
	}
	return nil
}

// checkCapacity accepts any capacity that is not negative: the board limits what it grants.
func checkCapacity(field string, capacity int32) error {
	return checkRange(field, capacity, 0, math.MaxInt32)
}

func checkInstance(field string, instance []byte) error {
	if len(instance) > maxInstanceBytes {
		return badField(field, "got %d bytes, want at most %d", len(instance), maxInstanceBytes)
	}
	return nil
}

// checkShardRange checks a shard range that a node sends. The board ignores shards that do not
// exist.
func checkShardRange(field string, m *pb.ShardRun) error {
	if n := len(m.GetBounds()); n > 0 && int64(n) != m.GetShards()+1 {
		return badField(field+".bounds", "got %d bounds for %d shards, want one more than shards", n, m.GetShards())
	}
	return cmp.Or(
		checkName(field+".sweep_id", m.GetSweepId()),
		checkRange(field+".first_shard", m.GetFirstShard(), 0, math.MaxInt32),
		checkRange(field+".shards", m.GetShards(), 1, board.MaxCapacity),
	)
}

// checkHeader checks the header of a delivery, except what depends on the sweep.
func checkHeader(h *pb.DeliverHeader) error {
	if h == nil {
		return badField("message", "the first message must be the header")
	}
	if len(h.GetSegments()) > maxSegments {
		return badField("header.segments", "got %d, want at most %d", len(h.GetSegments()), maxSegments)
	}
	for i, s := range h.GetSegments() {
		field := fmt.Sprintf("header.segments[%d]", i)
		if _, ok := tableOf(s.GetTable()); !ok {
			return badField(field+".table", "unknown table %d", s.GetTable())
		}
		if err := cmp.Or(
			checkRange(field+".bytes", s.GetBytes(), 0, results.MaxPayloadBytes),
			checkRange(field+".rows", s.GetRows(), 0, math.MaxInt64),
		); err != nil {
			return err
		}
	}
	if h.Started != nil && !h.Started.IsValid() {
		return badField("header.started", "not a valid timestamp")
	}
	if h.Finished != nil && !h.Finished.IsValid() {
		return badField("header.finished", "not a valid timestamp")
	}
	return cmp.Or(
		checkName("header.sweep_id", h.GetSweepId()),
		checkNode("header.node", h.GetNode()),
		checkName("header.arithmetic_class", h.GetArithmeticClass()),
		checkRange("header.payload_bytes", h.GetPayloadBytes(), 0, results.MaxPayloadBytes),
		checkSolver("header.solver", h.GetSolver(), h.GetSolverVersion()),
		checkText("header.kernel", h.GetKernel(), maxNameBytes),
		checkInstance("header.instance", h.GetInstance()),
	)
}
