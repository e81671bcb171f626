package coordinator

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/phasegrid/phasegrid/coordinator/board"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// What may stand in the fields of requests. Whatever is out of bounds is refused with the field's
// name, before anything happens by it.
const (
	maxNameBytes     = pb.MaxNameBytes
	maxFilename      = 4096
	maxPriority      = 1000
	maxWeight        = 1000
	maxSlots         = pb.MaxSlots
	maxHeldRuns      = board.MaxCapacity
	maxSegments      = 8
	maxInstanceBytes = 64
)

// checkText refuses texts that are long, or of more than one line.
func checkText(field, text string, most int) error {
	if len(text) > most {
		return badField(field, "%d bytes; at most %d", len(text), most)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return badField(field, "control characters are not allowed")
	}
	return nil
}

// checkName is checkText for what must be there.
func checkName(field, name string) error {
	if name == "" {
		return badField(field, "missing")
	}
	return checkText(field, name, maxNameBytes)
}

// checkNode is checkName for the name of a node, which is part of a key.
func checkNode(field, name string) error {
	if strings.Contains(name, "/") {
		return badField(field, "a node's name has no slashes")
	}
	return checkName(field, name)
}

func checkRange[T int32 | int64](field string, n, least, most T) error {
	if n < least || n > most {
		return badField(field, "%d; from %d to %d", n, least, most)
	}
	return nil
}

// checkFile bounds a sweep file.
func checkFile(file []byte, filename string) error {
	if len(file) > sweep.MaxFileBytes {
		return badField("file", "%d bytes; a sweep file has at most %d", len(file), sweep.MaxFileBytes)
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

// checkPage bounds the request for a page of a list; its token is a place, see there.
func checkPage(r *pb.ListRequest) error {
	if r.GetPageToken() != "" {
		number, id, _ := strings.Cut(r.GetPageToken(), "-")
		if _, err := strconv.ParseUint(number, 16, 64); err != nil || checkName("", id) != nil {
			return badField("page_token", "is of no page; take it from the answer before, or leave it out")
		}
	}
	return checkRange("page_size", r.GetPageSize(), 0, math.MaxInt32)
}

// checkInfo bounds what a node says about itself.
func checkInfo(field string, m *pb.NodeInfo) error {
	return cmp.Or(
		checkNode(field+".name", m.GetName()),
		checkRange(field+".slots", m.GetSlots(), 1, maxSlots),
		checkRange(field+".memory_bytes", m.GetMemoryBytes(), 0, math.MaxInt64),
		checkRange(field+".solver_version", m.GetSolverVersion(), 1, math.MaxInt32),
		checkName(field+".arithmetic_class", m.GetArithmeticClass()),
		checkText(field+".kernel", m.GetKernel(), maxNameBytes),
		checkText(field+".version", m.GetVersion(), maxNameBytes),
	)
}

// checkCapacity leaves it to the board how much of a large capacity it grants.
func checkCapacity(field string, capacity int32) error {
	return checkRange(field, capacity, 0, math.MaxInt32)
}

func checkInstance(field string, instance []byte) error {
	if len(instance) > maxInstanceBytes {
		return badField(field, "%d bytes; at most %d", len(instance), maxInstanceBytes)
	}
	return nil
}

// checkRun bounds a run that a node names. Shards that do not exist are for the board to ignore.
func checkRun(field string, m *pb.ShardRun) error {
	if n := len(m.GetBounds()); n > 0 && int64(n) != m.GetShards()+1 {
		return badField(field+".bounds", "%d for %d shards", n, m.GetShards())
	}
	return cmp.Or(
		checkName(field+".sweep_id", m.GetSweepId()),
		checkRange(field+".first_shard", m.GetFirstShard(), 0, math.MaxInt32),
		checkRange(field+".shards", m.GetShards(), 1, board.MaxCapacity),
	)
}

// checkHeader bounds all of a delivery's header but what depends on the sweep.
func checkHeader(h *pb.DeliverHeader) error {
	if h == nil {
		return badField("message", "the first message must be the header")
	}
	if len(h.GetSegments()) > maxSegments {
		return badField("header.segments", "%d; at most %d", len(h.GetSegments()), maxSegments)
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
		return badField("header.started", "is no time")
	}
	if h.Finished != nil && !h.Finished.IsValid() {
		return badField("header.finished", "is no time")
	}
	return cmp.Or(
		checkName("header.sweep_id", h.GetSweepId()),
		checkNode("header.node", h.GetNode()),
		checkName("header.arithmetic_class", h.GetArithmeticClass()),
		checkRange("header.payload_bytes", h.GetPayloadBytes(), 0, results.MaxPayloadBytes),
		checkText("header.kernel", h.GetKernel(), maxNameBytes),
		checkInstance("header.instance", h.GetInstance()),
	)
}
