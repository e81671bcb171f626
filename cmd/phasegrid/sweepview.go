package main

import (
	"strings"
	"time"
)

// sweepView is a sweep as commands show it.
type sweepView struct {
	ID        string       `json:"id" yaml:"id"`
	Name      string       `json:"name" yaml:"name"`
	Phase     string       `json:"phase" yaml:"phase"`
	ResultSet string       `json:"result_set" yaml:"result_set"`
	Created   time.Time    `json:"created" yaml:"created"`
	Priority  int32        `json:"priority" yaml:"priority"`
	Weight    int32        `json:"weight" yaml:"weight"`
	Progress  progressView `json:"progress" yaml:"progress"`
	Fenced    []fencedView `json:"fenced_nodes,omitempty" yaml:"fenced_nodes,omitempty"` // of the whole cluster; in status alone
}

// fencedView is a node that gets no work.
type fencedView struct {
	Node   string `json:"node" yaml:"node"`
	Reason string `json:"reason" yaml:"reason"`
}

type progressView struct {
	Indices           int64            `json:"indices" yaml:"indices"`
	PointsDone        int64            `json:"points_done" yaml:"points_done"`
	Shards            int64            `json:"shards" yaml:"shards"`
	ShardsDone        int64            `json:"shards_done" yaml:"shards_done"`
	ShardsLeased      int64            `json:"shards_leased" yaml:"shards_leased"`
	ShardsQuarantined int64            `json:"shards_quarantined" yaml:"shards_quarantined"`
	Parts             int64            `json:"parts" yaml:"parts"`
	PartsDone         int64            `json:"parts_done" yaml:"parts_done"`
	PointsByStatus    map[string]int64 `json:"points_by_status,omitempty" yaml:"points_by_status,omitempty"`
	ETA               time.Duration    `json:"eta_ns,omitempty" yaml:"eta,omitempty"`
	Nodes             int32            `json:"nodes" yaml:"nodes"`
	Waiting           string           `json:"waiting,omitempty" yaml:"waiting,omitempty"`
	CostTotal         float64          `json:"cost_total" yaml:"cost_total"`
	CostDone          float64          `json:"cost_done" yaml:"cost_done"`
	Losses            []lossView       `json:"losses,omitempty" yaml:"losses,omitempty"`
	Alarms            []string         `json:"alarms,omitempty" yaml:"alarms,omitempty"`
}

type lossView struct {
	Shard       int64       `json:"shard" yaml:"shard"`
	Attempts    int32       `json:"attempts" yaml:"attempts"`
	Quarantined bool        `json:"quarantined" yaml:"quarantined"`
	Causes      []causeView `json:"causes" yaml:"causes"`
}

type causeView struct {
	Node  string    `json:"node" yaml:"node"`
	Cause string    `json:"cause" yaml:"cause"`
	Time  time.Time `json:"time" yaml:"time"`
}

// Phases of a sweep, as commands show them.
const (
	phaseDone      = "done"
	phaseCancelled = "cancelled"
	phaseFailed    = "failed"
	phaseRemoving  = "removing"
)

// ended tells whether a sweep has come to rest.
func (s sweepView) ended() bool {
	return s.Phase == phaseDone || s.Phase == phaseCancelled || s.Phase == phaseFailed || s.Phase == phaseRemoving
}

// causes tells in one line what a shard was lost by.
func (l lossView) causes() string {
	var texts []string
	for _, c := range l.Causes {
		texts = append(texts, c.Node+": "+c.Cause)
	}
	return counted(int64(l.Attempts), "attempt") + "; " + strings.Join(texts, "; ")
}
