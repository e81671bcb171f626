package client

import (
	"strings"
	"time"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// Sweep is a sweep as commands show it.
type Sweep struct {
	ID        string    `json:"id" yaml:"id"`
	Name      string    `json:"name" yaml:"name"`
	Phase     string    `json:"phase" yaml:"phase"`
	ResultSet string    `json:"result_set" yaml:"result_set"` // a folder's name
	Created   time.Time `json:"created" yaml:"created"`
	Priority  int32     `json:"priority" yaml:"priority"`
	Weight    int32     `json:"weight" yaml:"weight"`
	Progress  Progress  `json:"progress" yaml:"progress"`
	// Fenced are the fenced nodes of the whole cluster. Only the status command asks for them.
	Fenced []FencedNode `json:"fenced_nodes,omitempty" yaml:"fenced_nodes,omitempty"`
}

// FencedNode is a node that gets no leases.
type FencedNode struct {
	Node   string `json:"node" yaml:"node"`
	Reason string `json:"reason" yaml:"reason"`
}

// Progress is the progress of a sweep. Costs are in cost units.
type Progress struct {
	Indices           int64            `json:"indices" yaml:"indices"`
	PointsDone        int64            `json:"points_done" yaml:"points_done"`
	Shards            int64            `json:"shards" yaml:"shards"`
	ShardsDone        int64            `json:"shards_done" yaml:"shards_done"`
	ShardsLeased      int64            `json:"shards_leased" yaml:"shards_leased"`
	ShardsQuarantined int64            `json:"shards_quarantined" yaml:"shards_quarantined"`
	ShardsLost        int64            `json:"shards_lost,omitempty" yaml:"shards_lost,omitempty"` // and computed again
	Parts             int64            `json:"parts" yaml:"parts"`
	PartsDone         int64            `json:"parts_done" yaml:"parts_done"`
	PointsByStatus    map[string]int64 `json:"points_by_status,omitempty" yaml:"points_by_status,omitempty"`
	ETA               time.Duration    `json:"eta_ns,omitempty" yaml:"eta,omitempty"` // 0 if unknown
	Nodes             int32            `json:"nodes" yaml:"nodes"`
	Waiting           string           `json:"waiting,omitempty" yaml:"waiting,omitempty"` // what it waits for
	CostTotal         float64          `json:"cost_total" yaml:"cost_total"`
	CostDone          float64          `json:"cost_done" yaml:"cost_done"`
	Suspects          []Suspect        `json:"suspects,omitempty" yaml:"suspects,omitempty"`
	Alarms            []string         `json:"alarms,omitempty" yaml:"alarms,omitempty"`
}

// Suspect is a shard with lease failures.
type Suspect struct {
	Shard       int64          `json:"shard" yaml:"shard"`
	Attempts    int32          `json:"attempts" yaml:"attempts"`
	Quarantined bool           `json:"quarantined" yaml:"quarantined"`
	Causes      []LeaseFailure `json:"causes" yaml:"causes"`
}

// LeaseFailure is a lease that ended by the node's fault.
type LeaseFailure struct {
	Node  string    `json:"node" yaml:"node"`
	Cause string    `json:"cause" yaml:"cause"`
	Time  time.Time `json:"time" yaml:"time"`
}

// Phases of a sweep.
const (
	PhaseRunning   = "running"
	PhaseDone      = "done"
	PhaseCancelled = "cancelled"
	PhaseFailed    = "failed"
	PhaseRemoving  = "removing"
)

// Ended reports whether the sweep makes no more progress by itself.
func (s Sweep) Ended() bool {
	return s.Phase == PhaseDone || s.Phase == PhaseCancelled || s.Phase == PhaseFailed || s.Phase == PhaseRemoving
}

// ShortID is as much of an id as people need; commands accept it too.
func ShortID(id string) string { return id[:min(len(id), 8)] }

func viewSweep(s *pb.Sweep) Sweep {
	p := s.GetProgress()
	view := Sweep{
		ID: s.GetId(), Name: s.GetSpec().GetName(), Phase: viewPhase(s.GetPhase()), ResultSet: s.GetResultSet(),
		Created: s.GetCreated().AsTime(), Priority: s.GetPriority(), Weight: s.GetWeight(),
		Progress: Progress{
			Indices: p.GetIndices(), PointsDone: p.GetPointsDone(),
			Shards: p.GetShards(), ShardsDone: p.GetShardsDone(), ShardsLeased: p.GetShardsLeased(),
			ShardsQuarantined: p.GetShardsQuarantined(), ShardsLost: p.GetShardsLost(),
			Parts: p.GetParts(), PartsDone: p.GetPartsDone(),
			PointsByStatus: p.GetPointsByStatus(), Nodes: p.GetNodes(), Waiting: p.GetWaiting(),
			CostTotal: p.GetCostTotal(), CostDone: p.GetCostDone(), Alarms: p.GetAlarms(),
		},
	}
	if p.GetEta() != nil {
		view.Progress.ETA = p.GetEta().AsDuration()
	}
	for _, l := range p.GetLosses() {
		suspect := Suspect{Shard: l.GetShard(), Attempts: l.GetAttempts(), Quarantined: l.GetQuarantined()}
		for _, c := range l.GetCauses() {
			suspect.Causes = append(suspect.Causes, LeaseFailure{c.GetNode(), c.GetCause(), c.GetTime().AsTime()})
		}
		view.Progress.Suspects = append(view.Progress.Suspects, suspect)
	}
	return view
}

func viewPhase(p pb.Phase) string {
	return strings.ToLower(strings.TrimPrefix(p.String(), "PHASE_"))
}
