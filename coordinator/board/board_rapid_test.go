package board_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/phasegrid/phasegrid/coordinator/board"
)

// naive is a simple model of the board: which node has which shard, and what is durable.
type naive struct {
	t     *rapid.T
	board *board.Board
	now   time.Time

	sweeps  map[string]*naiveSweep
	order   []string
	nodes   map[string]*naiveNode
	conn    uint64
	token   uint64
	waiting map[uint64]bool // tokens without an answer
	healthy bool            // no operation fails any more
}

type naiveSweep struct {
	cuts      evenCuts
	done      map[int]bool
	leased    map[int]string // by the last grant
	commits   []int          // asked for, not reported back
	merges    []board.MergePart
	stored    map[int]bool
	finishing bool
	phase     board.Phase
}

type naiveNode struct {
	conn    uint64
	process int // which of its processes is the present one
	class   string
	up      bool
	held    map[string]map[int]bool
}

func TestBoardAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &naive{t: t, board: board.New(10*time.Second, 3*time.Second, 0), now: time.Unix(1e9, 0),
			sweeps: map[string]*naiveSweep{}, nodes: map[string]*naiveNode{}, waiting: map[uint64]bool{}}
		m.step(board.Tick{Now: m.now})
		for range rapid.IntRange(1, 150).Draw(t, "events") {
			m.random()
		}
		m.finish()
	})
}

// step applies an event and compares the actions with the model.
func (m *naive) step(e board.Event) {
	for _, a := range m.board.Step(e) {
		switch a := a.(type) {
		case board.Grant:
			m.granted(a)
		case board.Revoke:
			for _, r := range a.Ranges {
				for s := r.First; s < r.First+r.Count; s++ {
					delete(m.nodes[a.Node].held[r.Sweep], s)
				}
			}
		case board.CommitShard:
			s := m.sweeps[a.Sweep]
			for _, c := range s.commits {
				if c == a.Shard {
					m.t.Fatalf("shard %d is committed twice at once", a.Shard)
				}
			}
			if s.done[a.Shard] {
				m.t.Fatalf("done shard %d is committed again", a.Shard)
			}
			s.commits = append(s.commits, a.Shard)
		case board.Answer:
			if !m.waiting[a.Token] {
				m.t.Fatalf("token %d is answered twice, or was never asked", a.Token)
			}
			delete(m.waiting, a.Token)
		case board.MergePart:
			s := m.sweeps[a.Sweep]
			missing := map[int]bool{}
			for _, x := range a.Missing {
				missing[x] = true
			}
			first, end := s.cuts.Part(a.Part)
			for x := first; x < end; x++ {
				if s.done[x] == missing[x] {
					m.t.Fatalf("part %d is merged; shard %d done %v missing %v", a.Part, x, s.done[x], missing[x])
				}
			}
			s.merges = append(s.merges, a)
		case board.WriteManifest:
			s := m.sweeps[a.Sweep]
			if len(s.stored) != s.cuts.Parts() {
				m.t.Fatalf("sweep ends with parts %v of %d", s.stored, s.cuts.Parts())
			}
			s.finishing = true
		case board.SavePhase:
			m.sweeps[a.Sweep].phase = a.Phase
		case board.DeleteFailures:
			m.sweeps[a.Sweep].phase = a.Phase
			for _, x := range a.Shards {
				delete(m.sweeps[a.Sweep].stored, m.sweeps[a.Sweep].cuts.PartOf(x))
			}
		}
	}
	for _, err := range m.board.Check() {
		m.t.Fatalf("after %T: %v", e, err)
	}
}

func (m *naive) granted(a board.Grant) {
	n := m.nodes[a.Node]
	if !n.up || n.conn != a.Conn {
		m.t.Fatalf("grant to %s, which is not there", a.Node)
	}
	for _, r := range a.Ranges {
		s := m.sweeps[r.Sweep]
		if s.phase != board.Running {
			m.t.Fatalf("grant of %s, which is %v", r.Sweep, s.phase)
		}
		for x := r.First; x < r.First+r.Count; x++ {
			if s.done[x] {
				m.t.Fatalf("done shard %d is granted", x)
			}
			if n.held[r.Sweep] == nil {
				n.held[r.Sweep] = map[int]bool{}
			}
			n.held[r.Sweep][x] = true
			s.leased[x] = a.Node
		}
	}
}

func (m *naive) ask() uint64 {
	m.token++
	m.waiting[m.token] = true
	return m.token
}

func (m *naive) sweep() string { return rapid.SampledFrom(m.order).Draw(m.t, "sweep") }

// random applies a random event.
func (m *naive) random() {
	t := m.t
	if len(m.order) == 0 || len(m.order) < 3 && rapid.IntRange(0, 9).Draw(t, "new") == 0 {
		id := fmt.Sprintf("s%d", len(m.order))
		cuts := evenCuts{shards: rapid.IntRange(1, 30).Draw(t, "shards"), part: rapid.IntRange(1, 8).Draw(t, "part")}
		m.order = append(m.order, id)
		m.sweeps[id] = &naiveSweep{
			cuts:   cuts,
			done:   map[int]bool{},
			leased: map[int]string{},
			stored: map[int]bool{},
			phase:  board.Running,
		}
		m.step(board.SweepAdded{ID: id, Cuts: cuts, Solver: "1", Phase: board.Running,
			Priority: rapid.IntRange(0, 1).Draw(t, "priority"), Weight: rapid.IntRange(0, 3).Draw(t, "weight")})
		return
	}
	name := rapid.SampledFrom([]string{"n1", "n2", "n3", "n4"}).Draw(t, "node")
	n := m.nodes[name]
	switch rapid.IntRange(0, 13).Draw(t, "event") {
	case 0:
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
		m.step(board.Tick{Now: m.now})
	case 1:
		m.attach(name)
	case 2:
		if n != nil && n.up {
			n.up = false
			m.step(board.StreamBroken{Conn: n.conn, Node: name})
		}
	case 3:
		if n != nil && n.up {
			n.up = false
			n.held = map[string]map[int]bool{}
			m.step(board.NodeLeft{Conn: n.conn, Node: name})
		}
	case 4:
		if n != nil && n.up {
			m.step(board.NodeHeartbeat{Conn: n.conn, Node: name, Capacity: rapid.IntRange(0, 8).Draw(t, "capacity")})
		}
	case 5, 6, 7, 8:
		if n != nil {
			m.deliver(name, n)
		}
	case 9, 10:
		m.commit(m.sweep())
	case 11:
		m.store(m.sweep())
	case 12:
		id := m.sweep()
		p := rapid.SampledFrom(
			[]board.Phase{board.Running, board.Paused, board.Cancelled},
		).Draw(
			t,
			"phase",
		)
		m.step(board.PhaseRequested{Token: m.ask(), Sweep: id, Phase: p})
	case 13:
		if n != nil && n.up {
			if id, x := m.anyHeld(n); id != "" {
				m.step(board.DeliveryRejected{Node: name, Sweep: id, Shard: x, Cause: "bad"})
				delete(n.held[id], x)
			}
		}
	}
}

// attach opens a stream: the same process with what it has, of which the last grants may have been
// lost, or a new process with nothing.
func (m *naive) attach(name string) {
	m.conn++
	n := m.nodes[name]
	if n == nil {
		n = &naiveNode{
			held:  map[string]map[int]bool{},
			class: rapid.SampledFrom([]string{"fma", "fma", "neon"}).Draw(m.t, "class"),
		}
		m.nodes[name] = n
	}
	n.conn, n.up = m.conn, true
	switch rapid.IntRange(0, 3).Draw(m.t, "process") {
	case 0:
		n.process++
		n.held = map[string]map[int]bool{}
	case 1:
		if id, x := m.anyHeld(n); id != "" {
			delete(n.held[id], x)
		}
	}
	var held []board.ShardRange
	for _, id := range m.order {
		for x := range m.sweeps[id].cuts.shards {
			if n.held[id][x] {
				held = append(held, board.ShardRange{Sweep: id, First: x, Count: 1})
			}
		}
	}
	m.step(
		board.NodeAttached{
			Conn:     n.conn,
			Instance: fmt.Sprint("process ", n.process),
			Capacity: rapid.IntRange(0, 8).Draw(m.t, "capacity"),
			Held:     held,
			Info: board.NodeInfo{
				Name:   name,
				Slots:  rapid.IntRange(1, 3).Draw(m.t, "slots"),
				Solver: "1",
				Class:  n.class,
			},
		},
	)
}

// anyHeld is a shard that a node has.
func (m *naive) anyHeld(n *naiveNode) (string, int) {
	for _, id := range m.order {
		for x := range m.sweeps[id].cuts.shards {
			if n.held[id][x] {
				return id, x
			}
		}
	}
	return "", 0
}

// deliver delivers a shard that the node has, or sometimes any other.
func (m *naive) deliver(name string, n *naiveNode) {
	id, x := m.anyHeld(n)
	if id == "" || rapid.IntRange(0, 9).Draw(m.t, "stray") == 0 {
		id = m.sweep()
		x = rapid.IntRange(-1, m.sweeps[id].cuts.shards).Draw(m.t, "shard")
	}
	delete(n.held[id], x)
	m.step(
		board.ShardDelivered{
			Token:  m.ask(),
			Sweep:  id,
			Shard:  x,
			Node:   name,
			Solver: "1",
			Class:  n.class,
			Counts: board.Counts{OK: 1},
		},
	)
}

// commit reports the oldest commit as durable, or as cancelled if the sweep was cancelled.
func (m *naive) commit(id string) {
	s := m.sweeps[id]
	if len(s.commits) == 0 {
		return
	}
	x := s.commits[0]
	s.commits = s.commits[1:]
	if s.phase == board.Cancelled && rapid.Bool().Draw(m.t, "give up") {
		m.step(board.CommitCancelled{Sweep: id, Shard: x})
		return
	}
	s.done[x] = true
	m.step(board.ShardCommitted{Sweep: id, Shard: x})
}

// store reports a merge or the manifest as durable, or as cancelled if the sweep was cancelled.
func (m *naive) store(id string) {
	s := m.sweeps[id]
	cancelled := s.phase == board.Cancelled && rapid.Bool().Draw(m.t, "give up")
	switch {
	case len(s.merges) > 0 && cancelled:
		part := s.merges[0].Part
		s.merges = s.merges[1:]
		m.step(board.MergeCancelled{Sweep: id, Part: part})
	case s.finishing && s.phase == board.Cancelled:
		s.finishing = false
		m.step(board.ManifestCancelled{Sweep: id})
	case len(s.merges) > 0 && !m.healthy && rapid.IntRange(0, 3).Draw(m.t, "lost") == 0:
		m.lose(id)
	case len(s.merges) > 0:
		part := s.merges[0].Part
		s.merges = s.merges[1:]
		s.stored[part] = true
		m.step(board.PartStored{Sweep: id, Part: part})
	case s.finishing:
		s.finishing = false
		s.phase = board.Done
		m.step(board.ManifestStored{Sweep: id})
		m.step(board.DoneStored{Sweep: id})
	}
}

// lose reports shards of the oldest merge as lost: none or some of those that it has.
func (m *naive) lose(id string) {
	s := m.sweeps[id]
	part := s.merges[0].Part
	s.merges = s.merges[1:]
	lost := board.ShardsLost{Sweep: id, Part: part}
	first, end := s.cuts.Part(part)
	for x := first; x < end; x++ {
		if s.done[x] && rapid.Bool().Draw(m.t, "lose") {
			s.done[x] = false
			lost.Shards = append(lost.Shards, x)
			lost.Counts.OK++
		}
	}
	if len(lost.Shards) == 0 {
		s.stored[part] = true
		m.step(board.PartStored{Sweep: id, Part: part})
		return
	}
	m.step(lost)
}

// finish lets every operation succeed from here on: every sweep must end with every shard done.
func (m *naive) finish() {
	m.healthy = true
	for _, id := range m.order {
		m.step(board.PhaseRequested{Token: m.ask(), Sweep: id, Phase: board.Running})
	}
	m.now = m.now.Add(time.Hour)
	m.step(board.Tick{Now: m.now})
	m.now = m.now.Add(time.Hour)
	m.step(board.Tick{Now: m.now})
	m.nodes = map[string]*naiveNode{}
	for _, class := range []string{"fma", "neon"} {
		m.conn++
		name := "good-" + class
		m.nodes[name] = &naiveNode{conn: m.conn, up: true, held: map[string]map[int]bool{}, class: class}
		m.step(
			board.NodeAttached{
				Conn:     m.conn,
				Capacity: 4,
				Info:     board.NodeInfo{Name: name, Slots: 2, Solver: "1", Class: class},
			},
		)
	}
	for range 10000 {
		open := false
		for _, id := range m.order {
			m.commit(id)
			m.store(id)
			p, _ := m.board.Progress(id)
			if p.Phase == board.Done && p.Quarantined > 0 {
				m.step(board.RetryRequested{Token: m.ask(), Sweep: id})
			}
			open = open || p.Phase != board.Done || p.Quarantined > 0
		}
		if !open {
			break
		}
		for _, name := range []string{"good-fma", "good-neon"} {
			if n := m.nodes[name]; n != nil {
				if id, _ := m.anyHeld(n); id != "" {
					m.deliver(name, n)
				}
			}
		}
	}
	for _, id := range m.order {
		if p, _ := m.board.Progress(id); p.Phase != board.Done || p.ShardsDone != p.Shards {
			m.t.Fatalf("sweep %s does not end: %+v", id, p)
		}
	}
	if len(m.waiting) > 0 {
		m.t.Fatalf("%d requests were never answered", len(m.waiting))
	}
}
